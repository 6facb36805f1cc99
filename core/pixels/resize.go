package pixels

import "math"

// Resizer enlarges or shrinks pictures of one size so that their short side becomes Size,
// and keeps the middle Size x Size of that. It holds the filter and the working memory:
// Resize allocates nothing. One goroutine at a time.
type Resizer struct {
	channels int
	width    int // of the source, in pixels
	columns  axis
	rows     axis
	between  []uint8  // [rows.hi-rows.lo][len(columns.taps)][channels]: resized along x
	sums     []uint32 // [len(columns.taps)][channels]
}

// NewResizer prepares for sources of width x height pixels, each at least 1, with the
// channels of a pixel side by side.
func NewResizer(width, height, channels int) *Resizer {
	outWidth, outHeight := Size, Size
	if width > height {
		outWidth = Size * width / height
	} else {
		outHeight = Size * height / width
	}
	return newResizer(width, height, channels,
		newAxis(width, outWidth, (outWidth-Size)/2, Size),
		newAxis(height, outHeight, (outHeight-Size)/2, Size))
}

func newResizer(width, height, channels int, columns, rows axis) *Resizer {
	stride := len(columns.taps) * channels
	return &Resizer{
		channels: channels, width: width, columns: columns, rows: rows,
		between: make([]uint8, (rows.hi-rows.lo)*stride),
		sums:    make([]uint32, stride),
	}
}

// Resize reads src [height][width][channels] and fills dst [Size][Size][channels].
func (r *Resizer) Resize(dst, src []uint8) {
	for y := r.rows.lo; y < r.rows.hi; y++ {
		r.alongX(y, src[(y*r.width+r.columns.lo)*r.channels:])
	}
	r.alongY(dst)
}

// alongX resizes source row y, of which row holds the pixels from column columns.lo on.
// The result is rounded to bytes before the second pass: the reference does, and
// agreeing with it to the bit is what this filter is for.
func (r *Resizer) alongX(y int, row []uint8) {
	ch := r.channels
	stride := len(r.columns.taps) * ch
	out := r.between[(y-r.rows.lo)*stride:][:stride]
	at := 0
	for _, t := range r.columns.taps {
		from := (t.first - r.columns.lo) * ch
		for c := range ch {
			sum := uint32(half)
			p := from + c
			for _, k := range t.weights {
				sum += k * uint32(row[p])
				p += ch
			}
			out[at] = toByte(sum)
			at++
		}
	}
}

func (r *Resizer) alongY(dst []uint8) {
	stride := len(r.sums)
	for o, t := range r.rows.taps {
		out := dst[o*stride:][:stride]
		rows := r.between[(t.first-r.rows.lo)*stride:]
		if len(t.weights) == 2 { // almost every row when enlarging, as data sets do
			a, b := rows[:stride], rows[stride:][:stride]
			k, l := t.weights[0], t.weights[1]
			for i := range out {
				out[i] = toByte(half + k*uint32(a[i]) + l*uint32(b[i]))
			}
			continue
		}
		for i := range r.sums {
			r.sums[i] = half
		}
		for j, k := range t.weights {
			row := rows[j*stride:][:stride]
			for i, v := range row {
				r.sums[i] += k * uint32(v)
			}
		}
		for i, sum := range r.sums {
			out[i] = toByte(sum)
		}
	}
}

// Weights are integers in units of 2^-22: a sum of bytes under weights that add up to one,
// plus the rounding half, stays within 32 bits.
const (
	bits = 22
	half = 1 << (bits - 1)
)

func toByte(sum uint32) uint8 { return uint8(min(sum>>bits, 255)) }

// axis is the filter along one direction, for a window of its output.
type axis struct {
	taps   []tap // one for every output position of the window
	lo, hi int   // the source positions that the window needs: lo <= position < hi
}

// tap says which source positions make one output position.
type tap struct {
	first   int // source position of weights[0]
	weights []uint32
}

// newAxis computes the triangle filter from in to out positions, for the n outputs from
// start on. Enlarging it is bilinear; shrinking it widens to cover every source position.
func newAxis(in, out, start, n int) axis {
	scale := float64(in) / float64(out)
	support := max(scale, 1)
	a := axis{taps: make([]tap, n), lo: in}
	w := make([]float64, 0, int(2*support)+2)
	for o := range n {
		// The conversion keeps the product from being fused into the sums below.
		centre := float64((float64(start+o) + 0.5) * scale)
		first := max(int(centre-support+0.5), 0)
		end := min(int(centre+support+0.5), in)
		w = w[:0]
		total := 0.0
		for t := first; t < end; t++ {
			v := max(0, 1-math.Abs(float64(t)-centre+0.5)/support)
			w = append(w, v)
			total += v
		}
		weights := make([]uint32, len(w))
		for i, v := range w {
			weights[i] = uint32(0.5 + float64(v/total*(1<<bits)))
		}
		a.taps[o] = tap{first, weights}
		a.lo, a.hi = min(a.lo, first), max(a.hi, end)
	}
	return a
}
