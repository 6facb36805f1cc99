package dataset

import "math/rand/v2"

// stream is a seeded source of random numbers for one picture of one epoch. As it depends
// on nothing else, neither the order of pictures nor the number of goroutines matters.
type stream struct{ pcg rand.PCG }

func (s *stream) seed(seed, epoch uint64, i int) {
	s.pcg.Seed(mix(mix(seed)+epoch), mix(uint64(i)))
}

// below returns a whole number from 0 to n-1. The bias, below n/2^32, does not show.
func (s *stream) below(n int) int {
	return int(s.pcg.Uint64() >> 32 * uint64(n) >> 32)
}

// signed returns a number from -1 to 1.
func (s *stream) signed() float64 { return float64(s.pcg.Uint64()>>11)/(1<<52) - 1 }

// mix scatters the bits of x: the last steps of splitmix64. Neighbouring seeds, epochs and
// pictures get streams that have nothing in common.
func mix(x uint64) uint64 {
	x += 0x9E3779B97F4A7C15
	x = (x ^ x>>30) * 0xBF58476D1CE4E5B9
	x = (x ^ x>>27) * 0x94D049BB133111EB
	return x ^ x>>31
}
