package train

import (
	"math"

	"gdram/core"
	"gdram/core/nn"
	"gdram/core/policy"
)

// Losses are means over a batch, or over an epoch.
type Losses struct {
	Prediction float64 // cross entropy of the final answer
	Steps      float64 // cross entropy of every step's own logits, mean over steps
	Baseline   float64 // squared error of the baseline
	Reinforce  float64 // minus log-probability times advantage, summed over steps
	Total      float64 // as optimised
	Accuracy   float64 // of the final answer
}

func (l *Losses) add(o Losses, scale float64) {
	l.Prediction += scale * o.Prediction
	l.Steps += scale * o.Steps
	l.Baseline += scale * o.Baseline
	l.Reinforce += scale * o.Reinforce
	l.Total += scale * o.Total
	l.Accuracy += scale * o.Accuracy
}

// weights of the terms of the loss.
type terms struct {
	steps     float32 // of the cross entropy at every step
	smoothing float32 // of the labels
	reinforce float32
	centre    float32 // pull of the policy's mean to the centre: centre·mean(mu⁴)
	// gain rewards a look with what it took off the cross entropy of the answer so far, standardised
	// over the batch; otherwise every look is rewarded with 1 for a right final answer and 0 for a
	// wrong one, less the baseline, as published.
	gain bool
	// clamped takes the log-probability of the clamped sample, as published.
	clamped bool
}

// published are the reference's: plain sums.
var published = terms{reinforce: 1, gain: false, clamped: true}

// loss computes the losses of a forward pass and fills the learner's gradients.
type loss struct {
	terms   terms
	learner *core.Learner
	labels  []int

	stage stage // of the forward pass; the policy learns from looks of its own

	answer    []float32 // [batch][classes]: the cumulative answer, then its gradient
	rewards   []float32 // [Steps][batch]
	advantage []float32 // [Steps][batch]
	perImage  []Losses

	measureBlock, spreadBlock func(block, worker int)
}

func newLoss(l *core.Learner, t terms) *loss {
	s := &loss{
		terms: t, learner: l,
		answer:  make([]float32, l.BatchLen*l.Params.Classes),
		rewards: make([]float32, core.Steps*l.BatchLen), advantage: make([]float32, core.Steps*l.BatchLen),
		perImage: make([]Losses, l.BatchLen),
	}
	s.measureBlock, s.spreadBlock = s.measure, s.spread
	return s
}

// run returns the losses of the batch, which looked as the stage says.
func (s *loss) run(labels []int, stage stage) Losses {
	s.labels, s.stage = labels, stage
	s.learner.Run(s.learner.Blocks(), s.measureBlock)
	if s.terms.gain {
		s.standardise()
	}
	s.learner.Run(s.learner.Blocks(), s.spreadBlock)
	var sum Losses
	for _, l := range s.perImage {
		sum.add(l, 1/float64(s.learner.BatchLen))
	}
	return sum
}

// measure computes each picture's rewards.
func (s *loss) measure(block, _ int) {
	l := s.learner
	classes, batch := l.Params.Classes, l.BatchLen
	from, to := l.Block(block)
	for b := from; b < to; b++ {
		if !s.terms.gain {
			reward := float32(0)
			if argmax(l.Logits[b*classes:][:classes]) == s.labels[b] {
				reward = 1
			}
			for t := range l.Looks {
				s.rewards[t*batch+b] = reward
				s.advantage[t*batch+b] = reward - l.Baselines[t*batch+b]
			}
			continue
		}
		sum, answer := s.answer[b*classes:][:classes], [maxClasses]float32{}
		clear(sum)
		var total float32
		before := 0.0
		for t := range l.Looks {
			at := t*batch + b
			total += l.Weights[at]
			for k, v := range l.StepLogits[at*l.LogitStride:][:classes] {
				sum[k] += l.Weights[at] * v
				answer[k] = sum[k] / total
			}
			after := nn.CrossEntropy(answer[:classes], s.labels[b], 0, nil, 0)
			s.rewards[at] = float32(before - after)
			before = after
		}
	}
}

// maxClasses bounds the classes for buffers on the stack.
const maxClasses = 1024

// standardise turns the rewards of every step into advantages of mean 0 and variance 1 over the batch.
func (s *loss) standardise() {
	batch := s.learner.BatchLen
	for t := range s.learner.Looks {
		rewards := s.rewards[t*batch:][:batch]
		var mean, variance float64
		for _, r := range rewards {
			mean += float64(r) / float64(batch)
		}
		for _, r := range rewards {
			variance += (float64(r) - mean) * (float64(r) - mean) / float64(batch)
		}
		invStd := 1 / math.Sqrt(variance+1e-8)
		for b, r := range rewards {
			s.advantage[t*batch+b] = float32((float64(r) - mean) * invStd)
		}
	}
}

// spread computes each picture's losses and gradients.
func (s *loss) spread(block, _ int) {
	l := s.learner
	classes, batch := l.Params.Classes, l.BatchLen
	scale, looks := 1/float32(batch), float32(l.Looks)
	from, to := l.Block(block)
	for b := from; b < to; b++ {
		out := &s.perImage[b]
		*out = Losses{}
		logits, label := l.Logits[b*classes:][:classes], s.labels[b]
		if argmax(logits) == label {
			out.Accuracy = 1
		}
		dlogits := s.answer[b*classes:][:classes]
		clear(dlogits)
		out.Prediction = nn.CrossEntropy(logits, label, s.terms.smoothing, dlogits, scale)

		var total float32
		for t := range l.Looks {
			total += l.Weights[t*batch+b]
		}
		centre, returns := 0.0, 0.0 // means of mu⁴ and of policy.Return
		var places [core.Steps][2]float32
		for t := range l.Looks {
			at := t*batch + b
			step := l.StepLogits[at*l.LogitStride:][:classes]
			dstep := l.DStepLogits[at*l.LogitStride:][:classes]
			// logits = Σ w·a / Σ w, so da = w/Σw·dlogits and dw = Σ dlogits·(a - logits)/Σw.
			var dw float32
			for k, d := range dlogits {
				dstep[k] = l.Weights[at] / total * d
				dw += d * (step[k] - logits[k]) / total
			}
			if s.terms.steps > 0 {
				out.Steps += nn.CrossEntropy(step, label, s.terms.smoothing, dstep, s.terms.steps*scale/looks) / float64(looks)
			}
			l.DMu[at], l.DLogVar[at] = [2]float32{}, [2]float32{}
			if s.stage.looks == Policy {
				if t > 0 { // the first look weighs 1 whatever its Gaussian
					l.DLogVar[at] = policy.WeightBackward(dw, l.Std[at])
				}
				if s.stage.noise > 0 {
					out.Reinforce += s.reinforce(at, scale)
					for _, mu := range l.Mu[at] {
						centre += float64(mu*mu*mu*mu) / (2 * float64(looks))
					}
				}
				if s.stage.returns > 0 {
					places[t] = l.Places[at]
					returns += s.away(at, places[:t], scale) / float64(looks)
				}
			}
			miss := float64(l.Baselines[at]) - out.Accuracy
			out.Baseline += miss * miss / float64(looks)
			l.DBaselines[at] = 2 * float32(miss) * scale / looks
		}
		last := l.Looks*batch + b
		l.DMu[last], l.DLogVar[last] = [2]float32{}, [2]float32{}
		out.Total = out.Prediction + float64(s.terms.steps)*out.Steps + out.Baseline + float64(s.terms.reinforce)*out.Reinforce +
			float64(s.terms.centre)*centre + float64(s.stage.returns)*returns
	}
}

// reinforce adds the policy gradient of one look and returns its loss.
func (s *loss) reinforce(at int, scale float32) float64 {
	l := s.learner
	value := l.Sample[at]
	if s.terms.clamped {
		value = l.Value[at]
	}
	std := [2]float32{s.stage.noise * l.Std[at][0], s.stage.noise * l.Std[at][1]}
	advantage := s.advantage[at]
	dmu, dv := policy.LogProbBackward(value, l.Mu[at], std, -advantage*scale*s.terms.reinforce)
	for i := range 2 {
		mu := l.Mu[at][i]
		l.DMu[at][i] += dmu[i] + s.terms.centre*scale/(2*float32(l.Looks))*4*mu*mu*mu
		l.DLogVar[at][i] += dv[i]
	}
	return float64(-policy.LogProb(value, l.Mu[at], std) * advantage)
}

// away adds the gradient of policy.Return for one look after others, and returns its cost. The places before are
// constants, and clamps are passed as if they were not there, so that a look held at the border is drawn back inside.
func (s *loss) away(at int, before [][2]float32, scale float32) float64 {
	l := s.learner
	cost, d := policy.Return(l.Places[at], before)
	move := float32(1) // of a place by its mu
	if len(before) > 0 {
		move = policy.MoveScale
	}
	for i := range d {
		l.DMu[at][i] += s.stage.returns * scale / float32(l.Looks) * move * d[i]
	}
	return float64(cost)
}

func argmax(v []float32) int {
	best := 0
	for i := range v {
		if v[i] > v[best] {
			best = i
		}
	}
	return best
}
