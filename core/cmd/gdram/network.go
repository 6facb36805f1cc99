package main

import (
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strconv"
	"strings"

	"gdram/core"
	"gdram/core/checkpoint"
	"gdram/core/checkpoint/disk"
	"gdram/core/checkpoint/pytorch"
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
func openNetwork(file, dataset string) (*network, error) {
	if file == "" {
		b, err := weights.Read(dataset)
		if err != nil {
			return nil, fmt.Errorf("%w with --weights", err)
		}
		params, meta, err := checkpoint.Decode(b)
		if err != nil {
			return nil, fmt.Errorf("the embedded weights for %s: %w", dataset, err)
		}
		sum := sha256.Sum256(b)
		return &network{params, meta, embedded, hex.EncodeToString(sum[:])}, nil
	}
	params, meta, err := readWeights(file)
	if err != nil {
		return nil, err
	}
	sum, err := fileSum(file)
	if err != nil {
		return nil, err
	}
	if meta.Dataset == "" && dataset == "mnist" {
		meta.Gray = true // files that others wrote do not say so
	}
	return &network{params, meta, file, sum}, nil
}

// readWeights reads safetensors or, going by the name, what PyTorch saved.
func readWeights(file string) (*core.Params, checkpoint.Meta, error) {
	if isPyTorch(file) {
		params, err := pytorch.Import(file)
		return params, checkpoint.Meta{}, err
	}
	return disk.Load(file)
}

func isPyTorch(file string) bool {
	switch strings.ToLower(filepath.Ext(file)) {
	case ".pth", ".pt":
		return true
	}
	return false
}

func fileSum(path string) (string, error) {
	f, err := os.Open(path)
	if err != nil {
		return "", err
	}
	defer f.Close()
	h := sha256.New()
	if _, err := io.Copy(h, f); err != nil {
		return "", fmt.Errorf("cannot read %s: %w", path, err)
	}
	return hex.EncodeToString(h.Sum(nil)), nil
}

// label names a class; by its number where the weights do not say more.
func (n *network) label(class int) string {
	if class < len(n.meta.Labels) {
		return n.meta.Labels[class]
	}
	return strconv.Itoa(class)
}
