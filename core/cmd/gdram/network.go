package main

import (
	"cmp"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"

	"gdram/core"
	"gdram/core/checkpoint"
	"gdram/core/checkpoint/disk"
	"gdram/core/checkpoint/pytorch"
	"gdram/core/dataset"
	"gdram/core/train"
	"gdram/weights"
)

const embedded = "embedded"

// network is weights together with where they came from.
type network struct {
	params *core.Params
	meta   checkpoint.Meta
	source string // the file's name, or embedded
	sha256 string // of the file, in hexadecimal
}

// openNetwork reads the weights in file or, where that is empty, those that the program
// carries for the data set.
func openNetwork(file string, name datasetName) (*network, error) {
	if file == "" {
		name := cmp.Or(string(name), defaultDataset)
		b, err := weights.Read(name)
		if err != nil {
			return nil, fmt.Errorf("%w with --weights", err)
		}
		net, err := decode(b, embedded)
		if err != nil {
			return nil, fmt.Errorf("the embedded weights for %s: %w", name, err)
		}
		return net, nil
	}
	net, err := readWeights(file)
	if err == nil && name != "" {
		err = net.learntFrom(string(name))
	}
	return net, err
}

// learntFrom adds what a data set named on the command line tells of the network, where its
// file does not: those that others wrote say nothing.
func (n *network) learntFrom(name string) error {
	labels, gray, err := dataset.Labels(name)
	if err != nil {
		return err
	}
	if n.params.Classes != len(labels) {
		return fmt.Errorf("the weights in %s tell %d classes apart and %s has %d; name the data set they learnt from",
			n.source, n.params.Classes, name, len(labels))
	}
	said := n.meta.Dataset
	if _, _, err := dataset.Labels(said); err == nil && said != name {
		return fmt.Errorf("the weights in %s learnt from %s, not from %s; leave --dataset out, or choose other weights", n.source, said, name)
	}
	n.meta.Dataset, n.meta.Gray = name, n.meta.Gray || gray
	if len(n.meta.Labels) == 0 {
		n.meta.Labels = labels
	}
	return nil
}

// readWeights reads safetensors or what PyTorch saved.
func readWeights(file string) (*network, error) {
	switch info, err := os.Stat(file); {
	case errors.Is(err, fs.ErrNotExist):
		return nil, fmt.Errorf("there is no file of weights %s; check its name and folder", file)
	case err != nil:
		return nil, fmt.Errorf("cannot read weights: %w; choose a file that can be read", err)
	case info.IsDir():
		return nil, fmt.Errorf("%s is a folder; name the file of weights in it, as %s", file, filepath.Join(file, train.BestFile))
	}
	b, err := disk.ReadFile(file)
	if err != nil {
		return nil, err
	}
	net, err := decode(b, file)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", file, err)
	}
	return net, nil
}

// refitted reports whether the validation pictures are among those that it learnt from.
func (n *network) refitted() bool { return n.meta.Extra[train.KeyRefit] != "" }

// checkSamples says what is wrong with --samples, if anything. More than that take seconds a picture for what nobody can tell.
func checkSamples(samples int, fast bool) error {
	const most = 10_000
	switch {
	case samples < 0 || samples > most:
		return fmt.Errorf("--samples is %d; want from 1 to %d", samples, most)
	case samples > 0 && fast:
		return errors.New("--samples averages full looks; leave --fast out")
	}
	return nil
}

// decode makes a network of a file's bytes. What is in it says of which kind it is; the name does where that says nothing.
func decode(b []byte, source string) (net *network, err error) {
	sum := sha256.Sum256(b)
	net = &network{source: source, sha256: hex.EncodeToString(sum[:])}
	if checkpoint.IsPyTorch(b) || isPyTorch(source) {
		net.params, err = pytorch.Decode(b)
	} else {
		net.params, net.meta, err = checkpoint.Decode(b)
	}
	return net, err
}

// isPyTorch reports whether a file has a name as PyTorch's have.
func isPyTorch(file string) bool {
	switch strings.ToLower(filepath.Ext(file)) {
	case ".pth", ".pt":
		return true
	}
	return false
}

// policy returns how wide the network's policy looked when it learnt last, and refuses, for a command, networks
// that learnt without one.
func (n *network) policy(command string) (noise float32, err error) {
	looks, noise := train.Taught(n.meta.Extra[train.KeyRecipe])
	if looks != train.Policy {
		return 0, fmt.Errorf("the weights in %s learnt with %s looks, to be compared with others by gdram eval; %s needs a policy, so choose other weights",
			n.source, looks, command)
	}
	return noise, nil
}

// fast returns where the weights say that fast mode stops.
func (n *network) fast() (options core.Options, err error) {
	fast, err := disk.ReadFast(n.meta)
	if err != nil {
		return options, fmt.Errorf("the weights in %s: %w; choose other weights, or note another with gdram convert", n.source, err)
	}
	return fast.Options(), nil
}
