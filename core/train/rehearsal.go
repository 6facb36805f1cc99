package train

import "gdram/core"

// Rehearsal takes the published training step on one and the same batch, without data or a run folder: what a
// step costs, and whether another program takes the same one.
type Rehearsal struct {
	learner *core.Learner
	loss    *loss
	adam    *optimizer
	batch   *core.Batch
	labels  []int
}

// NewRehearsal prepares to train p in place, with the given number of workers (0 for GOMAXPROCS).
func NewRehearsal(p *core.Params, batch *core.Batch, labels []int, threads int) *Rehearsal {
	l := core.NewLearner(p, len(batch.Images), threads)
	return &Rehearsal{
		learner: l, loss: newLoss(l, published),
		adam:  newOptimizer(p, l.Grads, referenceAdam, 0, 1),
		batch: batch, labels: labels,
	}
}

// Step goes forward, computes the losses, goes back and takes a step of Adam. After the first it
// allocates nothing.
func (r *Rehearsal) Step() Losses {
	r.learner.Forward(r.batch)
	losses := r.loss.run(r.labels, stage{looks: Policy, n: core.Steps, noise: r.batch.NoiseScale})
	r.learner.Backward()
	r.adam.update(r.learner, r.adam.adam.LR)
	return losses
}

// Close ends the workers.
func (r *Rehearsal) Close() { r.learner.Close() }
