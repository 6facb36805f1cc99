package main

import (
	"fmt"
	"runtime"
	"sync"
	"sync/atomic"
	"time"

	"gdram/core"
)

func race(weights, pictures string, threads int) error {
	runtime.GOMAXPROCS(threads)
	params, images, err := open(weights, pictures)
	if err != nil {
		return err
	}
	crew := []*core.Classifier{core.NewClassifier(params)}
	for len(crew) < threads {
		crew = append(crew, crew[0].Share())
	}
	return eachLine(3, func(n []int) string {
		batch := make([][]float32, n[0])
		for i := range batch {
			batch[i] = images[i%len(images)]
		}
		start := time.Now()
		for range n[2] {
			classify(crew, batch, core.Options{MaxGlimpses: n[1]})
		}
		return fmt.Sprintf("%.6f", milliseconds(start, n[2]))
	})
}

// milliseconds since start, of one of so many times.
func milliseconds(start time.Time, times int) float64 {
	return float64(time.Since(start).Nanoseconds()) / 1e6 / float64(times)
}

// classify has the crew take blocks of the batch until none is left.
func classify(crew []*core.Classifier, batch [][]float32, options core.Options) {
	var next atomic.Int64
	take := func(c *core.Classifier) {
		for {
			from := int(next.Add(core.BlockSize)) - core.BlockSize
			if from >= len(batch) {
				return
			}
			c.ClassifyBlock(batch[from:min(from+core.BlockSize, len(batch))], options)
		}
	}
	var done sync.WaitGroup
	for _, c := range crew[1:min(len(crew), (len(batch)+core.BlockSize-1)/core.BlockSize)] {
		done.Go(func() { take(c) })
	}
	take(crew[0])
	done.Wait()
}
