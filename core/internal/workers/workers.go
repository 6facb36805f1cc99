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

	round  atomic.Int64 // of Run
	busy   atomic.Int64 // helpers that are not done with it
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
	p.begin()
	p.work(0)
	p.caller.wait(func() bool { return p.busy.Load() == 0 })
}

// begin sends the helpers into a new round.
func (p *Pool) begin() {
	p.busy.Store(int64(len(p.helpers)))
	p.round.Add(1)
	for i := range p.helpers {
		p.helpers[i].open()
	}
}

func (p *Pool) help(i int) {
	for round := int64(1); ; round++ {
		p.helpers[i].wait(func() bool { return p.round.Load() >= round })
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
	p.begin()
}

// gate is where one goroutine waits for what others do.
type gate struct {
	asleep atomic.Bool
	wake   chan struct{}
}

func newGate() gate { return gate{wake: make(chan struct{}, 1)} }

// patience is how often a waiting goroutine looks before it falls asleep, some twenty microseconds: to be woken takes as
// long, and a step of training has a hundred rounds.
const patience = 20_000

// wait returns once ready says so. Whoever makes it so calls open afterwards.
func (g *gate) wait(ready func() bool) {
	for range patience {
		if ready() {
			return
		}
	}
	g.asleep.Store(true)
	if ready() && g.asleep.CompareAndSwap(true, false) {
		return
	}
	<-g.wake
}

func (g *gate) open() {
	if g.asleep.CompareAndSwap(true, false) {
		g.wake <- struct{}{}
	}
}
