package main

import (
	"encoding/json"
	"fmt"
	"os"

	"gdram/core"
	"gdram/core/policy"
)

// answers are what the exported model puts out, one row for each picture.
type answers struct {
	Logits    [][]float32    `json:"logits"`
	Locations [][][2]float32 `json:"locations"`
	Weights   [][]float32    `json:"weights"`
}

func answer(weights, pictures, looks string) error {
	if looks != "policy" && looks != "random" {
		return fmt.Errorf("looks by %q; want policy or random", looks)
	}
	params, images, err := open(weights, pictures)
	if err != nil {
		return err
	}
	classifier := core.NewClassifier(params)
	var a answers
	for number, image := range images {
		var options core.Options
		if looks == "random" {
			for t := range core.Steps {
				options.Places = append(options.Places, policy.RandomPlace(1, 0, number, t))
			}
		}
		r := classifier.Classify(image, options)
		a.Logits = append(a.Logits, append([]float32(nil), r.Logits...))
		var locations [][2]float32
		var weights []float32
		for _, g := range r.Glimpses {
			locations = append(locations, [2]float32{g.X, g.Y})
			weights = append(weights, g.Weight)
		}
		a.Locations = append(a.Locations, locations)
		a.Weights = append(a.Weights, weights)
	}
	return json.NewEncoder(os.Stdout).Encode(a)
}
