// Package workers runs a fixed list of tasks on a few goroutines.
//
// What a task computes never depends on who runs it: callers cut their work by its shape, never
// by the number of workers, and no two tasks write the same memory. So results are the same bits
// whatever GOMAXPROCS is.
package workers

import (
	"runtime"
	"sync/atomic"
)

// Pool is a caller and its helpers. It is not safe for concurrent use.
type Pool struct {
	helpers []gate // where helpers wait for the next round
	caller  gate   // where the caller waits for the helpers

	busy   atomic.Int64 // helpers that are not done with this round
	next   atomic.Int64 // task
	tasks  int
	run    func(task, worker int)
	closed bool
}

// New starts a pool of n workers, the caller of Run being one of them; n of 0 or less stands
// for GOMAXPROCS.
func New(n int) *Pool {
	if n <= 0 {
		n = runtime.GOMAXPROCS(0)
	}
	p := &Pool{helpers: make([]gate, n-1), caller: newGate()}
	for i := range p.helpers {
		p.helpers[i] = newGate()
		go p.help(i)
	}
	return p
}

// Workers is how many run at once; worker numbers passed to tasks lie below it.
func (p *Pool) Workers() int { return len(p.helpers) + 1 }

// Run calls run(task, worker) for every task below tasks and returns when all are done. It
// allocates nothing if run was made beforehand.
func (p *Pool) Run(tasks int, run func(task, worker int)) {
	p.tasks, p.run = tasks, run
	p.next.Store(0)
	helpers := max(min(len(p.helpers), tasks-1), 0)
	p.begin(helpers)
	p.work(0)
	if helpers > 0 {
		p.caller.wait()
	}
}

// begin sends some helpers into a new round.
func (p *Pool) begin(helpers int) {
	p.busy.Store(int64(helpers))
	for i := range helpers {
		p.helpers[i].open()
	}
}

func (p *Pool) help(i int) {
	for {
		p.helpers[i].wait()
		if p.closed {
			return
		}
		p.work(i + 1)
		if p.busy.Add(-1) == 0 {
			p.caller.open()
		}
	}
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
	p.closed = true
	p.begin(len(p.helpers))
}

// gate is where one goroutine waits until others have opened it, once for every time that it passes.
type gate struct {
	opened atomic.Int64 // how often
	passed int64
	asleep atomic.Bool
	wake   chan struct{}
}

func newGate() gate { return gate{wake: make(chan struct{}, 1)} }

// patience is how often a waiting goroutine looks before it falls asleep, some fifty microseconds: longer than what the caller
// does between two rounds, of which a step of training has a hundred, and than it takes to be woken.
const patience = 100_000

func (g *gate) wait() {
	g.passed++
	for range patience {
		if g.opened.Load() >= g.passed {
			return
		}
	}
	g.asleep.Store(true)
	if g.opened.Load() >= g.passed && g.asleep.CompareAndSwap(true, false) {
		return
	}
	<-g.wake
}

func (g *gate) open() {
	g.opened.Add(1)
	if g.asleep.CompareAndSwap(true, false) {
		g.wake <- struct{}{}
	}
}
