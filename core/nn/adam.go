package nn

import "math"

// Adam is the optimiser of Kingma and Ba (2015) with the decoupled weight decay of
// Loshchilov and Hutter (2019), as PyTorch computes them.
type Adam struct {
	LR           float64 // learning rate, 1e-3 in the published recipe
	Beta1, Beta2 float64 // 0.9 and 0.999
	Eps          float64 // 1e-8
	WeightDecay  float64 // 0 for Adam, above 0 for AdamW
}

// Step is step t = 1, 2, ... over parameters p, their gradients g and the moments m and v,
// which start at 0; all have the same length.
//
//	p -= LR*WeightDecay*p
//	m  = Beta1*m + (1-Beta1)*g
//	v  = Beta2*v + (1-Beta2)*g^2
//	p -= LR/(1-Beta1^t) * m / (sqrt(v)/sqrt(1-Beta2^t) + Eps)
//
// Every element stands alone, so slices may be cut anywhere and the parts worked on in any
// order with the same result.
func (a Adam) Step(p, g, m, v []float32, t int) {
	if t < 1 {
		panic("nn: Adam.Step: steps count from 1")
	}
	// All that is the same for every element, in float64 and rounded once.
	keep1, take1 := float32(a.Beta1), float32(1-a.Beta1)
	keep2, take2 := float32(a.Beta2), float32(1-a.Beta2)
	rate := float32(a.LR / (1 - math.Pow(a.Beta1, float64(t))))
	root := float32(1 / math.Sqrt(1-math.Pow(a.Beta2, float64(t))))
	decay := float32(1 - float64(a.LR*a.WeightDecay))
	eps := float32(a.Eps)

	g, m, v = g[:len(p)], m[:len(p)], v[:len(p)]
	for i := range p {
		grad := g[i]
		mean := float32(keep1*m[i]) + float32(take1*grad)
		square := float32(keep2*v[i]) + float32(take2*float32(grad*grad))
		m[i], v[i] = mean, square
		denominator := float32(float32(math.Sqrt(float64(square)))*root) + eps
		p[i] = float32(p[i]*decay) - float32(rate*mean)/denominator
	}
}
