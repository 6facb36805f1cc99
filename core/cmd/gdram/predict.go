package main

import (
	"encoding/json"
	"fmt"
	"slices"

	"gdram/core"
	"gdram/core/pixels"
)

type predictCommand struct {
	Images  []string `arg:"" name:"image" help:"Pictures of any size: PNG, JPEG, GIF (its first frame), WebP or BMP."`
	Dataset string   `default:"${dataset}" enum:"mnist,cifar10,cifar100" placeholder:"NAME" help:"Which of the embedded networks to use: ${enum} (default ${default})."`
	Weights string   `placeholder:"FILE" help:"Use the network in this file instead, .safetensors or .pth."`
	Fast    bool     `help:"Stop looking early when the answer is settled."`
	Top     int      `default:"5" help:"How many of the most probable classes to tell."`
	JSON    bool     `help:"Print one JSON object for each picture, one to a line. Probabilities, weights and sigmas (standard deviations of the policy) are fractions; places run from -1 (left, top) to 1."`
}

// prediction is the answer for one picture.
type prediction struct {
	File        string   `json:"file"`
	Label       string   `json:"label"`
	Probability float32  `json:"probability"`
	Top         []choice `json:"top"`
	Glimpses    []look   `json:"glimpses"`
}

type choice struct {
	Label       string  `json:"label"`
	Probability float32 `json:"probability"`
}

type look struct {
	X      float32 `json:"x"`
	Y      float32 `json:"y"`
	Weight float32 `json:"weight"`
	Sigma  float32 `json:"sigma"` // mean of the two that follow
	SigmaX float32 `json:"sigma_x"`
	SigmaY float32 `json:"sigma_y"`
}

// Run answers for every picture it can read. Each of the others costs a sentence and the
// exit code, but not the answers for the rest.
func (p *predictCommand) Run(c *console) error {
	if p.Top < 1 {
		return fmt.Errorf("--top is %d; want at least 1", p.Top)
	}
	net, err := openNetwork(p.Weights, p.Dataset)
	if err != nil {
		return err
	}
	classifier := core.NewClassifier(net.params)
	input := make([]float32, core.ImageLen)
	var failure error
	for _, file := range p.Images {
		if c.Err() != nil {
			return fmt.Errorf("interrupted before %s", file)
		}
		picture, err := readPicture(file, net.meta.Gray)
		if err != nil {
			if failure != nil {
				c.complain(failure)
			}
			failure = err
			continue
		}
		pixels.ToFloat(input, picture)
		answer := net.describe(file, classifier.Classify(input, core.Options{Fast: p.Fast}), p.Top)
		if err := p.print(c, &answer); err != nil {
			return err
		}
	}
	return failure
}

// describe copies a result, which the classifier will overwrite, with the classes' names.
func (n *network) describe(file string, r *core.Result, top int) prediction {
	classes := make([]int, len(r.Probabilities))
	for i := range classes {
		classes[i] = i
	}
	slices.SortStableFunc(classes, func(a, b int) int {
		switch {
		case r.Probabilities[a] > r.Probabilities[b]:
			return -1
		case r.Probabilities[a] < r.Probabilities[b]:
			return 1
		}
		return 0
	})
	p := prediction{File: file, Label: n.label(r.Label), Probability: r.Probabilities[r.Label]}
	for _, class := range classes[:min(top, len(classes))] {
		p.Top = append(p.Top, choice{n.label(class), r.Probabilities[class]})
	}
	for _, g := range r.Glimpses {
		p.Glimpses = append(p.Glimpses, look{
			X: g.X, Y: g.Y, Weight: g.Weight,
			Sigma: (g.SigmaX + g.SigmaY) / 2, SigmaX: g.SigmaX, SigmaY: g.SigmaY,
		})
	}
	return p
}

func (p *predictCommand) print(c *console, answer *prediction) error {
	if p.JSON {
		return json.NewEncoder(c.out).Encode(answer)
	}
	fmt.Fprintf(c.out, "%s: %s, %.1f%%\n", answer.File, answer.Label, 100*answer.Probability)
	fmt.Fprintln(c.out, "  most probable")
	for _, choice := range answer.Top {
		fmt.Fprintf(c.out, "    %5.1f%%  %s\n", 100*choice.Probability, choice.Label)
	}
	fmt.Fprintln(c.out, "  looked at (x, y from -1 to 1)")
	for i, g := range answer.Glimpses {
		fmt.Fprintf(c.out, "    %d  (%+.2f, %+.2f)  weight %.2f\n", i+1, g.X, g.Y, g.Weight)
	}
	return nil
}
