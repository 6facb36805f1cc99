package main

import (
	"cmp"
	"encoding/json"
	"fmt"
	"math"
	"time"

	"gdram/core"
	"gdram/core/dataset"
	"gdram/core/train"
)

type evalCommand struct {
	DataPath   string      `default:"${data_path}" placeholder:"DIR" help:"Folder with the published data files (default ${default})."`
	Dataset    datasetName `placeholder:"NAME" help:"What to measure on: mnist, cifar10 or cifar100 (default what the weights say they learnt from, else ${dataset})."`
	Split      string      `default:"test" enum:"test,valid,train" placeholder:"NAME" help:"Which of its pictures: ${enum} (default ${default})."`
	Weights    string      `placeholder:"FILE" help:"Use the network in this file, .safetensors or .pth, instead of the embedded one."`
	Fast       bool        `help:"Stop looking early when two looks in a row weigh less than a half. A network whose policy is always sure never does: the embedded one for mnist never, that for cifar10 hardly ever."`
	RandomSeed uint64      `placeholder:"N" help:"Accepted as the reference does; nothing here is random."`
	JSON       bool        `help:"Print one JSON object. Its top1 and top5 are fractions from 0 to 1."`
}

// evaluation is the answer of eval.
type evaluation struct {
	Dataset         string  `json:"dataset"`
	Split           string  `json:"split"`
	Images          int     `json:"images"`
	Top1            float64 `json:"top1"`
	Top5            float64 `json:"top5"`
	MeanGlimpses    float64 `json:"mean_glimpses"`
	Fast            bool    `json:"fast"`
	Weights         string  `json:"weights"` // the file's name, or embedded
	SHA256          string  `json:"weights_sha256"`
	ImagesPerSecond float64 `json:"images_per_second"`
}

func (e *evalCommand) Run(c *console) error {
	net, err := openNetwork(e.Weights, e.Dataset)
	if err != nil {
		return err
	}
	name := cmp.Or(string(e.Dataset), net.meta.Dataset, defaultDataset)
	data, err := dataset.Open(name, e.DataPath)
	if err != nil {
		return err
	}
	if net.params.Classes != data.Classes {
		return fmt.Errorf("the weights in %s tell %d classes apart and %s has %d; name the data set they learnt from",
			net.source, net.params.Classes, name, data.Classes)
	}
	set := map[string]dataset.Set{"train": data.Train, "valid": data.Valid, "test": data.Test}[e.Split]

	show, clear := c.progress()
	start := time.Now()
	metrics, err := train.Evaluate(c, core.NewClassifier(net.params), set, core.Options{Fast: e.Fast}, 0,
		func(done, total int) { show(name+" "+e.Split, done, total) })
	clear()
	if c.Err() != nil {
		return fmt.Errorf("interrupted before the last of the %d pictures, so there is no result", set.Len())
	} else if err != nil {
		return err
	}
	answer := evaluation{
		Dataset: name, Split: e.Split, Images: metrics.Images,
		Top1: metrics.Top1, Top5: metrics.Top5, MeanGlimpses: metrics.MeanGlimpses, Fast: e.Fast,
		Weights: net.source, SHA256: net.sha256,
		ImagesPerSecond: math.Round(float64(metrics.Images) / time.Since(start).Seconds()),
	}
	if e.JSON {
		return json.NewEncoder(c.out).Encode(answer)
	}
	fmt.Fprintf(c.out, "%s %s, %d pictures: %.2f%% right, %.2f%% among the first five, %.2f looks on average\n",
		answer.Dataset, answer.Split, answer.Images, 100*answer.Top1, 100*answer.Top5, answer.MeanGlimpses)
	fmt.Fprintf(c.out, "weights %s (sha256 %s), %.0f pictures a second\n", answer.Weights, answer.SHA256, answer.ImagesPerSecond)
	return nil
}
