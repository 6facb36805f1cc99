package kernel

import (
	"encoding/binary"
	"math"
	"testing"

	"github.com/x448/float16"
)

// TestHalvesAreExact widens all of them.
func TestHalvesAreExact(t *testing.T) {
	eachWay(t, func(t *testing.T) {
		const all = 1 << 16
		var raw []byte
		for bits := range all {
			raw = binary.LittleEndian.AppendUint16(raw, uint16(bits))
		}
		got := make([]float32, all)
		Halves(got, raw)
		for bits, v := range got {
			want := float16.Frombits(uint16(bits)).Float32()
			if math.IsNaN(float64(want)) && math.IsNaN(float64(v)) {
				continue // the payload does not matter: NaN is refused
			}
			if math.Float32bits(v) != math.Float32bits(want) {
				t.Fatalf("%#04x is %g, want %g", bits, v, want)
			}
		}
	})
}
