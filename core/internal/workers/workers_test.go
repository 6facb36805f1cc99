package workers

import (
	"sync/atomic"
	"testing"

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

func TestRunAllocatesNothing(t *testing.T) {
	p := New(3)
	defer p.Close()
	var sum atomic.Int64
	run := func(task, worker int) { sum.Add(int64(task)) }
	assert.Zero(t, testing.AllocsPerRun(100, func() { p.Run(10, run) }))
}
