// Package policy is where the network looks next: a Gaussian over places, learnt by
// REINFORCE with a baseline, or by the sensor's slope.
//
// It is the pointwise half of the emission network. The linear layers and the batch norm
// before it are the caller's; every function here is about one picture and one look, and a
// pair is (x, y). The order of a look is
//
//	Emit -> mu, v, std -> Sample -> value -> Next (or First) -> the place of the next glimpse
//
// In evaluation mu takes the place of value. REINFORCE takes the sampled value for a constant and
// pulls on LogProb of it; where the sensor hands down a gradient of the place, SampleBackward and
// NextBackward carry it to mu.
package policy

import (
	"math"

	"gdram/core/nn"
)

const (
	// Limit bounds a place in both coordinates, so that half a glimpse of the reference's
	// original 64-pixel picture stays inside: 1 - 12/64/2.
	Limit = 0.90625
	// MoveScale is the farthest one look lies from the one before: 12/64/2 * 2^3.
	MoveScale = 0.75
	// SigmaMin and SigmaMax bound the standard deviation: exp(-1/2) and exp(1/2). A look
	// drawn with SigmaMin weighs 1, with SigmaMax 0.
	SigmaMin = 0.60653065971263342360
	SigmaMax = 1.64872127070012814685
	// TaughtNoise is the factor on the standard deviation that stochastic looks of networks trained by our recipe are drawn
	// with, and that a policy learns with last where it learns from noise.
	TaughtNoise = 0.15
)

// Emit turns the outputs of the two heads into the Gaussian of one look:
//
//	mu = tanh(muPre),  v = tanh(logvarPre),  std = exp(v/2)
//
// so std lies between SigmaMin and SigmaMax.
func Emit(muPre, logvarPre [2]float32) (mu, v, std [2]float32) {
	for i := range mu {
		mu[i] = nn.Tanh(muPre[i])
		v[i] = nn.Tanh(logvarPre[i])
		std[i] = nn.Exp(v[i] / 2)
	}
	return mu, v, std
}

// EmitBackward carries the gradients of mu and of the log-variance v to the heads' outputs:
//
//	dmuPre = dmu*(1 - mu^2),  dlogvarPre = dv*(1 - v^2)
func EmitBackward(dmu, dv, mu, v [2]float32) (dmuPre, dlogvarPre [2]float32) {
	for i := range mu {
		dmuPre[i] = dmu[i] * (1 - float32(mu[i]*mu[i]))
		dlogvarPre[i] = dv[i] * (1 - float32(v[i]*v[i]))
	}
	return dmuPre, dlogvarPre
}

// Sample draws from the Gaussian with the standard normal eps, its width times noise:
//
//	sample = mu + noise*std*eps,  value = sample within -1..1
//
// noise is 1 in the published recipe; 0 follows the mean.
func Sample(mu, std, eps [2]float32, noise float32) (sample, value [2]float32) {
	for i := range mu {
		sample[i] = mu[i] + float32(noise*std[i]*eps[i])
		value[i] = within(sample[i], 1)
	}
	return sample, value
}

// SampleBackward carries the gradient of value to mu and the log-variance v, eps being constant. Nothing passes a clamp:
//
//	dmu = dvalue,  dv = dvalue*noise*eps*std/2
func SampleBackward(dvalue, sample, std, eps [2]float32, noise float32) (dmu, dv [2]float32) {
	for i, d := range dvalue {
		if sample[i] == within(sample[i], 1) {
			dmu[i] = d
			dv[i] = d * noise * eps[i] * std[i] / 2
		}
	}
	return dmu, dv
}

// LogProb is the logarithm of the density of value, summed over both coordinates:
//
//	sum of -(value-mu)^2 / (2 std^2) - log std - log(2 pi)/2
//
// The published recipe takes the ordinary density of the value clamped by Sample; handing in
// the unclamped sample is the statistically right one.
func LogProb(value, mu, std [2]float32) float32 {
	var sum float64
	for i := range value {
		z := (float64(value[i]) - float64(mu[i])) / float64(std[i])
		sum -= float64(z*z)/2 + math.Log(float64(std[i])) + halfLog2Pi
	}
	return float32(sum)
}

const halfLog2Pi = 0.91893853320467274178

// LogProbBackward returns the gradients of mu and of the log-variance v = 2 log std, value
// being constant and d the gradient of LogProb:
//
//	dmu = d*(value-mu)/std^2,  dv = d*((value-mu)^2/std^2 - 1)/2
func LogProbBackward(value, mu, std [2]float32, d float32) (dmu, dv [2]float32) {
	for i := range value {
		z := (value[i] - mu[i]) / std[i]
		dmu[i] = d * z / std[i]
		dv[i] = d * (float32(z*z) - 1) / 2
	}
	return dmu, dv
}

// returnWidth is how far apart looks push each other most, in halves of a picture.
const returnWidth = 0.3

// Return is the cost of looking at place after the places before it, and its gradient there:
//
//	2 sum(place^4) + sum over before of exp(-|place - before|^2 / (2 returnWidth^2))
//
// An eye is slow to go back to where it has been: inhibition of return (Posner and Cohen 1984). The first term keeps it
// well inside the picture. Eight looks, each where this is least, make a ring of five around the first and fill it up.
func Return(place [2]float32, before [][2]float32) (cost float32, dplace [2]float32) {
	const width2 = returnWidth * returnWidth
	for i, v := range place {
		cost += 2 * v * v * v * v
		dplace[i] = 8 * v * v * v
	}
	for _, was := range before {
		dx, dy := place[0]-was[0], place[1]-was[1]
		near := nn.Exp(-(float32(dx*dx) + float32(dy*dy)) / (2 * width2))
		cost += near
		dplace[0] -= near * dx / width2
		dplace[1] -= near * dy / width2
	}
	return cost, dplace
}

// Weight is what the look drawn with std counts in the answer, from 1 where the policy was
// sure to 0 where it was not:
//
//	1 - (mean(std) - SigmaMin)/(SigmaMax - SigmaMin)
//
// The first look has no weight of its own: it counts 1.
func Weight(std [2]float32) float32 {
	return 1 - ((std[0]+std[1])/2-SigmaMin)/(SigmaMax-SigmaMin)
}

// WeightBackward returns the gradient of the log-variance v, dw being that of the weight:
//
//	dstd = -dw/2/(SigmaMax - SigmaMin),  dv = dstd*std/2
func WeightBackward(dw float32, std [2]float32) (dv [2]float32) {
	for i := range std {
		dv[i] = dw * (-0.25 / (SigmaMax - SigmaMin)) * std[i]
	}
	return dv
}

// First is the place of the first glimpse: the output of the first emission within ±Limit.
func First(out [2]float32) (place [2]float32) {
	return [2]float32{within(out[0], Limit), within(out[1], Limit)}
}

// Next is the place of a later glimpse: MoveScale times the output of the emission away from
// place, within ±Limit.
func Next(place, out [2]float32) [2]float32 {
	return [2]float32{
		within(place[0]+float32(MoveScale*out[0]), Limit),
		within(place[1]+float32(MoveScale*out[1]), Limit),
	}
}

// NextBackward carries the gradient of a place that Next chose to the place before and to the output of the emission. Nothing
// passes a clamp. For First it is the same with nothing before: dplace itself belongs to the output.
func NextBackward(dplace, place [2]float32) (dbefore, dout [2]float32) {
	for i, d := range dplace {
		if place[i] > -Limit && place[i] < Limit {
			dbefore[i], dout[i] = d, MoveScale*d
		}
	}
	return dbefore, dout
}

// Stop reports whether fast mode ends after step 0, 1, ..., whose look weighed w and the one
// before wPrev: from the third look on, when both weigh less than a half.
func Stop(step int, w, wPrev float32) bool {
	return step >= 2 && w < 0.5 && wPrev < 0.5
}

func within(x, limit float32) float32 {
	if x > limit {
		return limit
	}
	if x < -limit {
		return -limit
	}
	return x
}
