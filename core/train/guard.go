package train

import (
	"cmp"
	"fmt"
	"math"
	"slices"

	"gdram/core"
)

// guard looks for the first number of a step that is none: NaN or infinite. It looks at the loss and the
// gradients of every step, a thousandth of its time, and at the rest when it has to say where it began.
type guard struct {
	learner *core.Learner
	bad     []bool // gradients, one a tensor
	check   func(task, worker int)
}

func newGuard(l *core.Learner) guard {
	bad := make([]bool, len(l.Params.Specs))
	return guard{learner: l, bad: bad, check: func(task, _ int) {
		bad[task] = !finite(l.Grads.Tensor(l.Params.Specs[task].Name))
	}}
}

// finite reports whether the sum of all squares is: beyond that Adam could not use a gradient either.
func finite(v []float32) bool {
	var a, b, c, d float32 // four sums need not wait for each other
	for ; len(v) >= 4; v = v[4:] {
		a += v[0] * v[0]
		b += v[1] * v[1]
		c += v[2] * v[2]
		d += v[3] * v[3]
	}
	for _, x := range v {
		a += x * x
	}
	sum := a + b + c + d
	return sum-sum == 0
}

// forward names what is not finite after the forward pass and the loss, the first in the order of
// computation; "" where the loss is finite.
func (g *guard) forward(losses Losses) string {
	if !math.IsNaN(losses.Total) && !math.IsInf(losses.Total, 0) {
		return ""
	}
	return cmp.Or(g.origin(), "the loss")
}

// backward names the first gradient, in the order of the tensors, that is not finite, or what came before it;
// "" where all are. The weights are still those from before the step.
func (g *guard) backward() string {
	g.learner.Run(len(g.bad), g.check)
	if i := slices.Index(g.bad, true); i >= 0 {
		return cmp.Or(g.origin(), "the gradient of "+g.learner.Params.Specs[i].Name)
	}
	return ""
}

// origin names the first part of the forward pass that is not finite; "" where all of it is.
func (g *guard) origin() string {
	l := g.learner
	// What a step begins with, then what batch norms measured on the way.
	for _, measured := range []bool{false, true} {
		for _, s := range l.Params.Specs {
			if s.Kind.Trained() != measured && !allNumbers(l.Params.Tensor(s.Name)) {
				return "the tensor " + s.Name
			}
		}
	}
	pairs := func(v [][2]float32, step int) bool {
		for _, p := range v[step*l.BatchLen:][:l.BatchLen] {
			if !allNumbers(p[:]) {
				return false
			}
		}
		return true
	}
	for t := range l.Looks {
		switch {
		case !pairs(l.Mu, t) || !pairs(l.Std, t):
			return fmt.Sprintf("the policy's Gaussian for look %d", t+1)
		case !allNumbers(l.StepLogits[t*l.BatchLen*l.LogitStride:][:l.BatchLen*l.LogitStride]):
			return fmt.Sprintf("the logits of look %d", t+1)
		case !allNumbers(l.Baselines[t*l.BatchLen:][:l.BatchLen]):
			return fmt.Sprintf("the baseline of look %d", t+1)
		}
	}
	return ""
}

func allNumbers(v []float32) bool {
	for _, x := range v {
		if x-x != 0 {
			return false
		}
	}
	return true
}
