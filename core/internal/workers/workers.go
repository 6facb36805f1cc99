// Package workers runs a fixed list of tasks on a few goroutines.
//
// What a task computes never depends on who runs it: callers cut their work by its shape, never
// by the number of workers, and no two tasks write the same memory. So results are the same bits
// whatever GOMAXPROCS is.
package workers

import (
	"runtime"
	"sync"
	"sync/atomic"
)

// Pool is a caller and its helpers. It is not safe for concurrent use.
type Pool struct {
	workers int
	start   []chan struct{}
	done    sync.WaitGroup
	next    atomic.Int64
	tasks   int
	run     func(task, worker int)
}

// New starts a pool of n workers, the caller of Run being one of them; n of 0 or less stands
// for GOMAXPROCS.
func New(n int) *Pool {
	if n <= 0 {
		n = runtime.GOMAXPROCS(0)
	}
	p := &Pool{workers: n}
	for worker := 1; worker < n; worker++ {
		start := make(chan struct{})
		p.start = append(p.start, start)
		go func() {
			for range start {
				p.work(worker)
				p.done.Done()
			}
		}()
	}
	return p
}

// Workers is how many run at once; worker numbers passed to tasks lie below it.
func (p *Pool) Workers() int { return p.workers }

// Run calls run(task, worker) for every task below tasks and returns when all are done. It
// allocates nothing if run was made beforehand.
func (p *Pool) Run(tasks int, run func(task, worker int)) {
	p.tasks, p.run = tasks, run
	p.next.Store(0)
	helpers := min(len(p.start), tasks-1)
	if helpers > 0 {
		p.done.Add(helpers)
		for _, start := range p.start[:helpers] {
			start <- struct{}{}
		}
	}
	p.work(0)
	p.done.Wait()
}

func (p *Pool) work(worker int) {
	for {
		task := int(p.next.Add(1)) - 1
		if task >= p.tasks {
			return
		}
		p.run(task, worker)
	}
}

// Close ends the helpers.
func (p *Pool) Close() {
	for _, start := range p.start {
		close(start)
	}
	p.start = nil
}
