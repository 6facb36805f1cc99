package main

import (
	"cmp"
	"encoding/json"
	"errors"
	"fmt"
	"math"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"gdram/core"
	"gdram/core/checkpoint/disk"
	"gdram/core/dataset"
	"gdram/core/evidence"
	"gdram/core/train"
)

type evalCommand struct {
	DataPath   string      `default:"${data_path}" placeholder:"DIR" help:"Folder with the published data files (default ${default})."`
	Dataset    datasetName `placeholder:"NAME" help:"What to measure on: mnist, cifar10 or cifar100 (default what the weights say they learnt from, else ${dataset})."`
	Split      string      `default:"test" enum:"test,valid,train,fresh,fresh-valid" placeholder:"NAME" help:"Which of its pictures: ${enum} (default ${default}). fresh is for mnist: new clutter around each of MNIST's 10,000 test digits, the same every time; fresh-valid around the 10,000 training digits that train nothing but a refit."`
	Weights    string      `placeholder:"FILE" help:"Use the network in this file, .safetensors or .pth, instead of the embedded one."`
	Fast       bool        `help:"Stop looking early: as soon as the most probable class leads by as much as the weights say is enough; or, where they say nothing, when two looks in a row weigh less than a half, as published."`
	Samples    int         `placeholder:"K" help:"Answer with the mean of K looks at each picture, their places drawn from the policy's Gaussian."`
	Looks      []string    `placeholder:"WAY[=FILE]" help:"Who chooses the places: policy, scan (the same eight in every picture) or random; several are compared, as in policy,scan=FILE,random=FILE with networks that learnt to look so (default as the weights learnt to)."`
	RandomSeed uint64      `placeholder:"N" help:"Random places and --samples follow from it (default 0)."`
	Out        string      `placeholder:"DIR" help:"Write plots and their numbers into this folder, too: confusion, accuracy against looks, calibration, early exit, where it looked. Of several ways to look, all but the second are about the first."`
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
	FastLead        float64     `json:"fast_lead,omitempty"` // where fast mode stopped; absent for the published rule
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
	Lead         float64 `json:"lead"`
	Top1         float64 `json:"top1"`
	MeanGlimpses float64 `json:"mean_glimpses"`
}

// way is a network and how it looks.
type way struct {
	net    *network
	manner train.Manner
}

func (e *evalCommand) Run(c *console) error {
	answers, err := e.evaluate(c)
	// What was measured is told even where it cannot be drawn.
	return cmp.Or(err, e.print(c, answers))
}

// evaluate measures, an answer for each way to look, and fills the folder --out.
func (e *evalCommand) evaluate(c *console) ([]evaluation, error) {
	ways, err := e.ways()
	if err != nil {
		return nil, err
	}
	name := cmp.Or(string(e.Dataset), ways[0].net.meta.Dataset, defaultDataset)
	if _, _, err := dataset.Labels(name); err != nil {
		return nil, fmt.Errorf("the weights in %s say that they learnt from %q; name with --dataset what to measure them on", ways[0].net.source, name)
	}
	set, err := e.open(c, name, ways)
	if err != nil {
		return nil, err
	}
	if e.Out != "" {
		if err := os.MkdirAll(e.Out, 0o755); err != nil {
			return nil, fmt.Errorf("cannot make the folder for the plots: %w", err)
		}
	}
	var answers []evaluation
	var results []*train.Evaluation
	for _, w := range ways {
		answer, result, err := e.measure(c, name, set, w)
		if err != nil {
			return nil, err
		}
		answers, results = append(answers, answer), append(results, result)
	}
	if e.Out != "" {
		err = e.write(ways, answers, results, set)
	}
	return answers, err
}

// write fills the folder of plots.
func (e *evalCommand) write(ways []way, answers []evaluation, results []*train.Evaluation, set dataset.Set) error {
	net, first := ways[0].net, answers[0]
	fast, err := net.fast()
	if err != nil {
		return err
	}
	data := fmt.Sprintf("%s %s, %d pictures", first.Dataset, first.Split, first.Images)
	if e.Samples > 0 {
		data += fmt.Sprintf(", %d samples each", e.Samples)
	}
	about := evidence.About{Data: data, Labels: net.meta.Labels}
	if first.Looks != train.Policy {
		about.Data += fmt.Sprintf(", %s looks", first.Looks)
	}
	if !fast.Fast {
		about.Fast = &disk.Fast{Lead: round(fast.Lead)}
	}
	if err := evidence.Write(e.Out, about, results[0], set); err != nil {
		return err
	}
	var lines []evidence.Line
	for i, a := range answers {
		lines = append(lines, evidence.Line{Name: string(a.Looks), After: results[i].Metrics().After})
	}
	if err := evidence.Glimpses(e.Out, data, lines); err != nil {
		return err
	}
	b, err := json.MarshalIndent(answers, "", "  ")
	if err != nil {
		return err
	}
	return disk.WriteFile(filepath.Join(e.Out, "evaluation.json"), append(b, '\n'))
}

// ways reads the networks, and decides how they look.
func (e *evalCommand) ways() ([]way, error) {
	if err := checkSamples(e.Samples, e.Fast); err != nil {
		return nil, err
	}
	if e.Out != "" && e.Fast {
		return nil, errors.New("--out wants full looks, and draws what stopping early gives; leave --fast out")
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
		if given && file == "" {
			return nil, fmt.Errorf("--looks has %q; want a file of weights after the =, or no =", a)
		} else if !given {
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
		manner := train.Manner{Looks: looks, Samples: e.Samples, Noise: noise, Seed: e.RandomSeed}
		if e.Samples > 0 && looks != train.Policy {
			return nil, fmt.Errorf("--samples draws from the policy's Gaussian, and %s looks have none; leave one of them out", looks)
		}
		stop, err := net.fast()
		if err != nil && (e.Fast || e.Out != "") { // the plots show it
			return nil, err
		}
		if e.Fast {
			manner.Stop = stop
		}
		ways = append(ways, way{net, manner})
	}
	return ways, nil
}

// open returns the pictures, which all networks must fit.
func (e *evalCommand) open(c *console, name string, ways []way) (dataset.Set, error) {
	for _, w := range ways {
		if err := w.net.learntFrom(name); err != nil {
			return nil, err
		}
	}
	refitted := slices.ContainsFunc(ways, func(w way) bool { return w.net.refitted() })
	if refitted && strings.HasSuffix(e.Split, "valid") {
		fmt.Fprintln(c.err, "The network has learnt from the validation pictures, too, so what it makes of them says little; --split test has new ones.")
	}
	fresh := map[string]func(string) (dataset.Set, error){"fresh": dataset.FreshTest, "fresh-valid": dataset.FreshValid}[e.Split]
	if fresh != nil {
		if name != "mnist" {
			return nil, fmt.Errorf("--split %s is cluttered digits, made from MNIST's plain ones; %s has test, valid and train", e.Split, name)
		}
		set, err := fresh(e.DataPath)
		if err == nil && set.Len() == 0 {
			err = fmt.Errorf("MNIST's training file in %s holds only digits that train; take the whole file, of 60,000", e.DataPath)
		}
		return set, err
	}
	data, err := dataset.Open(name, e.DataPath)
	if err != nil {
		return nil, err
	}
	return map[string]dataset.Set{"train": data.Train, "valid": data.Valid, "test": data.Test}[e.Split], nil
}

func (e *evalCommand) measure(c *console, name string, set dataset.Set, w way) (evaluation, *train.Evaluation, error) {
	show, clear := c.progress()
	start := time.Now()
	result, err := train.Evaluate(c, core.NewClassifier(w.net.params), set, w.manner, 0,
		func(done, total int) { show(name+" "+e.Split, done, total) })
	clear()
	if c.Err() != nil {
		return evaluation{}, nil, fmt.Errorf("interrupted before the last of the %d pictures, so there is no result", set.Len())
	} else if err != nil {
		return evaluation{}, nil, err
	}
	metrics := result.Metrics()
	answer := evaluation{
		Dataset: name, Split: e.Split, Images: metrics.Images,
		Top1: metrics.Top1, Top5: metrics.Top5, MeanGlimpses: metrics.MeanGlimpses,
		Fast: e.Fast, FastLead: round(w.manner.Stop.Lead), Samples: e.Samples, Looks: w.manner.Looks,
		ECE: metrics.ECE, Weights: w.net.source, SHA256: w.net.sha256,
		ImagesPerSecond: math.Round(float64(metrics.Images) / time.Since(start).Seconds()),
	}
	if !e.Fast { // otherwise only those pictures come to later looks that earlier ones left open
		answer.After = metrics.After[:]
	}
	// Pictures that the network learnt from and other splits must not choose, and neither must looks that are cut short, many
	// or nobody's choice.
	if strings.HasSuffix(e.Split, "valid") && !w.net.refitted() && !e.Fast && e.Samples == 0 && w.manner.Looks == train.Policy && metrics.Fast.Lead > 0 {
		answer.Choice = &exit{metrics.Fast.Lead, metrics.Fast.Top1, metrics.Fast.Glimpses}
	}
	return answer, result, nil
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
			fmt.Fprintf(c.out, "  stopping when sure: %.2f%% right after %.2f looks on average; to have that in fast mode: gdram convert IN OUT --fast %.3g\n",
				100*a.Choice.Top1, a.Choice.MeanGlimpses, a.Choice.Lead)
		}
		fmt.Fprintf(c.out, "weights %s (sha256 %s), %.0f pictures a second\n", a.Weights, a.SHA256, a.ImagesPerSecond)
	}
	return nil
}

// round takes off what a float32 adds to a probability of few digits.
func round(v float32) float64 { return math.Round(1e6*float64(v)) / 1e6 }
