//go:build simd && !purego

package kernel

import "math"

// check is a kernel of the module on small numbers, and what its portable twin makes of them: the sum of all it writes, each
// times a weight of its own. The portable kernels are not asked when the program starts: whoever waits for the first answer would
// wait for them, and for the browser, which would optimise them.
type check struct {
	run  func(to, in []float32)
	want float64
}

// checks are one for every kernel of the module. TestChecks holds the sums to the portable kernels, and prints them when they are to change.
var checks = [...]check{
	{func(to, in []float32) { Halves(to, rawBytes(2*len(in))) }, 16.067109663039446},
	{func(to, in []float32) {
		raw := rawBytes(2 * len(in))
		shares := []uint32{1 << 20, 1 << 20, 1 << 21, 0, 3, 1 << 21, 1 << 20, 1<<20 - 3}
		var row [16]byte
		Across(row[:8], raw, []int32{1, 20}, shares)
		Down(row[:], append(row[:], raw[:3*16]...), shares[4:])
		for i, b := range row {
			to[i] = float32(b)
		}
	}, 580.71875},
	{func(to, in []float32) {
		taps := []Tap{{0, 3, 0.25, 0.75}, {33, 36, 1, 0}, {6, 390, 0.5, 0.5}}
		p := Patch{Dst: to, DstRow: 50, DstPixel: 5, Image: in, Rows: taps, Columns: taps[:2]}
		p.Run()
	}, -0.61773681640625},
	{func(to, in []float32) {
		p := Panels{Dst: to, DstPanel: 7 * Panel, Src: in, SrcRow: 9, SrcCol: 2, Rows: 2*Panel + 3, K: 7}
		p.Run()
	}, -21.30859375},
	{func(to, in []float32) { checkedLayer(to, in, 12, 4) }, 177.61207594769076},
	{func(to, in []float32) { checkedLayer(to, in, 6, 8) }, 73.41570498188958},
	{func(to, in []float32) {
		d := Dense{Rows: 2, In: 17, Out: 2 * Panel, X: in, Weight: in, Bias: in, Y: to, ReLU: true}
		d.Run()
	}, 31.35955810546875},
	{func(to, in []float32) {
		copy(to, in[:4*6])
		l := LSTM{Gates: to, C: to[4*6:], H: to[5*6:], CPrev: in, Cells: 1, Units: 6}
		l.Run()
	}, 2.6927481709280983},
}

// rawBytes are those of halves, none with an exponent so large that rounding would show.
func rawBytes(n int) []byte {
	raw := make([]byte, n)
	for i := range raw {
		raw[i] = byte(i*i%251) &^ 0x40
	}
	return raw
}

func checkedLayer(to, in []float32, side, channels int) {
	c := NewConvPool(side, channels, Panel)
	c.Load(0, in, channels-1, in, in[8:])
	c.Forward(to, side/2*Panel, Panel, in, make([]float32, c.Scratch()))
}

// sum runs a check with the kernels in use.
func (c *check) sum() float64 {
	var in [1024]float32
	for i := range in {
		in[i] = float32(i*i%31-15) / 16
	}
	var to [576]float32
	c.run(to[:], in[:])
	var sum float64
	for i, v := range to {
		sum += float64(v) * float64(1+i*37%64) / 64
	}
	return sum
}

// agrees runs the checks.
func agrees() bool {
	fast = true
	for i := range checks {
		if !(math.Abs(checks[i].sum()-checks[i].want) <= 1e-4) { // NaN differs too
			return false
		}
	}
	return true
}
