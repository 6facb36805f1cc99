package main

import (
	"bytes"
	"encoding/json"
	"fmt"
	"time"

	"gdram/core"
	"gdram/core/answer"
	"gdram/core/pixels"
)

type predictCommand struct {
	Images     []string    `arg:"" name:"image" help:"Pictures of any size: PNG, JPEG, GIF (its first frame), WebP or BMP."`
	Dataset    datasetName `placeholder:"NAME" help:"Which of the embedded networks to use: mnist, cifar10 or cifar100 (default ${dataset}). With --weights: what they learnt from, where the file does not say."`
	Weights    string      `placeholder:"FILE" help:"Use the network in this file instead, .safetensors or .pth."`
	Fast       bool        `help:"Stop looking early: as soon as the most probable class leads by as much as the weights say is enough; or, where they say nothing, when two looks in a row weigh less than a half, as published."`
	Samples    int         `placeholder:"K" help:"Answer with the mean of K looks, their places drawn from the policy's Gaussian; the glimpses told are the first look's."`
	RandomSeed uint64      `placeholder:"N" help:"The draws of --samples follow from it (default 0)."`
	Top        int         `default:"5" help:"How many of the most probable classes to tell."`
	JSON       bool        `help:"Print one JSON object for each picture, one to a line. Probabilities, weights and sigmas (standard deviations of the policy) are fractions; places run from -1 (left, top) to 1."`
}

// prediction is the answer for one picture.
type prediction struct {
	File string `json:"file"`
	answer.Answer
}

// Run answers for every picture it can read. Each of the others costs a sentence and the
// exit code, but not the answers for the rest.
func (p *predictCommand) Run(c *console) error {
	if p.Top < 1 {
		return fmt.Errorf("--top is %d; want at least 1", p.Top)
	}
	if err := checkSamples(p.Samples, p.Fast); err != nil {
		return err
	}
	net, err := openNetwork(p.Weights, p.Dataset)
	if err != nil {
		return err
	}
	classify, err := p.classify(net)
	if err != nil {
		return err
	}
	input := make([]float32, core.ImageLen)
	show, clear := c.progress()
	defer clear()
	start := time.Now()
	quiet := isTerminal(c.out) // there the answers themselves show how far it is

	// The newest failure is told last, by the caller.
	var failure error
	fail := func(err error) error {
		if failure != nil {
			clear()
			c.complain(failure)
		}
		failure = err
		return err
	}
	for i, file := range p.Images {
		if !quiet && time.Since(start) > patience {
			show("pictures", i, len(p.Images))
		}
		picture, err := readPictureUntil(c, file, net.meta.Gray)
		if c.Err() != nil {
			return fail(fmt.Errorf("interrupted before %s", file))
		} else if err != nil {
			fail(err)
			continue
		}
		pixels.ToFloat(input, picture)
		result := classify(input)
		found, ok := answer.New(result, net.meta.Labels, p.Top)
		if !ok {
			return fail(fmt.Errorf("the network's answer for %s is not a number; the weights in %s are damaged or not trained, so try others", file, net.source))
		}
		if err := p.print(c, &prediction{file, found}); err != nil {
			return fail(err)
		}
	}
	return failure
}

// classify returns what looks at one picture, as the flags say.
func (p *predictCommand) classify(net *network) (func(picture []float32) *core.Result, error) {
	noise, err := net.policy("predict")
	if err != nil {
		return nil, err
	}
	classifier := core.NewClassifier(net.params)
	if p.Samples > 0 {
		// Every picture is number 0: its answer shall not depend on what else is asked.
		sampler, one := core.NewSampler(classifier, p.Samples, noise, p.RandomSeed), make([][]float32, 1)
		return func(picture []float32) *core.Result {
			one[0] = picture
			return &sampler.ClassifyBlock(one, 0)[0]
		}, nil
	}
	var options core.Options
	if p.Fast {
		if options, err = net.fast(); err != nil {
			return nil, err
		}
	}
	return func(picture []float32) *core.Result { return classifier.Classify(picture, options) }, nil
}

// patience is how long predicting may take before it shows how far it is.
const patience = 2 * time.Second

func (p *predictCommand) print(c *console, found *prediction) error {
	if p.JSON {
		return json.NewEncoder(c.out).Encode(found)
	}
	var b bytes.Buffer
	fmt.Fprintf(&b, "%s: %s, %.1f%%\n", found.File, found.Label, 100*found.Probability)
	fmt.Fprintln(&b, "  most probable")
	for _, choice := range found.Top {
		fmt.Fprintf(&b, "    %5.1f%%  %s\n", 100*choice.Probability, choice.Label)
	}
	fmt.Fprintln(&b, "  looked at (x, y from -1 to 1)")
	for i, g := range found.Glimpses {
		fmt.Fprintf(&b, "    %d  (%+.2f, %+.2f)  weight %.2f\n", i+1, g.X, g.Y, g.Weight)
	}
	_, err := c.out.Write(b.Bytes())
	return err
}
