package main

import (
	"bytes"
	"errors"
	"fmt"
	"image"
	"image/png"
	"io/fs"
	"os"
	"path/filepath"

	"gdram/core/checkpoint/disk"
	"gdram/core/dataset"
	"gdram/core/pixels"
)

type dataCommand struct {
	Download downloadCommand `cmd:"" help:"Download a data set from where it is published."`
	Check    checkCommand    `cmd:"" help:"Read data sets to the end and say what is in them."`
	Clutter  clutterCommand  `cmd:"" help:"Make cluttered digits from MNIST as picture files."`
}

type checkCommand struct {
	Datasets []string `arg:"" optional:"" name:"dataset" help:"mnist, cifar10 or cifar100; all three if none is named."`
	DataPath string   `default:"${data_path}" placeholder:"DIR" help:"Folder with the published data files (default ${default})."`
}

// Run reports on every data set it is asked for, whatever is wrong with one of them.
func (k *checkCommand) Run(c *console) error {
	names := k.Datasets
	if len(names) == 0 {
		names = []string{"mnist", "cifar10", "cifar100"}
	}
	var failure error
	for _, name := range names {
		if err := check(c, name, k.DataPath); err != nil {
			if failure != nil {
				c.complain(failure)
			}
			failure = err
		}
	}
	return failure
}

// check reads a data set to its end and says what is in it.
func check(c *console, name, dataPath string) error {
	data, err := dataset.Open(name, dataPath)
	if err != nil {
		return err
	}
	fmt.Fprintf(c.out, "%s: %d classes; %d pictures to train, %d to validate, %d to test\n",
		name, data.Classes, data.Train.Len(), data.Valid.Len(), data.Test.Len())
	if name != "mnist" {
		return nil
	}
	// Plain digits are optional, but then whole.
	switch digits, err := dataset.OpenDigits(dataPath); {
	case err == nil:
		fmt.Fprintf(c.out, "mnist: %d plain digits to train on in fresh clutter\n", digits.Len())
	case !errors.Is(err, fs.ErrNotExist):
		return err
	}
	switch digits, err := dataset.FreshTest(dataPath); {
	case err == nil:
		fmt.Fprintf(c.out, "mnist: %d plain digits to test on in fresh clutter\n", digits.Len())
	case !errors.Is(err, fs.ErrNotExist):
		return err
	}
	return nil
}

type clutterCommand struct {
	MNIST      string `name:"mnist" default:"${data_path}" placeholder:"DIR" help:"Folder with MNIST's training images and labels (default ${default})."`
	Out        string `required:"" placeholder:"DIR" help:"Folder for the pictures, DIGIT-NUMBER.png."`
	Count      int    `default:"10" placeholder:"N" help:"How many to make (default ${default})."`
	RandomSeed uint64 `default:"1" placeholder:"N" help:"Which to make (default ${default})."`
}

func (k *clutterCommand) Run(c *console) error {
	if k.Count < 1 {
		return fmt.Errorf("--count is %d; want at least 1", k.Count)
	}
	digits, err := dataset.OpenDigits(k.MNIST)
	if err != nil {
		return err
	}
	if err := os.MkdirAll(k.Out, 0o755); err != nil {
		return fmt.Errorf("cannot make the folder for the pictures: %w", err)
	}
	set := dataset.FreshClutter(digits, k.RandomSeed, k.Count)
	rgb := make([]uint8, pixels.Len)
	picture := image.NewGray(image.Rect(0, 0, pixels.Size, pixels.Size))
	for i := range k.Count {
		if c.Err() != nil {
			return fmt.Errorf("interrupted after %d of %d pictures", i, k.Count)
		}
		set.Fill(rgb, i, 0)
		for p := range picture.Pix {
			picture.Pix[p] = rgb[3*p]
		}
		var b bytes.Buffer
		if err := png.Encode(&b, picture); err != nil {
			return err
		}
		name := fmt.Sprintf("%d-%d.png", set.Label(i), i)
		if err := disk.WriteFile(filepath.Join(k.Out, name), b.Bytes()); err != nil {
			return err
		}
	}
	fmt.Fprintf(c.out, "%s: %d pictures\n", k.Out, k.Count)
	return nil
}
