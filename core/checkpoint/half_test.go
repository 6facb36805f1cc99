package checkpoint

import (
	"math"
	"testing"

	"github.com/x448/float16"
)

func TestFromHalfIsExact(t *testing.T) {
	for bits := range 1 << 16 {
		h := uint16(bits)
		got, want := fromHalf(h), float16.Frombits(h).Float32()
		if math.IsNaN(float64(want)) && math.IsNaN(float64(got)) {
			continue // the payload does not matter: NaN is refused
		}
		if math.Float32bits(got) != math.Float32bits(want) {
			t.Fatalf("%#04x is %g, want %g", h, got, want)
		}
	}
}
