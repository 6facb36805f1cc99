package main

import (
	"cmp"
	"encoding/json"
	"errors"
	"fmt"
	"math"
	"strings"
	"time"

	"gdram/core"
	"gdram/core/dataset"
	"gdram/core/train"
)

type evalCommand struct {
	DataPath   string      `default:"${data_path}" placeholder:"DIR" help:"Folder with the published data files (default ${default})."`
	Dataset    datasetName `placeholder:"NAME" help:"What to measure on: mnist, cifar10 or cifar100 (default what the weights say they learnt from, else ${dataset})."`
	Split      string      `default:"test" enum:"test,valid,train,fresh" placeholder:"NAME" help:"Which of its pictures: ${enum} (default ${default}). fresh is for mnist: new clutter around each of MNIST's 10,000 test digits, the same every time."`
	Weights    string      `placeholder:"FILE" help:"Use the network in this file, .safetensors or .pth, instead of the embedded one."`
	Fast       bool        `help:"Stop looking early: as soon as the answer is as probable as the weights say is enough; or, where they say nothing, when two looks in a row weigh less than a half, as published."`
	Samples    int         `placeholder:"K" help:"Answer with the mean of K looks at each picture, their places drawn from the policy's Gaussian."`
	Looks      []string    `placeholder:"WAY[=FILE]" help:"Who chooses the places: policy, scan (the same eight in every picture) or random; several are compared, as in policy,scan=FILE,random=FILE with networks that learnt to look so (default as the weights learnt to)."`
	RandomSeed uint64      `placeholder:"N" help:"Random places and --samples follow from it (default 0)."`
	JSON       bool        `help:"Print a JSON object for each way to look. Its top1 and top5 are fractions from 0 to 1, after is top1 had it stopped after 1, 2, ... looks, ece the expected calibration error."`
}

// evaluation is the answer of eval.
type evaluation struct {
	Dataset         string      `json:"dataset"`
	Split           string      `json:"split"`
	Images          int         `json:"images"`
	Top1            float64     `json:"top1"`
	Top5            float64     `json:"top5"`
	MeanGlimpses    float64     `json:"mean_glimpses"`
	Fast            bool        `json:"fast"`
	FastConfidence  float64     `json:"fast_confidence,omitempty"` // where fast mode stopped; absent for the published rule
	Samples         int         `json:"samples,omitempty"`
	Looks           train.Looks `json:"looks"`
	After           []float64   `json:"after,omitempty"`
	ECE             float64     `json:"ece"` // expected calibration error
	Choice          *exit       `json:"choice,omitempty"`
	Weights         string      `json:"weights"` // the file's name, or embedded
	SHA256          string      `json:"weights_sha256"`
	ImagesPerSecond float64     `json:"images_per_second"`
}

// exit is where these validation pictures say that fast mode should stop.
type exit struct {
	Confidence   float64 `json:"confidence"`
	Top1         float64 `json:"top1"`
	MeanGlimpses float64 `json:"mean_glimpses"`
}

// way is a network and how it looks.
type way struct {
	net    *network
	manner train.Manner
}

func (e *evalCommand) Run(c *console) error {
	ways, err := e.ways()
	if err != nil {
		return err
	}
	name := cmp.Or(string(e.Dataset), ways[0].net.meta.Dataset, defaultDataset)
	set, err := e.open(name, ways)
	if err != nil {
		return err
	}
	var answers []evaluation
	for _, w := range ways {
		answer, err := e.measure(c, name, set, w)
		if err != nil {
			return err
		}
		answers = append(answers, answer)
	}
	return e.print(c, answers)
}

// ways reads the networks, and decides how they look.
func (e *evalCommand) ways() ([]way, error) {
	switch {
	case e.Samples < 0:
		return nil, fmt.Errorf("--samples is %d; want at least 1", e.Samples)
	case e.Samples > 0 && e.Fast:
		return nil, errors.New("--samples averages full looks; leave --fast out")
	}
	asked := e.Looks
	if len(asked) == 0 {
		asked = []string{""}
	}
	var ways []way
	for _, a := range asked {
		looksName, file, given := strings.Cut(a, "=")
		looks, err := train.ParseLooks(looksName)
		if err != nil {
			return nil, fmt.Errorf("--looks: %w", err)
		}
		if !given {
			file = e.Weights
		}
		net, err := openNetwork(file, e.Dataset)
		if err != nil {
			return nil, err
		}
		taught, noise := train.Taught(net.meta.Extra[train.KeyRecipe])
		if looksName == "" {
			looks = taught
		}
		manner := train.Manner{Looks: looks, Samples: e.Samples, NoiseScale: noise, Seed: e.RandomSeed}
		if e.Samples > 0 && looks != train.Policy {
			return nil, fmt.Errorf("--samples draws from the policy's Gaussian, and %s looks have none; leave one of them out", looks)
		}
		if e.Fast {
			if manner.Fast, manner.Confidence, err = net.fast(); err != nil {
				return nil, err
			}
		}
		ways = append(ways, way{net, manner})
	}
	return ways, nil
}

// open returns the pictures, which all networks must fit.
func (e *evalCommand) open(name string, ways []way) (dataset.Set, error) {
	labels, _, err := dataset.Labels(name)
	if err != nil {
		return nil, err
	}
	for _, w := range ways {
		if w.net.params.Classes != len(labels) {
			return nil, fmt.Errorf("the weights in %s tell %d classes apart and %s has %d; name the data set they learnt from",
				w.net.source, w.net.params.Classes, name, len(labels))
		}
	}
	if e.Split == "fresh" {
		if name != "mnist" {
			return nil, fmt.Errorf("--split fresh is cluttered digits, made from MNIST's test file; %s has test, valid and train", name)
		}
		return dataset.FreshTest(e.DataPath)
	}
	data, err := dataset.Open(name, e.DataPath)
	if err != nil {
		return nil, err
	}
	return map[string]dataset.Set{"train": data.Train, "valid": data.Valid, "test": data.Test}[e.Split], nil
}

func (e *evalCommand) measure(c *console, name string, set dataset.Set, w way) (evaluation, error) {
	show, clear := c.progress()
	start := time.Now()
	result, err := train.Evaluate(c, core.NewClassifier(w.net.params), set, w.manner, 0,
		func(done, total int) { show(name+" "+e.Split, done, total) })
	clear()
	if c.Err() != nil {
		return evaluation{}, fmt.Errorf("interrupted before the last of the %d pictures, so there is no result", set.Len())
	} else if err != nil {
		return evaluation{}, err
	}
	metrics := result.Metrics()
	answer := evaluation{
		Dataset: name, Split: e.Split, Images: metrics.Images,
		Top1: metrics.Top1, Top5: metrics.Top5, MeanGlimpses: metrics.MeanGlimpses,
		Fast: e.Fast, FastConfidence: float64(w.manner.Confidence), Samples: e.Samples, Looks: w.manner.Looks,
		ECE: metrics.ECE, Weights: w.net.source, SHA256: w.net.sha256,
		ImagesPerSecond: math.Round(float64(metrics.Images) / time.Since(start).Seconds()),
	}
	if !e.Fast { // otherwise only those pictures come to later looks that earlier ones left open
		answer.After = metrics.After[:]
	}
	// Other splits must not choose, and neither must looks that are cut short or many.
	if e.Split == "valid" && !e.Fast && e.Samples == 0 && metrics.Fast.Confidence > 0 {
		answer.Choice = &exit{metrics.Fast.Confidence, metrics.Fast.Top1, metrics.Fast.Glimpses}
	}
	return answer, nil
}

func (e *evalCommand) print(c *console, answers []evaluation) error {
	if e.JSON {
		encoder := json.NewEncoder(c.out)
		for _, answer := range answers {
			if err := encoder.Encode(answer); err != nil {
				return err
			}
		}
		return nil
	}
	for _, a := range answers {
		fmt.Fprintf(c.out, "%s %s, %d pictures: %.2f%% right, %.2f%% among the first five, %.2f looks on average\n",
			a.Dataset, a.Split, a.Images, 100*a.Top1, 100*a.Top5, a.MeanGlimpses)
		if len(answers) > 1 || a.Looks != train.Policy {
			fmt.Fprintf(c.out, "  looks: %s\n", a.Looks)
		}
		if len(a.After) > 0 {
			fmt.Fprint(c.out, "  right after 1, 2, ... looks:")
			for _, share := range a.After {
				fmt.Fprintf(c.out, " %.2f", 100*share)
			}
			fmt.Fprintln(c.out)
		}
		if a.Choice != nil {
			fmt.Fprintf(c.out, "  stopping at a probability of %.3f: %.2f%% right, %.2f looks; to keep it: gdram convert IN OUT --confidence %.3f\n",
				a.Choice.Confidence, 100*a.Choice.Top1, a.Choice.MeanGlimpses, a.Choice.Confidence)
		}
		fmt.Fprintf(c.out, "weights %s (sha256 %s), %.0f pictures a second\n", a.Weights, a.SHA256, a.ImagesPerSecond)
	}
	return nil
}
