package main

import (
	"cmp"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"math"
	"os"
	"path/filepath"
	"strings"

	"gdram/core"
	"gdram/core/checkpoint"
	"gdram/core/dataset"
	"gdram/core/evidence"
	"gdram/core/train"
)

type trainCommand struct {
	DataPath    string      `placeholder:"DIR" help:"Folder with the published data files (default ${data_path})."`
	Dataset     datasetName `placeholder:"NAME" help:"What to learn: mnist, cifar10 or cifar100 (default ${dataset}, or what the weights that it starts from learnt from)."`
	Recipe      string      `placeholder:"NAME" help:"How to train: gdram (default) or reference, as published. gdram-scan and gdram-random are gdram without a policy, for comparison: the same eight places in every picture, or random ones."`
	BatchSize   *int        `placeholder:"N" help:"Pictures of one step (default 128)."`
	LR          *float64    `name:"lr" placeholder:"RATE" help:"Learning rate (default the recipe's own, 0.001 for reference)."`
	Epochs      *int        `placeholder:"N" help:"Times through the data (default the recipe's own)."`
	RandomSeed  *uint64     `placeholder:"N" help:"Everything random follows from it: a number above 0 (default 1)."`
	LogInterval *int        `placeholder:"N" help:"Log every so many steps (default once an epoch)."`
	Resume      bool        `help:"Continue the run in the folder --checkpoint, to the bit; or start a new run from the weights in the file --checkpoint."`
	Checkpoint  string      `placeholder:"PATH" help:"Run folder, with arguments, results, weights and all that resuming needs (default runs/DATASET); with --resume also a .safetensors or .pth file."`
	Refit       bool        `help:"Train on the validation pictures, too, once a run without it has shown what the recipe is worth: nothing judges the epochs, and the weights are the last one's."`
	Out         string      `placeholder:"DIR" help:"Run folder where --checkpoint is a file of weights (default runs/DATASET-from-FILE)."`
}

func (t *trainCommand) Run(c *console) error {
	config, err := t.config()
	if err != nil {
		return err
	}
	show, clear := c.progress()
	defer clear()
	config.Progress = func(p train.Progress) {
		show(fmt.Sprintf("epoch %d of %d, loss %.3f", p.Epoch, p.Epochs, p.Losses.Total),
			(p.Epoch-1)*p.Total+p.Done, p.Epochs*p.Total)
	}
	config.Log = slog.New(slog.NewTextHandler(after{clear, c.err}, nil))
	config.AfterEpoch = func() {
		if err := drawCurves(config.Dir); err != nil {
			config.Log.Warn("no plot of the results", "error", err)
		}
	}

	switch err := train.Run(c, config); {
	case errors.Is(err, train.ErrInterrupted):
		return fmt.Errorf("interrupted, and saved; continue with: gdram train --resume --checkpoint %s", config.Dir)
	case err != nil:
		return err
	}
	clear()
	return finish(c, config)
}

// finish draws what a run that has ended came to, on the validation pictures if they are none it learnt from, and says how
// to measure it.
func finish(c *console, config train.Config) error {
	args, err := readArgs(config.Dir)
	if err != nil {
		return err
	}
	dataPath := cmp.Or(config.DataPath, args.DataPath)
	if err := drawCurves(config.Dir); err != nil {
		return fmt.Errorf("the run has ended, but its plots cannot be drawn: %w", err)
	}
	measure := func(weights string) string {
		said := "measure them with: gdram eval --dataset " + args.Dataset
		if dataPath != defaultDataPath {
			said += " --data-path " + dataPath
		}
		return said + " --split test --weights " + weights
	}
	if args.Refit {
		last := filepath.Join(config.Dir, train.LastFile)
		fmt.Fprintln(c.out, last+" holds the last weights; "+measure(last))
		if args.Lead == 0 {
			fmt.Fprintln(c.out, "They say nothing of fast mode; give them the lead that the run before chose: gdram convert "+last+" OUT --fast LEAD")
		}
		return nil
	}
	best, split := filepath.Join(config.Dir, train.BestFile), "valid"
	if train.FreshlyValidated(args.Recipe, args.Dataset, dataPath) {
		split = "fresh-valid"
	}
	valid := evalCommand{Dataset: datasetName(args.Dataset), DataPath: dataPath, Split: split, Weights: best, Out: config.Dir}
	if _, err := valid.evaluate(c); err != nil {
		return fmt.Errorf("the run has ended, but its plots cannot be drawn: %w", err)
	}
	fmt.Fprintln(c.out, best+" holds the weights that did best on the validation pictures; "+measure(best))
	return nil
}

// readArgs returns what a run was asked for: a run that was resumed knows better than the command line.
func readArgs(dir string) (args train.Config, err error) {
	path := filepath.Join(dir, train.ArgsFile)
	b, err := os.ReadFile(path)
	if err != nil {
		return args, fmt.Errorf("cannot read what the run was asked for: %w", err)
	}
	if err := json.Unmarshal(b, &args); err != nil {
		return args, fmt.Errorf("%s does not say what the run was asked for (%v)", path, err)
	}
	return args, nil
}

func drawCurves(dir string) error {
	args, err := readArgs(dir)
	if err != nil {
		return err
	}
	return evidence.Curves(dir, args.Dataset)
}

// config says what the flags ask for. A run that is resumed knows its own arguments, so there
// what was not given stays zero.
func (t *trainCommand) config() (train.Config, error) {
	config := train.Config{
		Dataset: string(t.Dataset), DataPath: t.DataPath, Recipe: t.Recipe, Refit: t.Refit,
		Dir: t.Checkpoint,
	}
	if err := cmp.Or(
		positive("--batch-size", t.BatchSize, &config.BatchSize),
		positive("--lr", t.LR, &config.LR),
		positive("--epochs", t.Epochs, &config.Epochs),
		positive("--log-interval", t.LogInterval, &config.LogInterval),
		positive("--random-seed", t.RandomSeed, &config.Seed),
	); err != nil {
		return config, err
	}
	weights := isWeights(t.Checkpoint)
	if weights && !t.Resume {
		return config, fmt.Errorf("--checkpoint %s is a file of weights; add --resume to start from them, or name a folder for the run", t.Checkpoint)
	}
	if t.Out != "" && !weights {
		return config, errors.New("--out names the run folder where --checkpoint is a file of weights; without one, name the folder with --checkpoint")
	}
	if weights {
		net, err := readWeights(t.Checkpoint)
		if err != nil {
			return config, err
		}
		config.Load = func(string) (*core.Params, checkpoint.Meta, error) { return net.params, net.meta, nil }
		if _, _, err := dataset.Labels(net.meta.Dataset); err == nil {
			config.Dataset = cmp.Or(config.Dataset, net.meta.Dataset)
		}
	}
	if config.Dataset == "" && (!t.Resume || weights || t.Checkpoint == "") {
		config.Dataset = defaultDataset
	}
	config.Resume = t.Resume && !weights
	switch {
	case weights:
		name := filepath.Base(t.Checkpoint)
		config.Start = t.Checkpoint
		config.Dir = cmp.Or(t.Out, filepath.Join("runs", config.Dataset+"-from-"+strings.TrimSuffix(name, filepath.Ext(name))))
	case t.Checkpoint == "":
		config.Dir = filepath.Join("runs", config.Dataset)
	}
	if !config.Resume {
		if _, err := os.Stat(filepath.Join(config.Dir, train.StateFile)); err == nil {
			flag := "--checkpoint"
			if weights {
				flag = "--out"
			}
			return config, fmt.Errorf("%s holds a run already; go on with: gdram train --resume --checkpoint %s, or choose another folder with %s", config.Dir, config.Dir, flag)
		}
		if t.DataPath == "" {
			config.DataPath = defaultDataPath
		}
		if t.RandomSeed == nil {
			config.Seed = 1
		}
	}
	return config, nil
}

// positive copies the number of a flag that was given, which must be above 0.
func positive[N int | uint64 | float64](flag string, given, to *N) error {
	switch {
	case given == nil:
	case !(*given > 0) || math.IsInf(float64(*given), 1):
		return fmt.Errorf("%s is %v; want a number above 0", flag, *given)
	default:
		*to = *given
	}
	return nil
}

// isWeights reports whether path names a file of weights and not a run folder.
func isWeights(path string) bool {
	if info, err := os.Stat(path); err == nil {
		return !info.IsDir()
	}
	return isPyTorch(path) || filepath.Ext(path) == ".safetensors"
}
