package kernel

import (
	"math"
	"math/rand/v2"
	"slices"
	"testing"

	"github.com/stretchr/testify/require"
)

// The tests here hold fast kernels against their portable twins at every size up to a few tiles, so that no
// remainder is left to luck; kernel_test.go holds both against definitions, at fewer sizes.

// twins runs a kernel in its portable form and in its fast ones, on the same numbers, and compares what it wrote. Fast ones of one
// processor write the same bits, so that a run may go on on another.
func twins(t *testing.T, what string, tolerance float64, run func(t *testing.T, rng *rand.Rand) (written []float32)) {
	t.Helper()
	numbers := func() *rand.Rand { return rand.New(rand.NewPCG(1, 2)) }
	all := instructions()
	setInstructions(t, all[0])
	want := run(t, numbers())
	var first []float32
	for _, name := range all[1:] {
		setInstructions(t, name)
		got := run(t, numbers())
		requireClose(t, want, got, tolerance, what+" with "+name)
		if first == nil {
			first = got
		}
		require.True(t, slices.Equal(first, got), "%s: %s and %s round differently", what, all[1], name)
	}
}

func needFast(t *testing.T) {
	if len(instructions()) == 1 {
		t.Skip("this build or processor has no fast kernels")
	}
}

func TestGemmAtEverySize(t *testing.T) {
	needFast(t)
	for _, packed := range []bool{false, true} {
		for _, add := range []bool{false, true} {
			for columns := Panel; columns <= 9*Panel; columns += Panel {
				for rows := 1; rows <= 26; rows++ {
					for _, k := range []int{1, 2, 3, 4, 5, 7, 8, 9, 15, 16, 17, 24, 40} {
						twins(t, "C", 1e-5*math.Sqrt(float64(k)), func(t *testing.T, rng *rand.Rand) []float32 {
							g := Gemm{Rows: rows, Columns: columns, K: k, ARow: k + 1, ACol: 1, CRow: columns + 3, BRow: columns, BPanel: Panel, Add: add}
							if packed {
								g.BRow, g.BPanel = Panel, k*Panel
							}
							g.A = guarded(t, rng, (rows-1)*g.ARow+k)
							g.B = guarded(t, rng, columns*k)
							g.C = guarded(t, rng, (rows-1)*g.CRow+columns)
							g.Run()
							return g.C
						})
					}
				}
			}
		}
	}
}

func TestDenseAtEverySize(t *testing.T) {
	needFast(t)
	for out := Panel; out <= 5*Panel; out += Panel {
		for rows := 1; rows <= 3; rows++ {
			for in := 1; in <= 20; in++ {
				twins(t, "Y", 1e-5*math.Sqrt(float64(in)), func(t *testing.T, rng *rand.Rand) []float32 {
					d := someDense(t, rng, rows, in, out)
					d.Run()
					return d.Y
				})
			}
		}
	}
}

func TestColumnsAtEverySize(t *testing.T) {
	needFast(t)
	for channels := Panel; channels <= 5*Panel; channels += Panel {
		for rows := 1; rows <= 13; rows++ {
			twins(t, "sums and squares", 1e-4, func(t *testing.T, rng *rand.Rand) []float32 {
				c := Columns{Src: guarded(t, rng, rows*(channels+1)-1), Stride: channels + 1, Rows: rows, Channels: channels}
				sums, squares, mean := guarded(t, rng, channels), guarded(t, rng, channels), guarded(t, rng, channels)
				c.Sums(sums)
				c.Squares(squares, mean)
				return append(append([]float32(nil), sums...), squares...)
			})
		}
	}
}

func TestLSTMAtEverySize(t *testing.T) {
	needFast(t)
	for units := 1; units <= 17; units++ {
		for cells := 1; cells <= 3; cells++ {
			twins(t, "gates, c and h", 0, func(t *testing.T, rng *rand.Rand) []float32 {
				n := cells * units
				l := LSTM{Gates: guarded(t, rng, 4*n), C: guarded(t, rng, n), H: guarded(t, rng, n), CPrev: guarded(t, rng, n), Cells: cells, Units: units}
				l.Run()
				return append(append(append([]float32(nil), l.Gates...), l.C...), l.H...)
			})
		}
	}
}

func TestConvPoolAtEverySize(t *testing.T) {
	needFast(t)
	for _, side := range []int{6, 12} {
		for in := 4; in <= 20; in += 4 {
			for out := 16; out <= 48; out += 16 {
				// Rounding in Winograd's tiles is a matter of the largest output, of which it is some 1e-6.
				twins(t, "pooled, of the largest", 1e-5, func(t *testing.T, rng *rand.Rand) []float32 {
					layer := NewConvPool(side, in, out)
					loadPanels(layer, guarded(t, rng, out*in*9), in, guarded(t, rng, out), guarded(t, rng, out))
					dst := guarded(t, rng, side/2*side/2*out)
					layer.Forward(dst, side/2*out, out, guarded(t, rng, (side+2)*(side+2)*in), guarded(t, rng, layer.Scratch()))
					largest := slices.Max(dst)
					require.Positive(t, largest)
					share := make([]float32, len(dst))
					for i, v := range dst {
						share[i] = v / largest
					}
					return share
				})
			}
		}
	}
}

func TestPoolAtEverySize(t *testing.T) {
	needFast(t)
	for channels := Lanes; channels <= 5*Lanes; channels += Lanes {
		for side := 1; side <= 4; side++ {
			twins(t, "pooled, sums and gradient", 1e-4, func(t *testing.T, rng *rand.Rand) []float32 {
				p := Pool{Rows: side, Cols: side, Channels: channels, Table: Table(guarded(t, rng, len(NewTable(channels)))),
					YPixel: channels, YRow: 2 * side * channels, TopPixel: channels, TopRow: side * channels,
					PooledPixel: channels, PooledRow: side * channels, DYPixel: channels, DYRow: 2 * side * channels}
				p.Y, p.DY = guarded(t, rng, 4*side*side*channels), guarded(t, rng, 4*side*side*channels)
				p.Top, p.Pooled = guarded(t, rng, side*side*channels), guarded(t, rng, side*side*channels)
				p.Forward()
				written := append([]float32(nil), p.Pooled...)
				p.Select()
				p.Apply()
				written = append(append(written, p.Top...), p.Pooled...)
				sums := NewSums(channels)
				p.GradientSums(sums) // of whatever Pooled holds
				p.Gradient()
				return append(append(written, sums...), p.DY...)
			})
		}
	}
}

func TestTilesAtEverySize(t *testing.T) {
	needFast(t)
	for _, transform := range []*tileTransform{&tileInput, &tileOutput, &tileFilter, &pairInput, &pairOutput, &pairFilter,
		&mapInput, &mapOutput, &mapGradient, &mapFilter, &mapFilterGradient} {
		for channels := Panel; channels <= 3*Panel; channels += Panel {
			for count := range 4 {
				twins(t, "Dst", 1e-2, func(t *testing.T, rng *rand.Rand) []float32 {
					in, out, tiles := transform.in, transform.out, max(count, 1)
					s := Tiles{Channels: channels, Count: count,
						SrcPixel: channels + 1, SrcRow: in*(channels+1) + 2, SrcNext: in*in*(channels+1) + 3*in,
						DstPixel: channels + 2, DstRow: out*(channels+2) + 1, DstNext: out*out*(channels+2) + 2*out, DstPanel: Panel}
					s.Src = guarded(t, rng, (tiles-1)*s.SrcNext+(in-1)*(s.SrcRow+s.SrcPixel)+channels)
					s.Dst = guarded(t, rng, (tiles-1)*s.DstNext+(out-1)*(s.DstRow+s.DstPixel)+channels)
					s.run(transform)
					return s.Dst
				})
			}
		}
	}
}
