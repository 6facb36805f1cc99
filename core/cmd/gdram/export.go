package main

import (
	"fmt"
	"strings"

	"gdram/core/checkpoint"
	"gdram/core/checkpoint/disk"
	"gdram/core/onnx"
)

type exportCommand struct {
	ONNX    string      `name:"onnx" required:"" placeholder:"FILE" help:"The .onnx file to write: eight glimpses in evaluation, operator set 16."`
	Dataset datasetName `placeholder:"NAME" help:"Which of the embedded networks to take: mnist, cifar10 or cifar100 (default ${dataset}). With --weights: what they learnt from, where the file does not say."`
	Weights string      `placeholder:"FILE" help:"Take the network in this file instead, .safetensors or .pth."`
}

func (v *exportCommand) Run(c *console) error {
	if !strings.HasSuffix(v.ONNX, ".onnx") {
		return fmt.Errorf("cannot write %s: want a name that ends in .onnx, the one format written", v.ONNX)
	}
	net, err := openNetwork(v.Weights, v.Dataset)
	if err != nil {
		return err
	}
	if _, err := net.policy("export"); err != nil {
		return err
	}
	metadata, err := disk.Metadata(net.meta, net.params.Classes)
	if err != nil {
		return err
	}
	delete(metadata, checkpoint.KeyFormat) // is about safetensors
	b := onnx.Encode(net.params, metadata)
	if err := disk.WriteFile(v.ONNX, b); err != nil {
		return err
	}
	fmt.Fprintf(c.out, "%s: image [N,3,128,128], RGB in 0..1, to logits [N,%d], locations [N,8,2] and weights [N,8]; %d bytes\n",
		v.ONNX, net.params.Classes, len(b))
	return nil
}
