package kernel

import (
	"fmt"
	"math"
	"math/rand/v2"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"github.com/x448/float16"
)

// guarded returns n random values between guard bands, and a check that the bands are intact.
func guarded(t *testing.T, rng *rand.Rand, n int) []float32 {
	const band = 32
	all := make([]float32, n+2*band)
	for i := range all {
		all[i] = float32(rng.NormFloat64())
	}
	for i := range band {
		all[i], all[band+n+i] = 12345, 12345
	}
	t.Cleanup(func() {
		for i := range band {
			if all[i] != 12345 || all[band+n+i] != 12345 { // asking testify is slow, so many bands there are
				require.Fail(t, "a guard band was written on")
			}
		}
	})
	return all[band : band+n : band+n]
}

func requireClose(t *testing.T, want, got []float32, tolerance float64, what string) {
	t.Helper()
	require.Len(t, got, len(want))
	for i := range want {
		if math.Abs(float64(want[i])-float64(got[i])) > tolerance {
			require.InDelta(t, want[i], got[i], tolerance, "%s: element %d", what, i)
		}
	}
}

// eachWay runs f with the portable kernels and with all the fast ones that there are.
func eachWay(t *testing.T, f func(t *testing.T)) {
	for _, name := range instructions() {
		t.Run(name, func(t *testing.T) {
			setInstructions(t, name)
			f(t)
		})
	}
}

// TestGemm holds all kernels against the definition, summed in float64.
func TestGemm(t *testing.T) {
	for _, c := range []struct {
		outer, rows, columns, segments, k int
		transposed, packed, add           bool
		why                               string
	}{
		{1, 1, 16, 1, 1, false, false, false, "the smallest"},
		{1, 5, 32, 1, 7, false, false, true, "fewer rows than a tile"},
		{1, 6, 16, 1, 128, false, true, false, "one tile, packed"},
		{1, 13, 48, 1, 33, false, true, true, "two tiles and a remainder"},
		{1, 1, 512, 1, 2304, false, true, true, "one row, as evaluation has it"},
		{1, 3, 16, 1, 8, false, true, true, "rows of one packed panel"},
		{1, 24, 64, 1, 25, true, false, false, "transposed A"},
		{1, 11, 16, 1, 64, true, false, true, "transposed A with a remainder"},
		{12, 12, 128, 3, 36, false, false, false, "first convolution"},
		{6, 6, 64, 3, 192, false, true, false, "context convolution"},
		{3, 4, 16, 2, 5, false, false, true, "outer rows shorter than a tile"},
		{2, 8, 16, 3, 3, false, false, false, "outer rows with a remainder"},
		{1, 36, 16, 12, 12, true, false, true, "first convolution's weight gradient"},
	} {
		t.Run(c.why, func(t *testing.T) {
			eachWay(t, func(t *testing.T) {
				rng := rand.New(rand.NewPCG(1, 2))
				g := Gemm{Outer: c.outer, Rows: c.rows, Columns: c.columns, Segments: c.segments, K: c.k, Add: c.add}
				if c.transposed {
					g.ARow, g.ACol = 1, c.rows+3
					g.ASegment = c.k*g.ACol + 1
				} else {
					g.ARow, g.ACol = c.k+2, 1
					g.ASegment = c.rows*g.ARow + 5
				}
				g.AOuter = c.segments*max(g.ASegment, 1) + 7
				g.BRow, g.BPanel = c.columns, Panel
				if c.packed {
					g.BRow, g.BPanel = Panel, c.segments*c.k*Panel
				}
				g.BSegment = c.k * g.BRow
				g.CRow = c.columns + 3
				g.COuter = c.rows*g.CRow + 1
				g.A = guarded(t, rng, (c.outer-1)*g.AOuter+(c.rows-1)*g.ARow+(c.segments-1)*g.ASegment+(c.k-1)*g.ACol+1)
				g.B = guarded(t, rng, (c.columns/Panel-1)*g.BPanel+(c.segments-1)*g.BSegment+(c.k-1)*g.BRow+Panel)
				g.C = guarded(t, rng, (c.outer-1)*g.COuter+(c.rows-1)*g.CRow+c.columns)
				want := append([]float32(nil), g.C...)
				for o := range c.outer {
					for i := range c.rows {
						for j := range c.columns {
							var sum float64
							for s := range c.segments {
								for k := range c.k {
									sum += float64(g.A[o*g.AOuter+i*g.ARow+s*g.ASegment+k*g.ACol]) *
										float64(g.B[j/Panel*g.BPanel+s*g.BSegment+k*g.BRow+j%Panel])
								}
							}
							at := o*g.COuter + i*g.CRow + j
							if c.add {
								sum += float64(want[at])
							}
							want[at] = float32(sum)
						}
					}
				}
				g.Run()
				requireClose(t, want, g.C, 2e-5*math.Sqrt(float64(c.segments*c.k)), "C")
			})
		})
	}
}

func TestGemmRefuses(t *testing.T) {
	assert.Panics(t, func() { (&Gemm{Rows: 1, Columns: 8, K: 1}).Run() }, "columns not a multiple of 16")
	assert.Panics(t, func() {
		(&Gemm{Rows: 2, Columns: 16, K: 4, ARow: 4, ACol: 1, BRow: 16, CRow: 16,
			A: make([]float32, 7), B: make([]float32, 64), C: make([]float32, 32)}).Run()
	}, "A one element short")
}

// someDense is a layer between guard bands. With an even number of inputs it has a bias, with one that 4 divides ReLU too.
func someDense(t *testing.T, rng *rand.Rand, rows, in, out int) *Dense {
	d := &Dense{Rows: rows, In: in, Out: out, ReLU: in%4 == 0}
	d.X, d.Weight, d.Y = guarded(t, rng, rows*in), guarded(t, rng, in*out), guarded(t, rng, rows*out)
	if in%2 == 0 {
		d.Bias = guarded(t, rng, out)
	}
	return d
}

// TestDense holds the layer against its definition, summed in float64.
func TestDense(t *testing.T) {
	for _, c := range []struct{ rows, in, out int }{{1, 1, 16}, {1, 2, 128}, {3, 17, 48}, {1, 2304, 128}, {2, 128, 512}, {1, 256, 16}, {2, 5, 32}} {
		t.Run(fmt.Sprint(c), func(t *testing.T) {
			eachWay(t, func(t *testing.T) {
				d := someDense(t, rand.New(rand.NewPCG(21, 22)), c.rows, c.in, c.out)
				want := append([]float32(nil), d.Y...)
				for i := range c.rows {
					for j := range c.out {
						sum := float64(want[i*c.out+j])
						if d.Bias != nil {
							sum = float64(d.Bias[j])
						}
						for k := range c.in {
							sum += float64(d.X[i*c.in+k]) * float64(d.Weight[j/Panel*c.in*Panel+k*Panel+j%Panel])
						}
						if d.ReLU {
							sum = max(sum, 0)
						}
						want[i*c.out+j] = float32(sum)
					}
				}
				d.Run()
				requireClose(t, want, d.Y, 2e-5*math.Sqrt(float64(c.in)), "Y")
			})
		})
	}
}

// TestDenseKeepsNaN holds that nothing that went wrong before is hidden.
func TestDenseKeepsNaN(t *testing.T) {
	eachWay(t, func(t *testing.T) {
		d := Dense{Rows: 1, In: 2, Out: Panel, X: []float32{float32(math.NaN()), 0}, Weight: make([]float32, 2*Panel), Bias: make([]float32, Panel),
			Y: make([]float32, Panel), ReLU: true}
		d.Run()
		assert.True(t, math.IsNaN(float64(d.Y[0])))
	})
}

func TestDenseRefuses(t *testing.T) {
	dense := func(in, out, weights int) func() {
		return func() {
			(&Dense{Rows: 1, In: in, Out: out, X: make([]float32, in), Weight: make([]float32, weights), Y: make([]float32, out)}).Run()
		}
	}
	assert.Panics(t, dense(4, 8, 32), "outputs not a multiple of 16")
	assert.Panics(t, dense(0, 16, 0), "no inputs")
	assert.Panics(t, dense(4, 16, 63), "a weight short")
	halves := func(out, halves int) func() {
		return func() {
			(&Dense{Rows: 1, In: 4, Out: out, X: make([]float32, 4), Weight: make([]float32, 4*out), Halves: make([]uint16, halves), Y: make([]float32, out)}).Run()
		}
	}
	assert.Panics(t, halves(16, 64), "fewer outputs than halves are taken for")
	assert.Panics(t, halves(128, 511), "a half short")
}

// directly convolves one [8][8][channels] map, channel by channel with the same filter, and sums the gradient of
// that filter for the gradient dy of the outcome.
func directly(x, g, dy []float32, channels int) (y, dg []float32) {
	y, dg = make([]float32, len(dy)), make([]float32, 9)
	for i := range mapSize {
		for j := range mapSize {
			for c := range channels {
				for k := range 9 {
					v := x[((i+k/3)*mapPoints+j+k%3)*channels+c]
					y[(i*mapSize+j)*channels+c] += v * g[k]
					dg[k] += v * dy[(i*mapSize+j)*channels+c]
				}
			}
		}
	}
	return y, dg
}

// TestWinogradConvolves runs a whole 3x3 convolution of a 6x6 map through the small tiles' transforms, a row of tiles at a
// time, against direct sums.
func TestWinogradConvolves(t *testing.T) {
	type transform func(*Tiles)
	for _, c := range []struct {
		size, channels        int
		filter, input, output transform
	}{
		{2, 16, (*Tiles).PairFilter, (*Tiles).PairInput, (*Tiles).PairOutput},
		{2, 48, (*Tiles).PairFilter, (*Tiles).PairInput, (*Tiles).PairOutput},
		{3, 16, (*Tiles).Filter, (*Tiles).Input, (*Tiles).Output},
		{3, 48, (*Tiles).Filter, (*Tiles).Input, (*Tiles).Output},
	} {
		t.Run(fmt.Sprint("tiles of ", c.size, ", ", c.channels, " channels"), func(t *testing.T) {
			eachWay(t, func(t *testing.T) {
				rng := rand.New(rand.NewPCG(3, uint64(c.channels)))
				const side, padded = 6, 8
				across, line := side/c.size, c.size+2
				stride := across*c.channels + 16               // between points
				x := guarded(t, rng, padded*padded*c.channels) // the border may hold anything: it is input too
				g, y := guarded(t, rng, 9), guarded(t, rng, side*side*c.channels)
				taps, u := guarded(t, rng, 9*c.channels), guarded(t, rng, line*line*c.channels)
				for i := range taps {
					taps[i] = g[i/c.channels]
				}
				c.filter(&Tiles{Src: taps, SrcRow: 3 * c.channels, SrcPixel: c.channels,
					Dst: u, DstRow: line * c.channels, DstPixel: c.channels, DstPanel: Panel, Channels: c.channels})
				points := guarded(t, rng, (line*line-1)*stride+across*c.channels)
				for row := range across {
					c.input(&Tiles{Src: x[row*c.size*padded*c.channels:], SrcRow: padded * c.channels, SrcPixel: c.channels, Count: across, SrcNext: c.size * c.channels,
						Dst: points, DstRow: line * stride, DstPixel: stride, DstPanel: Panel, DstNext: c.channels, Channels: c.channels})
					for p := range line * line {
						for i := range across * c.channels {
							points[p*stride+i] *= u[p*c.channels+i%c.channels]
						}
					}
					c.output(&Tiles{Src: points, SrcRow: line * stride, SrcPixel: stride, Count: across, SrcNext: c.channels,
						Dst: y[row*c.size*side*c.channels:], DstRow: side * c.channels, DstPixel: c.channels, DstPanel: Panel, DstNext: c.size * c.channels, Channels: c.channels})
				}
				want, _ := directly(x, g, y, c.channels)
				requireClose(t, want, y, 1e-4, "y")
			})
		})
	}
}

// TestMapConvolves does the same with the map as one tile, and brings the weight gradient back through the transposes.
func TestMapConvolves(t *testing.T) {
	for _, channels := range []int{16, 48} {
		t.Run(fmt.Sprint(channels, " channels"), func(t *testing.T) {
			eachWay(t, func(t *testing.T) {
				rng := rand.New(rand.NewPCG(7, uint64(channels)))
				x := guarded(t, rng, mapPoints*mapPoints*channels) // the border may hold anything: it is input too
				g := guarded(t, rng, 9)
				dy, y := guarded(t, rng, mapSize*mapSize*channels), guarded(t, rng, mapSize*mapSize*channels)
				points, dPoints := guarded(t, rng, MapPoints*channels), guarded(t, rng, MapPoints*channels)
				taps, u := guarded(t, rng, 9*Panel), guarded(t, rng, MapPoints*Panel)
				for i := range taps {
					taps[i] = g[i/Panel]
				}
				apart := func(src []float32, side int, dst []float32, to int) *Tiles {
					return &Tiles{Src: src, SrcRow: side * channels, SrcPixel: channels,
						Dst: dst, DstRow: to * channels, DstPixel: channels, DstPanel: Panel, Channels: channels}
				}
				apart(x, mapPoints, points, mapPoints).MapInput()
				(&Tiles{Src: taps, SrcRow: 3 * Panel, SrcPixel: Panel, Dst: u, DstRow: mapPoints * Panel, DstPixel: Panel, Channels: Panel}).MapFilter()
				// Panels of the gradient lie apart, as the products want them.
				(&Tiles{Src: dy, SrcRow: mapSize * channels, SrcPixel: channels,
					Dst: dPoints, DstRow: mapPoints * Panel, DstPixel: Panel, DstPanel: MapPoints * Panel, Channels: channels}).MapGradient()
				du := guarded(t, rng, MapPoints*Panel)
				clear(du)
				for p := range MapPoints {
					for c := range channels {
						du[p*Panel+c%Panel] += points[p*channels+c] * dPoints[c/Panel*MapPoints*Panel+p*Panel+c%Panel]
						points[p*channels+c] *= u[p*Panel+c%Panel]
					}
				}
				apart(points, mapPoints, y, mapSize).MapOutput()
				dTaps := guarded(t, rng, 9*Panel)
				(&Tiles{Src: du, SrcRow: mapPoints * Panel, SrcPixel: Panel, Dst: dTaps, DstRow: 3 * Panel, DstPixel: Panel, Channels: Panel}).MapFilterGradient()

				want, wantDG := directly(x, g, dy, channels)
				requireClose(t, want, y, 1e-4, "y")
				dg := make([]float32, 9)
				for i, v := range dTaps {
					dg[i/Panel] += v
				}
				requireClose(t, wantDG, dg, 2e-3*math.Sqrt(float64(channels)), "dg")
			})
		})
	}
}

// loadPanels loads filters of all panels.
func loadPanels(c *ConvPool, filters []float32, from int, scale, shift []float32) {
	for panel := range len(scale) / Panel {
		at := panel * Panel
		c.Load(panel, filters[at*from*9:], from, scale[at:], shift[at:])
	}
}

// TestConvPool holds the fused layer against its definition, a direct convolution in float64.
func TestConvPool(t *testing.T) {
	for _, c := range []struct{ side, from, in, out int }{
		{12, 4, 4, 16}, {12, 3, 4, 64}, {12, 12, 12, 128}, {6, 4, 4, 16}, {6, 7, 8, 32}, {6, 11, 12, 48}, {6, 64, 64, 64}, {6, 128, 128, 16},
	} {
		t.Run(fmt.Sprint(c), func(t *testing.T) {
			eachWay(t, func(t *testing.T) {
				rng := rand.New(rand.NewPCG(11, 12))
				padded, pooled := c.side+2, c.side/2
				src := guarded(t, rng, padded*padded*c.in) // the border may hold anything: it is input too
				filters, scale, shift := guarded(t, rng, c.out*c.from*9), guarded(t, rng, c.out), guarded(t, rng, c.out)
				layer := NewConvPool(c.side, c.in, c.out)
				loadPanels(layer, filters, c.from, scale, shift)
				dstPixel := c.out + 8
				dstRow := pooled*dstPixel + 5
				dst := guarded(t, rng, (pooled-1)*(dstRow+dstPixel)+c.out)
				want := append([]float32(nil), dst...)
				for row := range pooled {
					for column := range pooled {
						for out := range c.out {
							top := 0.0
							for window := range 4 {
								var sum float64
								for tap := range 9 {
									pixel := (2*row+window/2+tap/3)*padded + 2*column + window%2 + tap%3
									for in := range c.from {
										sum += float64(src[pixel*c.in+in]) * float64(filters[(out*c.from+in)*9+tap])
									}
								}
								top = max(top, float64(scale[out])*sum+float64(shift[out]))
							}
							want[row*dstRow+column*dstPixel+out] = float32(top)
						}
					}
				}
				layer.Forward(dst, dstRow, dstPixel, src, guarded(t, rng, layer.Scratch()))
				requireClose(t, want, dst, 2e-5*math.Sqrt(float64(9*c.in)), "pooled")
			})
		})
	}
}

// TestStripConv holds it against its definition, a direct convolution in float64, with filters that are float16 and others.
func TestStripConv(t *testing.T) {
	for _, c := range []struct {
		maps, in, out int
		halves        bool
	}{
		{1, 16, 16, true}, {2, 16, 16, false}, {3, 16, 32, true}, {4, 16, 48, true}, {5, 32, 16, false}, {8, 32, 48, true}, {9, 48, 16, true}, {1, 48, 32, false},
		{1, 64, 64, true}, {1, 128, 256, true},
	} {
		t.Run(fmt.Sprint(c), func(t *testing.T) {
			eachWay(t, func(t *testing.T) {
				const side, padded = 6, 8
				rng := rand.New(rand.NewPCG(15, 16))
				srcNext, dstNext := padded*padded*c.in+3, side*side*c.out+5
				src := guarded(t, rng, (c.maps-1)*srcNext+padded*padded*c.in) // the border may hold anything: it is input too
				filters := guarded(t, rng, c.out*c.in*9)
				if c.halves {
					for i, v := range filters {
						filters[i] = float16.Fromfloat32(v).Float32()
					}
				}
				layer := NewStripConv(c.in, c.out)
				layer.Load(filters, newFloats, newHalves)
				assert.Equal(t, c.halves, layer.rows[0].taps == nil && layer.rows[4].taps == nil)
				dst := guarded(t, rng, (c.maps-1)*dstNext+side*side*c.out)
				want, largest := append([]float32(nil), dst...), 0.0
				for m := range c.maps {
					for pixel := range side * side {
						for out := range c.out {
							var sum float64
							for tap := range 9 {
								at := m*srcNext + ((pixel/side+tap/3)*padded+pixel%side+tap%3)*c.in
								for in := range c.in {
									sum += float64(src[at+in]) * float64(filters[(out*c.in+in)*9+tap])
								}
							}
							want[m*dstNext+pixel*c.out+out] = float32(sum)
							largest = max(largest, math.Abs(sum))
						}
					}
				}
				layer.Forward(dst, dstNext, src, srcNext, c.maps, guarded(t, rng, layer.Scratch(c.maps)))
				requireClose(t, want, dst, 1e-5*largest, "maps") // rounds as tiles of 6x6 do, see winograd.go
			})
		})
	}
}

// TestPanels holds the layout against its definition: full panels and others, rows and columns apart.
func TestPanels(t *testing.T) {
	for _, c := range []struct{ rows, k int }{{1, 1}, {16, 5}, {10, 3}, {32, 128}, {35, 9}} {
		t.Run(fmt.Sprint(c), func(t *testing.T) {
			eachWay(t, func(t *testing.T) {
				rng := rand.New(rand.NewPCG(13, 14))
				p := Panels{SrcRow: 3*c.k + 2, SrcCol: 3, Rows: c.rows, K: c.k, DstPanel: c.k*Panel + 7}
				p.Src = guarded(t, rng, (c.rows-1)*p.SrcRow+(c.k-1)*p.SrcCol+1)
				count := (c.rows + Panel - 1) / Panel
				p.Dst = guarded(t, rng, (count-1)*p.DstPanel+c.k*Panel)
				want := append([]float32(nil), p.Dst...)
				for panel := range count {
					for k := range c.k {
						for lane := range Panel {
							var v float32
							if r := panel*Panel + lane; r < c.rows {
								v = p.Src[r*p.SrcRow+k*p.SrcCol]
							}
							want[panel*p.DstPanel+k*Panel+lane] = v
						}
					}
				}
				p.Run()
				assert.Equal(t, want, p.Dst)
			})
		})
	}
}

func TestHalves(t *testing.T) {
	for n := range 20 {
		eachWay(t, func(t *testing.T) {
			rng := rand.New(rand.NewPCG(15, 16))
			raw := make([]byte, 2*n)
			for i := range raw {
				raw[i] = byte(i) << 1
			}
			got := guarded(t, rng, n)
			Halves(got, raw)
			for i, v := range got {
				assert.Equal(t, half(uint32(raw[2*i])|uint32(raw[2*i+1])<<8), v)
			}
		})
	}
}

func TestStream(t *testing.T) {
	for n := range 70 {
		for from := range 3 { // aligned or not
			eachWay(t, func(t *testing.T) {
				rng := rand.New(rand.NewPCG(15, 16))
				src, dst := guarded(t, rng, n), guarded(t, rng, n+from)
				Stream(dst[from:], src)
				assert.Equal(t, src, dst[from:])
			})
		}
	}
}

// TestPatch holds the samples against their definition, to the bit, taps at both ends of the picture among them.
func TestPatch(t *testing.T) {
	for _, c := range []struct{ rows, columns int }{{1, 1}, {2, 5}, {12, 12}} {
		t.Run(fmt.Sprint(c), func(t *testing.T) {
			eachWay(t, func(t *testing.T) {
				rng := rand.New(rand.NewPCG(17, 18))
				const size, line = 20, 20 * 3
				taps := func(n, stride int) []Tap {
					all := make([]Tap, n)
					for i := range all {
						w := rng.Float32()
						all[i] = Tap{int32(rng.IntN(size) * stride), int32(rng.IntN(size) * stride), 1 - w, w}
					}
					all[n-1].At0, all[n-1].At1 = int32((size-1)*stride), 0
					return all
				}
				p := Patch{DstPixel: 5, DstRow: 5*c.columns + 2, Image: guarded(t, rng, size*line), Rows: taps(c.rows, line), Columns: taps(c.columns, 3)}
				p.Dst = guarded(t, rng, (c.rows-1)*p.DstRow+(c.columns-1)*p.DstPixel+3)
				want := append([]float32(nil), p.Dst...)
				for i, row := range p.Rows {
					for j, column := range p.Columns {
						for colour := range int32(3) {
							side := func(at int32) float32 {
								return float32(row.Weight0*p.Image[row.At0+at+colour]) + float32(row.Weight1*p.Image[row.At1+at+colour])
							}
							want[i*p.DstRow+j*p.DstPixel+int(colour)] = float32(column.Weight0*side(column.At0)) + float32(column.Weight1*side(column.At1))
						}
					}
				}
				p.Run()
				assert.Equal(t, want, p.Dst)
			})
		})
	}
}

func TestPatchRefuses(t *testing.T) {
	inside, outside, before := []Tap{{At1: 3}}, []Tap{{At1: 4}}, []Tap{{At0: -1}}
	sample := func(rows, columns []Tap, dst int) func() {
		return func() {
			(&Patch{Dst: make([]float32, dst), Image: make([]float32, 9), Rows: rows, Columns: columns}).Run()
		}
	}
	assert.NotPanics(t, sample(inside, inside, 3))
	assert.Panics(t, sample(inside, outside, 3), "behind the picture")
	assert.Panics(t, sample(before, inside, 3), "before the picture")
	assert.Panics(t, sample(inside, inside, 2), "no room for three colours")
}

func TestConvPoolRefuses(t *testing.T) {
	assert.Panics(t, func() { NewConvPool(8, 4, 16) }, "maps of 8x8")
	assert.Panics(t, func() { NewConvPool(6, 3, 16) }, "three input channels")
	assert.Panics(t, func() { NewConvPool(6, 4, 24) }, "twenty-four output channels")
	c := NewConvPool(6, 4, 16)
	assert.Panics(t, func() {
		c.Forward(make([]float32, 9*16), 3*16, 16, make([]float32, 8*8*4-1), make([]float32, c.Scratch()))
	}, "a map that is one number short")
}

func newFloats(n int) []float32 { return make([]float32, n) }
func newHalves(n int) []uint16  { return make([]uint16, n) }

func TestStripConvRefuses(t *testing.T) {
	assert.Panics(t, func() { NewStripConv(8, 16) }, "eight input channels")
	assert.Panics(t, func() { NewStripConv(16, 24) }, "twenty-four output channels")
	c := NewStripConv(16, 16)
	x, y, scratch := make([]float32, 8*8*16), make([]float32, 6*6*16), make([]float32, c.Scratch(1))
	assert.Panics(t, func() { c.Forward(y, 0, x, 0, 1, scratch) }, "no filters yet")
	c.Load(make([]float32, 16*16*9), newFloats, newHalves)
	assert.NotPanics(t, func() { c.Forward(y, 0, x, 0, 1, scratch) })
	assert.Panics(t, func() { c.Forward(y, 0, x[1:], 0, 1, scratch) }, "a map that is one number short")
	assert.Panics(t, func() { c.Forward(y, 0, x, 1, 2, scratch) }, "no room for a second map")
	assert.Panics(t, func() { c.Forward(y, 0, x, 0, 2, scratch) }, "no scratch for a second map")
	assert.Panics(t, func() { c.Forward(y, 0, x, 0, 0, scratch) }, "no map")
}

func TestColumns(t *testing.T) {
	for _, c := range []struct{ rows, channels, stride int }{{1, 16, 16}, {7, 32, 35}, {144, 128, 128}} {
		t.Run(fmt.Sprint(c), func(t *testing.T) {
			eachWay(t, func(t *testing.T) {
				rng := rand.New(rand.NewPCG(5, 6))
				m := Columns{Src: guarded(t, rng, (c.rows-1)*c.stride+c.channels), Stride: c.stride, Rows: c.rows, Channels: c.channels}
				mean, got := guarded(t, rng, c.channels), guarded(t, rng, c.channels)
				sums, squares := make([]float32, c.channels), make([]float32, c.channels)
				for ch := range c.channels {
					var sum, square float64
					for r := range c.rows {
						v := float64(m.Src[r*c.stride+ch])
						sum += v
						square += (v - float64(mean[ch])) * (v - float64(mean[ch]))
					}
					sums[ch], squares[ch] = float32(sum), float32(square)
				}
				m.Sums(got)
				requireClose(t, sums, got, 1e-4, "sums")
				m.Squares(got, mean)
				requireClose(t, squares, got, 1e-3, "squares")
			})
		})
	}
}

// TestPool holds the fused passes against a definition written out window by window: with ties,
// with negative scales, with windows that die in the ReLU.
func TestPool(t *testing.T) {
	for _, c := range []struct{ rows, cols, channels int }{{1, 1, 8}, {2, 3, 24}, {6, 6, 128}} {
		t.Run(fmt.Sprint(c), func(t *testing.T) {
			eachWay(t, func(t *testing.T) {
				rng := rand.New(rand.NewPCG(7, 8))
				p := Pool{Rows: c.rows, Cols: c.cols, Channels: c.channels, Table: NewTable(c.channels)}
				p.YPixel, p.TopPixel, p.PooledPixel, p.DYPixel = c.channels, c.channels+24, c.channels+8, c.channels+16
				p.YRow, p.PooledRow, p.DYRow = 2*c.cols*p.YPixel+3, c.cols*p.PooledPixel+5, 2*c.cols*p.DYPixel+7
				p.TopRow = c.cols*p.TopPixel + 9
				p.Y = guarded(t, rng, (2*c.rows-1)*p.YRow+(2*c.cols-1)*p.YPixel+c.channels)
				p.DY = guarded(t, rng, (2*c.rows-1)*p.DYRow+(2*c.cols-1)*p.DYPixel+c.channels)
				p.Top = guarded(t, rng, (c.rows-1)*p.TopRow+(c.cols-1)*p.TopPixel+c.channels)
				p.Pooled = guarded(t, rng, (c.rows-1)*p.PooledRow+(c.cols-1)*p.PooledPixel+c.channels)
				for i := range p.Y { // quarters, so that ties are common and z is exact
					p.Y[i] = float32(rng.IntN(9)-4) / 4
				}
				for ch := range c.channels {
					p.Table.Set(TableScale, ch, float32(rng.IntN(5)-2)/2)
					p.Table.Set(TableShift, ch, float32(rng.IntN(3)-1)/4)
				}
				at := func(r, col, i, ch int) int { return (2*r+i/2)*p.YRow + (2*col+i%2)*p.YPixel + ch }
				z := func(r, col, i, ch int) float32 {
					return p.Table.At(TableScale, ch)*p.Y[at(r, col, i, ch)] + p.Table.At(TableShift, ch)
				}
				winner := func(r, col, ch int) (best int) {
					for i := range 4 {
						if z(r, col, i, ch) > z(r, col, best, ch) {
							best = i
						}
					}
					return best
				}
				each := func(f func(r, col, ch int, top, pooled *float32)) {
					for r := range c.rows {
						for col := range c.cols {
							for ch := range c.channels {
								f(r, col, ch, &p.Top[r*p.TopRow+col*p.TopPixel+ch], &p.Pooled[r*p.PooledRow+col*p.PooledPixel+ch])
							}
						}
					}
				}
				p.Forward()
				each(func(r, col, ch int, _, pooled *float32) {
					require.Equal(t, max(0, z(r, col, winner(r, col, ch), ch)), *pooled, "Forward")
					*pooled = 7
				})
				p.Select()
				p.Apply()
				each(func(r, col, ch int, top, pooled *float32) {
					best := winner(r, col, ch)
					require.Equal(t, p.Y[at(r, col, best, ch)], *top, "Select")
					require.Equal(t, max(0, z(r, col, best, ch)), *pooled, "Apply")
				})

				// From here on Pooled holds the gradient.
				sums, want := NewSums(c.channels), NewSums(c.channels)
				each(func(_, _, _ int, _, pooled *float32) { *pooled = float32(rng.IntN(17)-8) / 8 })
				for ch := range c.channels {
					p.Table.Set(TableMean, ch, float32(rng.IntN(5)-2)/4)
					p.Table.Set(TableSlope, ch, float32(rng.IntN(5)-2)/4)
				}
				wantDY := append([]float32(nil), p.DY...)
				each(func(r, col, ch int, top, pooled *float32) {
					best := winner(r, col, ch)
					for i := range 4 {
						d := &wantDY[(2*r+i/2)*p.DYRow+(2*col+i%2)*p.DYPixel+ch]
						*d = p.Table.At(TableMean, ch) - p.Table.At(TableSlope, ch)*p.Y[at(r, col, i, ch)]
						if i == best && z(r, col, i, ch) > 0 {
							*d += p.Table.At(TableScale, ch) * *pooled
							want.Add(0, ch, *pooled)
							want.Add(1, ch, *pooled*(p.Y[at(r, col, i, ch)]-p.Table.At(TableMean, ch)))
						}
					}
				})
				p.GradientSums(sums)
				requireClose(t, want, sums, 1e-6, "sums")
				p.Gradient()
				requireClose(t, wantDY, p.DY, 1e-6, "DY")
			})
		})
	}
}

// TestLSTM holds the pointwise half of the cell against its equations in float64, at both ends of
// every activation, and the fast kernel against the bits of the portable one.
func TestLSTM(t *testing.T) {
	for _, c := range []struct{ cells, units int }{{1, 1}, {1, 2}, {3, 5}, {2, 128}} {
		t.Run(fmt.Sprint(c), func(t *testing.T) {
			var bits [][]float32
			eachWay(t, func(t *testing.T) {
				rng := rand.New(rand.NewPCG(9, 10))
				n := c.cells * c.units
				l := LSTM{Gates: guarded(t, rng, 4*n), C: guarded(t, rng, n), H: guarded(t, rng, n), Cells: c.cells, Units: c.units}
				l.CPrev = l.C // as evaluation has it
				for i := range l.Gates {
					l.Gates[i] *= []float32{1, 20, 1e-6, 1e4}[i%4]
				}
				sigmoid := func(x float32) float64 { return 1 / (1 + math.Exp(-float64(x))) }
				gates, cNew, h := make([]float32, 4*n), make([]float32, n), make([]float32, n)
				for i := range n {
					at := i/c.units*4*c.units + i%c.units
					pre := func(gate int) float32 { return l.Gates[at+gate*c.units] }
					in, forget, cell, out := sigmoid(pre(0)), sigmoid(pre(1)), math.Tanh(float64(pre(2))), sigmoid(pre(3))
					now := forget*float64(l.CPrev[i]) + in*cell
					for gate, v := range []float64{in, forget, cell, out} {
						gates[at+gate*c.units] = float32(v)
					}
					cNew[i], h[i] = float32(now), float32(out*math.Tanh(now))
				}
				l.Run()
				requireClose(t, gates, l.Gates, 1e-7, "gates")
				requireClose(t, cNew, l.C, 1e-6, "c")
				requireClose(t, h, l.H, 1e-6, "h")
				bits = append(bits, l.Gates, l.C, l.H)
			})
			for i := 3; i < len(bits); i++ {
				assert.Equal(t, bits[i-3], bits[i])
			}
		})
	}
}

// TestLSTMKeepsNaN: a network that has gone wrong must not look right.
func TestLSTMKeepsNaN(t *testing.T) {
	eachWay(t, func(t *testing.T) {
		nan := float32(math.NaN())
		l := LSTM{Gates: []float32{nan, 0, 0, nan, 0, 0, 0, 0}, C: make([]float32, 2), H: make([]float32, 2), CPrev: make([]float32, 2), Cells: 1, Units: 2}
		l.Run()
		assert.True(t, math.IsNaN(float64(l.H[0])), "NaN in the input gate")
		assert.True(t, math.IsNaN(float64(l.H[1])), "NaN in the forget gate")
	})
}

func BenchmarkGemm(b *testing.B) {
	for _, c := range []struct {
		name string
		g    Gemm
	}{
		{"first convolution", Gemm{Outer: 12, Rows: 12, Columns: 128, Segments: 3, K: 36, AOuter: 168, ARow: 12, ASegment: 168, ACol: 1, BPanel: 108 * 16, BSegment: 36 * 16, BRow: 16, COuter: 12 * 128, CRow: 128}},
		{"Winograd point", Gemm{Rows: 24, Columns: 256, K: 128, ARow: 128, ACol: 1, BPanel: 128 * 16, BRow: 16, CRow: 256}},
		{"Winograd point, weight gradient", Gemm{Rows: 128, Columns: 256, K: 512, ARow: 1, ACol: 128, BPanel: 512 * 16, BRow: 16, CRow: 256, Add: true}},
	} {
		b.Run(c.name, func(b *testing.B) {
			g := c.g
			g.A, g.B, g.C = make([]float32, 1<<18), make([]float32, 1<<18), make([]float32, 1<<18)
			for b.Loop() {
				g.Run()
			}
			macs := max(g.Outer, 1) * g.Rows * g.Columns * max(g.Segments, 1) * g.K
			b.ReportMetric(float64(macs)*2*float64(b.N)/b.Elapsed().Seconds()/1e9, "GFLOP/s")
		})
	}
}
