// Package glimpse is the retina: square patches around a point of the picture, every patch
// as many pixels as the one before and covering twice its width.
//
// Pictures are [row][column][colour] float32 in 0..1. A place is (x, y) in -1..1, x the
// column; (-1,-1) is the outer corner of the top left pixel.
//
// Where to look is decided here, in readable Go; package kernel does the sampling.
package glimpse

import "gdram/core/kernel"

// maxPatch bounds the patch so that a row of taps fits on the stack.
const maxPatch = 32

// Sensor samples glimpses. It is read-only after NewSensor, so one serves any number of
// goroutines.
type Sensor struct {
	size, channels, patch, scales int

	base []float32 // [patch] column (or row) of the patch, -(patch-1)/patch .. (patch-1)/patch
	zoom []float32 // [scales] half the width of a patch, 1 being half the picture
}

// NewSensor returns a sensor for square pictures of size pixels a side and the given number
// of colours. A glimpse is scales patches of patch x patch pixels.
//
// With align_corners = false as PyTorch's affine_grid has it, and the reference's zoom:
//
//	base[j] = (-1 + 2j/(patch-1)) * (patch-1)/patch
//	zoom[k] = patch/(size-1) * 2^k
//
// The reference divides by size-1, so neighbouring pixels of patch 0 lie 128/127 pixels
// apart in a picture of 128.
func NewSensor(size, channels, patch, scales int) *Sensor {
	if size < 2 || channels < 1 || patch < 2 || patch > maxPatch || scales < 1 {
		panic("glimpse: NewSensor: want a size of 2 or more, a patch of 2 to 32, channels and scales of 1 or more")
	}
	s := &Sensor{size: size, channels: channels, patch: patch, scales: scales}
	s.base = make([]float32, patch)
	for j := range s.base {
		s.base[j] = float32((-1 + float64(2*j)/float64(patch-1)) * float64(patch-1) / float64(patch))
	}
	s.zoom = make([]float32, scales)
	for k := range s.zoom {
		s.zoom[k] = float32(float64(patch) / float64(size-1) * float64(int(1)<<k))
	}
	return s
}

// Channels is the number of channels of a glimpse: scales * colours.
func (s *Sensor) Channels() int { return s.scales * s.channels }

// Grid returns where pixel (row i, column j) of the patch of the given scale looks when the
// glimpse is centred on (x, y). The place may lie outside -1..1.
func (s *Sensor) Grid(scale, i, j int, x, y float32) (gridX, gridY float32) {
	return s.coordinate(scale, j, x), s.coordinate(scale, i, y)
}

func (s *Sensor) coordinate(scale, j int, centre float32) float32 {
	return float32(s.base[j]*s.zoom[scale]) + centre
}

// tap turns a coordinate in -1..1 into pixels:
//
//	p = ((coordinate + 1)*size - 1) / 2
//
// stride is how far apart they lie. A pixel outside the picture counts 0. Inside and outside are decided for each axis apart,
// so weight 0 on a clamped index is the whole rule and the sampling loop needs no branch.
func (s *Sensor) tap(coordinate float32, stride int) kernel.Tap {
	p := (float32((coordinate+1)*float32(s.size)) - 1) / 2
	last := float32(s.size)
	if !(p > -1 && p < last) { // NaN as well: both pixels are outside
		return kernel.Tap{}
	}
	at := int(p+1) - 1 // floor, for p > -1
	fraction := p - float32(at)
	if fraction < 0 { // p+1 was rounded up to the next whole number
		at--
		fraction++
	}
	t := kernel.Tap{At0: int32(at * stride), At1: int32((at + 1) * stride), Weight0: 1 - fraction, Weight1: fraction}
	if at < 0 {
		t.At0, t.Weight0 = 0, 0
	}
	if at+1 >= s.size {
		t.At1, t.Weight1 = int32((s.size-1)*stride), 0
	}
	return t
}

// taps writes where the columns and rows of the patch of the given scale lie.
func (s *Sensor) taps(columns, rows []kernel.Tap, scale int, x, y float32) {
	for j := range columns {
		columns[j] = s.tap(s.coordinate(scale, j, x), s.channels)
		rows[j] = s.tap(s.coordinate(scale, j, y), s.size*s.channels)
	}
}

// Sample writes the glimpse of image centred on (x, y). Channel k*colours + colour of patch
// pixel (row i, column j) goes to
//
//	dst[i*rowStride + j*pixelStride + k*colours + colour]
//
// so a glimpse can be written straight into the middle of a zero-padded map. Elements of
// dst in between are left alone. image is [size][size][colours].
func (s *Sensor) Sample(dst []float32, rowStride, pixelStride int, image []float32, x, y float32) {
	if len(image) != s.size*s.size*s.channels {
		panic("glimpse: Sample: the image is not [size][size][channels]")
	}
	var columns, rows [maxPatch]kernel.Tap
	for k := range s.scales {
		s.taps(columns[:s.patch], rows[:s.patch], k, x, y)
		s.samplePatch(dst[k*s.channels:], rowStride, pixelStride, image, rows[:s.patch], columns[:s.patch])
	}
}

// samplePatch writes one patch.
func (s *Sensor) samplePatch(dst []float32, rowStride, pixelStride int, image []float32, rows, columns []kernel.Tap) {
	if s.channels == 3 {
		patch := kernel.Patch{Dst: dst, DstRow: rowStride, DstPixel: pixelStride, Image: image, Rows: rows, Columns: columns}
		patch.Run()
		return
	}
	for i, row := range rows {
		s.sampleRow(dst[i*rowStride:], pixelStride, image[row.At0:], image[row.At1:], row, columns)
	}
}

// Gradient returns the gradient of the place (x, y) of a glimpse, dglimpse being that of the glimpse, laid out as Sample
// wrote it. A picture between two pixels is a straight line, so it is the slope of that line; on a pixel, of the one to its right
// or below. scratch holds [patch][patch][colours].
func (s *Sensor) Gradient(dglimpse []float32, rowStride, pixelStride int, image []float32, x, y float32, scratch []float32) (dx, dy float32) {
	if len(image) != s.size*s.size*s.channels {
		panic("glimpse: Gradient: the image is not [size][size][channels]")
	}
	scratch = scratch[:s.patch*s.patch*s.channels]
	var columns, rows, columnSlopes, rowSlopes [maxPatch]kernel.Tap
	for k := range s.scales {
		s.taps(columns[:s.patch], rows[:s.patch], k, x, y)
		for j := range s.patch {
			columnSlopes[j], rowSlopes[j] = s.slope(columns[j]), s.slope(rows[j])
		}
		along := func(rows, columns []kernel.Tap) (sum float32) {
			s.samplePatch(scratch, s.patch*s.channels, s.channels, image, rows, columns)
			for i := range s.patch {
				for j := range s.patch {
					slopes := scratch[(i*s.patch+j)*s.channels:][:s.channels]
					for colour, d := range dglimpse[i*rowStride+j*pixelStride+k*s.channels:][:s.channels] {
						sum += float32(d * slopes[colour])
					}
				}
			}
			return sum
		}
		dx += along(rows[:s.patch], columnSlopes[:s.patch])
		dy += along(rowSlopes[:s.patch], columns[:s.patch])
	}
	return dx, dy
}

// slope is the derivative of a tap by its coordinate. A neighbour outside the picture, which counts 0, stands still.
func (s *Sensor) slope(t kernel.Tap) kernel.Tap {
	pixels := float32(s.size) / 2 // of a step of 1
	inside := t.At0 != t.At1
	slope := kernel.Tap{At0: t.At0, At1: t.At1}
	if inside || t.Weight0 > 0 {
		slope.Weight0 = -pixels
	}
	if inside || t.Weight1 > 0 {
		slope.Weight1 = pixels
	}
	return slope
}

// sampleRow writes one row of a patch, any number of colours.
func (s *Sensor) sampleRow(out []float32, pixelStride int, top, bottom []float32, row kernel.Tap, columns []kernel.Tap) {
	for j := range columns {
		column := &columns[j]
		for colour := range int32(s.channels) {
			left := float32(row.Weight0*top[column.At0+colour]) + float32(row.Weight1*bottom[column.At0+colour])
			right := float32(row.Weight0*top[column.At1+colour]) + float32(row.Weight1*bottom[column.At1+colour])
			out[j*pixelStride+int(colour)] = float32(column.Weight0*left) + float32(column.Weight1*right)
		}
	}
}

// Thumbnail writes the whole picture reduced to out x out pixels, the context of the first
// look: row and column i of it are floor(i*size/out) of the picture, nothing is averaged.
// Colour of pixel (i, j) goes to dst[i*rowStride + j*pixelStride + colour]; image is
// [size][size][channels].
func Thumbnail(dst []float32, rowStride, pixelStride int, image []float32, size, channels, out int) {
	for i := range out {
		row := i * size / out
		for j := range out {
			column := j * size / out
			copy(dst[i*rowStride+j*pixelStride:][:channels], image[(row*size+column)*channels:])
		}
	}
}
