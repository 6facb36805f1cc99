package pixels

import "gdram/core/kernel"

// shrink fills out [Size][Size][3] with what a Resizer makes of rgba [height][width][4] laid on white, to the bit. Photographs have
// many pixels, so it leaves them in fours, for which kernel has vectors.
func shrink(out, rgba []uint8, width, height int) {
	columns, rows := axes(width, height)
	first, weights := columns.uniform()
	taps := len(weights) / Size

	between := make([]uint8, (rows.hi-rows.lo)*line) // [rows.hi-rows.lo][Size][4]
	// A row as it may have to be made: opaque, and as wide as a filter.
	made := make([]uint8, 4*max(columns.hi-columns.lo, taps))
	for y := rows.lo; y < rows.hi; y++ {
		row := rgba[(y*width+columns.lo)*4:][:(columns.hi-columns.lo)*4]
		if len(row) < len(made) || !opaque(row) {
			for i := 0; i < len(row); i += 4 {
				*(*[4]uint8)(made[i:]) = overWhite([4]uint8(row[i:]))
			}
			row = made
		}
		kernel.Across(between[(y-rows.lo)*line:][:line], row, first, weights)
	}

	var sum [line]uint8
	for y, t := range rows.taps {
		kernel.Down(sum[:], between[(t.first-rows.lo)*line:], t.weights)
		to := out[y*Size*3:][:Size*3]
		for i, j := 0, 0; i < len(to); i, j = i+3, j+4 {
			to[i], to[i+1], to[i+2] = sum[j], sum[j+1], sum[j+2]
		}
	}
}

const line = Size * 4

// uniform is the filters as kernel.Across wants them: all as long as the longest, in fours, from positions counted from lo on. They are
// filled up with zeros, behind or, at the picture's end, before the weights.
func (a *axis) uniform() (first []int32, weights []uint32) {
	longest := 0
	for _, t := range a.taps {
		longest = max(longest, len(t.weights))
	}
	longest = (longest + 3) / 4 * 4
	first, weights = make([]int32, len(a.taps)), make([]uint32, len(a.taps)*longest)
	for i, t := range a.taps {
		from := max(0, min(t.first-a.lo, a.hi-a.lo-longest))
		first[i] = int32(from)
		copy(weights[i*longest+t.first-a.lo-from:], t.weights)
	}
	return first, weights
}
