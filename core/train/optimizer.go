package train

import (
	"strings"

	"gdram/core"
	"gdram/core/nn"
)

// pieceLen is how many parameters a task of the optimiser takes: small enough to share out evenly.
const pieceLen = 1 << 14

// optimizer is Adam over all trained tensors, in pieces cut by shape.
type optimizer struct {
	adam          nn.Adam
	params, grads *core.Params
	m, v, average *core.Params
	pieces        []piece
	step          int

	decay float64 // weight of the past in the running average of the weights; 0 keeps none
	run   func(task, worker int)
}

type piece struct {
	from, to int     // in Params.Flat
	decays   bool    // weight decay applies: matrices and filters, not biases and norms
	rate     float64 // factor on the learning rate; 0 for what is not trained
}

// newOptimizer prepares the state. The emission network learns at a rate of its own, relative to the others'.
func newOptimizer(p, grads *core.Params, adam nn.Adam, averaging, emission float64) *optimizer {
	o := &optimizer{adam: adam, params: p, grads: grads, m: core.NewParams(p.Classes), v: core.NewParams(p.Classes), decay: averaging}
	if averaging > 0 {
		o.average = p.Clone()
	}
	at := 0
	for _, s := range p.Specs {
		end := at + s.Len()
		rate := 1.0
		switch {
		case !s.Kind.Trained():
			rate = 0
		case strings.HasPrefix(s.Name, "emission_net."):
			rate = emission
		}
		for ; at < end; at += pieceLen {
			o.pieces = append(o.pieces, piece{at, min(at+pieceLen, end), len(s.Shape) > 1, rate})
		}
		at = end
	}
	o.run = o.piece
	return o
}

// update takes one step with the given learning rate.
func (o *optimizer) update(l *core.Learner, rate float64) {
	o.step++
	o.adam.LR = rate
	l.Run(len(o.pieces), o.run)
}

func (o *optimizer) piece(task, _ int) {
	c := o.pieces[task]
	p := o.params.Flat[c.from:c.to]
	if c.rate > 0 {
		adam := o.adam
		adam.LR *= c.rate
		if !c.decays {
			adam.WeightDecay = 0
		}
		adam.Step(p, o.grads.Flat[c.from:c.to], o.m.Flat[c.from:c.to], o.v.Flat[c.from:c.to], o.step)
	}
	if o.average == nil {
		return
	}
	average := o.average.Flat[c.from:c.to]
	if c.rate == 0 {
		return // statistics are measured when the average is used
	}
	// Early on the average covers the steps there were.
	keep := float32(min(o.decay, float64(o.step)/float64(o.step+10)))
	for i, v := range p {
		average[i] += (1 - keep) * (v - average[i])
	}
}

// shipped are the weights to evaluate and to save: the average where there is one.
func (o *optimizer) shipped() *core.Params {
	if o.average != nil {
		return o.average
	}
	return o.params
}
