// Command formula writes the weights of the golden files, so that other engines can be held against them
// too:
//
//	go run ./core/internal/golden/formula CLASSES FILE.safetensors
package main

import (
	"fmt"
	"os"
	"strconv"

	"gdram/core"
	"gdram/core/checkpoint"
	"gdram/core/checkpoint/disk"
	"gdram/core/internal/golden"
)

const seed = 1 // of the committed files

func main() {
	if err := write(os.Args[1:]); err != nil {
		fmt.Fprintln(os.Stderr, "formula:", err)
		os.Exit(1)
	}
}

func write(args []string) error {
	if len(args) != 2 {
		return fmt.Errorf("%d arguments; want the number of classes and the file to write", len(args))
	}
	classes, err := strconv.Atoi(args[0])
	if err != nil || classes < 2 {
		return fmt.Errorf("%q classes; want a number of 2 or more", args[0])
	}
	p := core.NewParams(classes)
	for name, v := range golden.Weights(classes, seed) {
		copy(p.Tensor(name), v)
	}
	return disk.Save(args[1], p, checkpoint.Meta{}, disk.F32)
}
