package main

import (
	"fmt"
	"os"
	"strconv"
	"strings"

	"gdram/core/checkpoint/disk"
)

type convertCommand struct {
	In      string      `arg:"" help:"Weights: .pth or .pt as PyTorch saves them, or .safetensors."`
	Out     string      `arg:"" help:"The .safetensors file to write."`
	DType   string      `name:"dtype" default:"f32" enum:"f32,f16" help:"Type of the numbers: f32 keeps every bit, f16 takes half the space."`
	Dataset datasetName `placeholder:"NAME" help:"Note in the file which data set the network knows (mnist, cifar10, cifar100), with its labels and how pictures are prepared. Weights from PyTorch do not say."`
	Fast    string      `placeholder:"LEAD" help:"Note in the file that fast mode stops once the most probable class leads the next by LEAD, a probability, after the first look, and by evenly less after each more; gdram eval --split valid says which to take."`
}

func (v *convertCommand) Run(c *console) error {
	if !strings.HasSuffix(v.Out, ".safetensors") {
		return fmt.Errorf("cannot write %s: want a name that ends in .safetensors, the one format written", v.Out)
	}
	net, err := readWeights(v.In)
	if err != nil {
		return err
	}
	if v.Dataset != "" {
		if err := net.learntFrom(string(v.Dataset)); err != nil {
			return err
		}
	}
	if v.Fast != "" {
		lead, err := strconv.ParseFloat(v.Fast, 64)
		fast := disk.Fast{Lead: lead}
		if err != nil || !fast.Valid() {
			return fmt.Errorf("--fast is %q; want a probability above 0, up to 1, as in 0.5", v.Fast)
		}
		fast.Note(&net.meta)
	}
	dtype := disk.DType(strings.ToUpper(v.DType))
	if err := disk.Save(v.Out, net.params, net.meta, dtype); err != nil {
		return err
	}
	info, err := os.Stat(v.Out)
	if err != nil {
		return err
	}
	fmt.Fprintf(c.out, "%s: %d tensors as %s, %d classes, %d bytes\n", v.Out, len(net.params.Specs), v.DType, net.params.Classes, info.Size())
	return nil
}
