package workers

import (
	"sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
)

func TestRunDoesEveryTaskOnce(t *testing.T) {
	for _, workers := range []int{1, 2, 5} {
		p := New(workers)
		for _, tasks := range []int{0, 1, 2, 7, 100} {
			counts := make([]atomic.Int32, tasks)
			p.Run(tasks, func(task, worker int) {
				counts[task].Add(1)
				assert.Less(t, worker, workers)
			})
			for i := range counts {
				assert.EqualValues(t, 1, counts[i].Load(), "task %d of %d on %d workers", i, tasks, workers)
			}
		}
		p.Close()
	}
}

// TestRunWakesHelpers lets helpers fall asleep before some rounds, and the caller within some.
func TestRunWakesHelpers(t *testing.T) {
	p := New(3)
	defer p.Close()
	for round := range 200 {
		if round%3 == 0 {
			time.Sleep(time.Millisecond)
		}
		var done atomic.Int32
		p.Run(5, func(task, worker int) {
			if worker > 0 && round%2 == 0 {
				time.Sleep(time.Millisecond)
			}
			done.Add(1)
		})
		assert.EqualValues(t, 5, done.Load())
	}
}

func TestRunAllocatesNothing(t *testing.T) {
	p := New(3)
	defer p.Close()
	var sum atomic.Int64
	run := func(task, worker int) { sum.Add(int64(task)) }
	assert.Zero(t, testing.AllocsPerRun(100, func() { p.Run(10, run) }))
}
