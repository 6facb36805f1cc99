package policy

import "math"

// Randomness without a generator: a number is a hash of what it is for. A resumed run needs
// no state to draw the same numbers, and threads may draw them in any order.

// Noise returns a pair of independent standard normals, the eps of Sample: the same pair for
// the same seed, epoch, picture (its index in the data set) and emission call.
//
// By Box and Muller (1958) from two uniforms u1 in (0,1] and u2 in [0,1):
//
//	sqrt(-2 log u1) * (cos, sin)(2 pi u2)
//
// It is computed in float64 and rounded once. Logarithm and sine are the processor's, so two
// architectures may disagree in the last bit of one number in some hundred million.
func Noise(seed uint64, epoch, picture, call int) [2]float32 {
	const scale = 1.0 / (1 << 53)
	u1 := float64(hash(seed, epoch, picture, call, 0)>>11+1) * scale
	u2 := float64(hash(seed, epoch, picture, call, 1)>>11) * scale
	radius := math.Sqrt(-2 * math.Log(u1))
	sin, cos := math.Sincos(2 * math.Pi * u2)
	return [2]float32{float32(radius * cos), float32(radius * sin)}
}

// RandomPlace returns a place drawn uniformly within ±Limit, for looks that no policy
// chooses. Its numbers are independent of Noise for the same arguments.
func RandomPlace(seed uint64, epoch, picture, call int) (place [2]float32) {
	for i := range place {
		u := float64(hash(seed, epoch, picture, call, 2+i)>>40) / (1<<24 - 1) // 0..1, ends included
		place[i] = float32(Limit * (2*u - 1))
	}
	return place
}

// hash mixes the arguments into 64 bits, one round of splitmix64 (Steele, Lea, Flood 2014)
// for each.
func hash(seed uint64, epoch, picture, call, draw int) uint64 {
	h := seed
	for _, part := range [...]int{epoch, picture, call, draw} {
		h = mix(mix(h) + uint64(part))
	}
	return mix(h)
}

func mix(z uint64) uint64 {
	z += 0x9E3779B97F4A7C15
	z = (z ^ z>>30) * 0xBF58476D1CE4E5B9
	z = (z ^ z>>27) * 0x94D049BB133111EB
	return z ^ z>>31
}
