package kernel

import (
	"encoding/binary"
	"math"
	"math/rand/v2"
	"slices"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"github.com/x448/float16"
)

// TestHalve narrows all numbers of binary16, and refuses what lies between two of them or beyond.
func TestHalve(t *testing.T) {
	var dst [1]uint16
	for bits := range 1 << 16 {
		v := float16.Frombits(uint16(bits)).Float32()
		if exact := Halve(dst[:], []float32{v}); !exact || dst[0] != uint16(bits) {
			finite := !math.IsInf(float64(v), 0) && !math.IsNaN(float64(v))
			require.False(t, exact || finite, "%g became %#04x, want %#04x", v, dst[0], bits)
		}
	}
	for _, v := range []float32{1.0001, -0.1, 65520, 1e9, 0x1p-25, 0x1.8p-24, 0x1p-140, float32(math.Inf(1)), float32(math.NaN())} {
		assert.False(t, Halve(dst[:], []float32{v}), "%g", v)
	}
}

// TestDenseOfHalves holds that weights fetched as halves give the same bits.
func TestDenseOfHalves(t *testing.T) {
	eachWay(t, func(t *testing.T) {
		rng := rand.New(rand.NewPCG(23, 24))
		for out := HalvesOut; out <= 3*HalvesOut; out += HalvesOut {
			for rows := 1; rows <= 2; rows++ {
				for in := 1; in <= 20; in++ {
					d := someDense(t, rng, rows, in, out)
					for i, v := range d.Weight {
						d.Weight[i] = float16.Fromfloat32(v).Float32()
					}
					before := slices.Clone(d.Y)
					d.Run()
					want := slices.Clone(d.Y)
					copy(d.Y, before)
					d.Halves = make([]uint16, len(d.Weight))
					require.True(t, Halve(d.Halves, d.Weight))
					d.Run()
					require.Equal(t, want, d.Y, "%d rows, %d inputs, %d outputs", rows, in, out)
				}
			}
		}
	})
}

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
