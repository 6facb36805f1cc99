package core

import "gdram/core/policy"

// Sampler answers with the mean of several stochastic looks at a picture, their places drawn from the
// policy's Gaussian. Built once, it allocates nothing afterwards; it is not safe for concurrent use.
type Sampler struct {
	classifier *Classifier
	count      int
	scale      float32
	seed       uint64
	images     [][]float32
	noise      [][2]float32
	results    []Result
}

// NewSampler prepares to take count looks, 1 or more, at each picture, with the policy's standard deviation
// times scale; seed addresses the draws. The classifier must not be used elsewhere meanwhile.
func NewSampler(c *Classifier, count int, scale float32, seed uint64) *Sampler {
	if count < 1 {
		panic("core: NewSampler: want 1 look or more")
	}
	return &Sampler{
		classifier: c, count: count, scale: scale, seed: seed,
		images: make([][]float32, blockSize), noise: make([][2]float32, Steps*blockSize), results: newResults(c.Classes()),
	}
}

// ClassifyBlock looks at 1 to BlockSize pictures, which are numbers first, first+1, ... of their set: a
// picture's draws depend on its number, not on the block. Probabilities, logits and what Glimpses say of the
// answer so far are means over all samples; places, weights and sigmas are the first sample's.
// The results are valid until the next call.
func (s *Sampler) ClassifyBlock(images [][]float32, first int) []Result {
	n := len(images)
	results := s.results[:n]
	for b := range results {
		r := &results[b]
		clear(r.Logits)
		for i := range r.Glimpses {
			clear(r.Glimpses[i].Probabilities)
		}
	}
	// A block of the classifier is filled with samples, of however many pictures.
	mean := 1 / float32(s.count)
	for task := 0; task < n*s.count; task += blockSize {
		m := min(blockSize, n*s.count-task)
		for j := range m {
			sample, b := (task+j)/n, (task+j)%n
			s.images[j] = images[b]
			for i := range Steps {
				s.noise[i*m+j] = policy.Noise(s.seed, sample, first+b, i)
			}
		}
		for j, one := range s.classifier.ClassifyBlock(s.images[:m], Options{Noise: s.noise[:Steps*m], NoiseScale: s.scale}) {
			sample, b := (task+j)/n, (task+j)%n
			r := &results[b]
			addScaled(r.Logits, one.Logits, mean)
			for i := range one.Glimpses {
				g, probabilities := &r.Glimpses[i], r.Glimpses[i].Probabilities
				if sample == 0 {
					*g = one.Glimpses[i]
					g.Probabilities = probabilities
				}
				addScaled(probabilities, one.Glimpses[i].Probabilities, mean)
			}
		}
	}
	for b := range results {
		r := &results[b]
		copy(r.Probabilities, r.Glimpses[Steps-1].Probabilities)
		r.Label = r.mostProbable()
	}
	return results
}

func addScaled(dst, x []float32, scale float32) {
	for i, v := range x {
		dst[i] += scale * v
	}
}
