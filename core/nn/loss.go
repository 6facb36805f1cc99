package nn

import (
	"math"

	"gdram/core/kernel"
)

// Softmax writes the probabilities e^logits / sum(e^logits). dst may be logits. The largest
// logit is taken off first, so that no exponential overflows.
func Softmax(dst, logits []float32) {
	top, sum := exponentials(logits)
	for k, logit := range logits {
		dst[k] = float32(kernel.Exp(logit-top) / sum)
	}
}

// exponentials returns the largest logit and the sum of e^(logit - largest).
func exponentials(logits []float32) (top float32, sum float64) {
	top = logits[0]
	for _, logit := range logits {
		if logit > top {
			top = logit
		}
	}
	for _, logit := range logits {
		sum += kernel.Exp(logit - top)
	}
	return top, sum
}

// CrossEntropy returns the loss of one row of logits against the class label and, unless
// dlogits is nil, adds scale times its gradient. With p = softmax(logits) and K classes,
//
//	target[k] = (1-smoothing)*[k = label] + smoothing/K
//	loss      = -sum(target * log p)
//	dlogits  += scale*(p - target)
//
// smoothing is 0 in the published recipe; scale is 1/batch for a mean over the batch.
func CrossEntropy(logits []float32, label int, smoothing float32, dlogits []float32, scale float32) float64 {
	if label < 0 || label >= len(logits) {
		panic("nn: CrossEntropy: label out of range")
	}
	top, sum := exponentials(logits)
	logSum := float64(top) + math.Log(sum)
	other := float64(smoothing) / float64(len(logits))
	right := 1 - float64(smoothing) + other
	var loss float64
	for k, logit := range logits {
		target := other
		if k == label {
			target = right
		}
		if target != 0 { // a class without a share may have a logit of -Inf
			loss += float64(target * (logSum - float64(logit)))
		}
		if dlogits != nil {
			p := kernel.Exp(logit-top) / sum
			dlogits[k] += float32(scale * float32(p-target))
		}
	}
	return loss
}
