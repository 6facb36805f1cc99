package main

import (
	"fmt"
	"runtime"
	"time"

	"gdram/core"
	"gdram/core/train"
)

// teach takes the published training step on a batch of all pictures, with noise [Steps+1][pictures][2].
// Picture i is of class i modulo the classes.
func teach(weights, pictures, noise string, threads int) error {
	runtime.GOMAXPROCS(threads)
	params, images, err := open(weights, pictures)
	if err != nil {
		return err
	}
	numbers, err := readNumbers(noise, (core.Steps+1)*len(images)*2)
	if err != nil {
		return err
	}
	batch := core.Batch{Images: images, NoiseScale: 1}
	for i := range (core.Steps + 1) * len(images) {
		batch.Noise = append(batch.Noise, [2]float32{numbers[2*i], numbers[2*i+1]})
	}
	labels := make([]int, len(images))
	for i := range labels {
		labels[i] = i % params.Classes
	}
	rehearsal := train.NewRehearsal(params, &batch, labels, threads)
	defer rehearsal.Close()
	return eachLine(1, func(n []int) string {
		start := time.Now()
		var losses train.Losses
		for range n[0] {
			losses = rehearsal.Step()
		}
		return fmt.Sprintf("%.6f %.9g", milliseconds(start, n[0]), losses.Total)
	})
}
