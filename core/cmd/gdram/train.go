package main

import (
	"errors"
	"fmt"
	"log/slog"
	"os"
	"path/filepath"
	"strings"

	"gdram/core"
	"gdram/core/train"
)

type trainCommand struct {
	DataPath    string  `placeholder:"DIR" help:"Folder with the published data files (default ${data_path})."`
	Dataset     string  `default:"" enum:",mnist,cifar10,cifar100" placeholder:"NAME" help:"What to learn: mnist, cifar10 or cifar100 (default ${dataset})."`
	Recipe      string  `default:"" enum:",gdram,reference" placeholder:"NAME" help:"How to train: gdram (default) or reference, as published."`
	BatchSize   int     `placeholder:"N" help:"Pictures of one step (default 128)."`
	LR          float64 `name:"lr" placeholder:"RATE" help:"Learning rate (default the recipe's own, 0.001 for reference)."`
	Epochs      int     `placeholder:"N" help:"Times through the data (default the recipe's own)."`
	RandomSeed  *uint64 `placeholder:"N" help:"Everything random follows from it (default 1)."`
	LogInterval int     `placeholder:"N" help:"Log every so many steps (default once an epoch)."`
	Resume      bool    `help:"Continue the run in the folder --checkpoint, to the bit; or start a new run from the weights in the file --checkpoint."`
	Checkpoint  string  `placeholder:"PATH" help:"Run folder, with arguments, results, weights and all that resuming needs (default runs/DATASET); with --resume also a .safetensors or .pth file."`
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

	switch err := train.Run(c, config); {
	case errors.Is(err, train.ErrInterrupted):
		return fmt.Errorf("interrupted, and saved; continue with: gdram train --resume --checkpoint %s", config.Dir)
	case err != nil:
		return err
	}
	clear()
	best := filepath.Join(config.Dir, train.BestFile)
	fmt.Fprintf(c.out, "%s holds the weights that did best on the validation pictures; measure them with: gdram eval --dataset %s --split test --weights %s\n",
		best, config.Dataset, best)
	return nil
}

// config says what the flags ask for. A run that is resumed knows its own arguments, so there
// what was not given stays zero.
func (t *trainCommand) config() (train.Config, error) {
	for _, number := range []struct {
		flag  string
		value float64
	}{{"--batch-size", float64(t.BatchSize)}, {"--lr", t.LR}, {"--epochs", float64(t.Epochs)}, {"--log-interval", float64(t.LogInterval)}} {
		if !(number.value >= 0) {
			return train.Config{}, fmt.Errorf("%s is %g; want a number above 0", number.flag, number.value)
		}
	}
	config := train.Config{
		Dataset: t.Dataset, DataPath: t.DataPath, Recipe: t.Recipe,
		BatchSize: t.BatchSize, LR: t.LR, Epochs: t.Epochs, LogInterval: t.LogInterval,
		Dir: t.Checkpoint,
		Load: func(path string) (*core.Params, error) {
			params, _, err := readWeights(path)
			return params, err
		},
	}
	if t.RandomSeed != nil {
		config.Seed = *t.RandomSeed
	}
	weights := isWeights(t.Checkpoint)
	if weights && !t.Resume {
		return config, fmt.Errorf("--checkpoint %s is a file of weights; add --resume to start from them, or name a folder for the run", t.Checkpoint)
	}
	if t.Dataset == "" && (!t.Resume || weights || t.Checkpoint == "") {
		config.Dataset = defaultDataset
	}
	config.Resume = t.Resume && !weights
	switch {
	case weights:
		name := filepath.Base(t.Checkpoint)
		config.Start = t.Checkpoint
		config.Dir = filepath.Join("runs", config.Dataset+"-from-"+strings.TrimSuffix(name, filepath.Ext(name)))
	case t.Checkpoint == "":
		config.Dir = filepath.Join("runs", config.Dataset)
	}
	if !config.Resume {
		if t.DataPath == "" {
			config.DataPath = defaultDataPath
		}
		if t.RandomSeed == nil {
			config.Seed = 1
		}
	}
	return config, nil
}

// isWeights reports whether path names a file of weights and not a run folder.
func isWeights(path string) bool {
	if info, err := os.Stat(path); err == nil {
		return !info.IsDir()
	}
	return isPyTorch(path) || filepath.Ext(path) == ".safetensors"
}
