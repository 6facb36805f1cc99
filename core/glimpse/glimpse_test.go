package glimpse

import (
	"fmt"
	"math"
	"math/rand/v2"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"gdram/core/internal/golden"
)

// picture returns picture b of a stored tensor [B][channels][size][size] as
// [size][size][channels].
func picture[T uint8 | float32](stored []T, b, size, channels int, value func(T) float32) []float32 {
	image := make([]float32, size*size*channels)
	for c := range channels {
		for p := range size * size {
			image[p*channels+c] = value(stored[(b*channels+c)*size*size+p])
		}
	}
	return image
}

func fromByte(v uint8) float32    { return float32(v) / 255 }
func fromFloat(v float32) float32 { return v }

func TestParityGlimpse(t *testing.T) {
	for _, f := range golden.Open(t, "glimpse") {
		images := picture(f.U8("image"), 0, 128, 3, fromByte)
		small := f.F32("small/image")
		for _, c := range []struct {
			prefix                        string
			size, channels, patch, scales int
			image                         func(b int) []float32
		}{
			{"", 128, 3, 12, 4, func(int) []float32 { return images }},
			{"small/", 64, 1, 8, 3, func(b int) []float32 { return picture(small, b, 64, 1, fromFloat) }},
		} {
			s := NewSensor(c.size, c.channels, c.patch, c.scales)
			places, want := f.F32(c.prefix+"locations"), f.F32(c.prefix+"glimpse")
			channels, area := s.Channels(), c.patch*c.patch
			require.Len(t, want, len(places)/2*channels*area)
			dst := make([]float32, area*channels)
			for b := range len(places) / 2 {
				s.Sample(dst, c.patch*channels, channels, c.image(b), places[2*b], places[2*b+1])
				for ch := range channels {
					for p := range area {
						require.InDelta(t, want[(b*channels+ch)*area+p], dst[p*channels+ch], 5e-5,
							"%s: %sglimpse %d, channel %d, pixel %d", f.Name, c.prefix, b, ch, p)
					}
				}
			}
		}
	}
}

func TestParityGrid(t *testing.T) {
	for _, f := range golden.Open(t, "glimpse") {
		s := NewSensor(128, 3, 12, 4)
		assert.InDeltaSlice(t, f.F32("base_coords"), s.base, 1e-7)
		places, want := f.F32("locations"), f.F32("grid_loc14") // [4][12][12][2]
		for k := range 4 {
			for i := range 12 {
				for j := range 12 {
					x, y := s.Grid(k, i, j, places[28], places[29])
					at := ((k*12+i)*12 + j) * 2
					require.InDelta(t, want[at], x, 2e-7, "x of scale %d, row %d, column %d", k, i, j)
					require.InDelta(t, want[at+1], y, 2e-7, "y of scale %d, row %d, column %d", k, i, j)
				}
			}
		}
	}
}

func TestParityThumbnail(t *testing.T) {
	for _, f := range golden.Open(t, "glimpse") {
		image := picture(f.U8("image"), 0, 128, 3, fromByte)
		want := picture(f.F32("nearest_image_12"), 0, 12, 3, fromFloat)
		got := make([]float32, 12*12*3)
		Thumbnail(got, 12*3, 3, image, 128, 3, 12)
		assert.Equal(t, want, got)

		rows := make([]float32, 128*128)
		for p := range rows {
			rows[p] = float32(p / 128)
		}
		picked := make([]float32, 12*12)
		Thumbnail(picked, 12, 1, rows, 128, 1, 12)
		for i, row := range f.I32("nearest_index_128_to_12") {
			assert.EqualValues(t, row, picked[12*i], "row %d of the thumbnail", i)
		}
	}
}

// sampleAt is the definition, tap by tap in float64: every pixel outside counts 0.
func sampleAt(image []float32, size, channels, colour int, x, y float64) float64 {
	px, py := ((x+1)*float64(size)-1)/2, ((y+1)*float64(size)-1)/2
	x0, y0 := math.Floor(px), math.Floor(py)
	var sum float64
	for _, d := range [][2]float64{{0, 0}, {0, 1}, {1, 0}, {1, 1}} {
		column, row := int(x0+d[0]), int(y0+d[1])
		if column < 0 || column >= size || row < 0 || row >= size {
			continue
		}
		weight := (1 - math.Abs(px-x0-d[0])) * (1 - math.Abs(py-y0-d[1]))
		sum += weight * float64(image[(row*size+column)*channels+colour])
	}
	return sum
}

func TestSampleAgainstDefinition(t *testing.T) {
	for _, c := range []struct{ size, channels, patch, scales int }{
		{128, 3, 12, 4},
		{128, 1, 12, 4},
		{17, 2, 5, 3},
		{2, 3, 2, 1},
	} {
		s := NewSensor(c.size, c.channels, c.patch, c.scales)
		image := make([]float32, c.size*c.size*c.channels)
		for i := range image {
			image[i] = float32(i*2654435761%251) / 250
		}
		// Written into the middle of a padded map, as the network does.
		pixel := s.Channels()
		row := (c.patch + 2) * pixel
		dst := make([]float32, (c.patch+2)*row)
		for _, place := range [][2]float32{{0, 0}, {0.3, -0.7}, {-0.90625, 0.90625}, {1, 1}, {-1, -1}, {-3, 5}, {1e30, -1e30}} {
			for i := range dst {
				dst[i] = -7
			}
			s.Sample(dst[row+pixel:], row, pixel, image, place[0], place[1])
			for i := range c.patch + 2 {
				for j := range c.patch + 2 {
					for ch := range pixel {
						got := dst[i*row+j*pixel+ch]
						if i == 0 || j == 0 || i > c.patch || j > c.patch {
							require.EqualValues(t, -7, got, "the border is not the sensor's")
							continue
						}
						x, y := s.Grid(ch/c.channels, i-1, j-1, place[0], place[1])
						want := sampleAt(image, c.size, c.channels, ch%c.channels, float64(x), float64(y))
						require.InDelta(t, want, got, 5e-5, "%+v at %v: row %d, column %d, channel %d", c, place, i-1, j-1, ch)
					}
				}
			}
		}
	}
}

// Around whole pixels, the edges above all, rounding must neither leave the picture nor bend
// the weights.
func TestTapsAtWholePixels(t *testing.T) {
	for _, size := range []int{2, 3, 17, 64, 100, 128, 1000} {
		s := NewSensor(size, 1, 2, 1)
		for pixel := -1; pixel <= size; pixel++ {
			coordinate := float32(2*pixel+1)/float32(size) - 1
			for range 20 {
				coordinate = math.Nextafter32(coordinate, -3)
			}
			for range 40 {
				got := s.tap(coordinate, 1)
				for _, at := range []int32{got.At0, got.At1} {
					require.True(t, 0 <= at && int(at) < size, "size %d: pixel %d at coordinate %v", size, at, coordinate)
				}
				for _, weight := range []float32{got.Weight0, got.Weight1} {
					require.True(t, 0 <= weight && weight <= 1, "size %d: weight %v at coordinate %v", size, weight, coordinate)
				}
				coordinate = math.Nextafter32(coordinate, 3)
			}
		}
	}
}

// TestGradient compares the slope of a glimpse with the difference between two beside it, in places where no pixel of the
// glimpse crosses one of the picture on the way; also at the border, and beyond it.
func TestGradient(t *testing.T) {
	rng := rand.New(rand.NewPCG(5, 0))
	for _, channels := range []int{1, 3} {
		const size, patch, scales, h = 32, 5, 2, 1. / 65536
		s := NewSensor(size, channels, patch, scales)
		image := make([]float32, size*size*channels)
		for i := range image {
			image[i] = rng.Float32()
		}
		pixel := s.Channels() + 1
		d := make([]float32, patch*patch*pixel)
		for i := range d {
			d[i] = rng.Float32() - 0.5
		}
		loss := func(x, y float64) (sum float64) {
			for k := range scales {
				for i := range patch {
					for j := range patch {
						gridX, gridY := s.Grid(k, i, j, 0, 0)
						for colour := range channels {
							sum += float64(d[(i*patch+j)*pixel+k*channels+colour]) * sampleAt(image, size, channels, colour, x+float64(gridX), y+float64(gridY))
						}
					}
				}
			}
			return sum
		}
		scratch := make([]float32, patch*patch*channels)
		for _, place := range [][2]float32{{0.01, -0.02}, {0.3, 0.4}, {-0.93, 0.2}, {0.1, 0.97}, {-1.02, -0.98}, {1.05, 1.01}} {
			dx, dy := s.Gradient(d, patch*pixel, pixel, image, place[0], place[1], scratch)
			x, y := float64(place[0]), float64(place[1])
			assert.InDelta(t, (loss(x+h, y)-loss(x-h, y))/(2*h), dx, 1e-3, "%d colours, x at %v", channels, place)
			assert.InDelta(t, (loss(x, y+h)-loss(x, y-h))/(2*h), dy, 1e-3, "%d colours, y at %v", channels, place)
		}
		dx, dy := s.Gradient(d, patch*pixel, pixel, image, 3, 0.1, scratch)
		assert.Zero(t, dx, "nothing is there")
		assert.Zero(t, dy, "nothing is there")
	}
}

func TestSampleOfNowhereIsBlack(t *testing.T) {
	s := NewSensor(16, 3, 4, 2)
	image := make([]float32, 16*16*3)
	for i := range image {
		image[i] = 1
	}
	dst := make([]float32, 4*4*6)
	s.Sample(dst, 4*6, 6, image, float32(math.NaN()), 0)
	assert.Equal(t, make([]float32, len(dst)), dst)
}

func TestSampleAllocatesNothing(t *testing.T) {
	s, image, dst := NewSensor(128, 3, 12, 4), make([]float32, 128*128*3), make([]float32, 12*12*12)
	assert.Zero(t, testing.AllocsPerRun(10, func() { s.Sample(dst, 144, 12, image, 0.1, 0.2) }))
}

func TestNewSensorRefuses(t *testing.T) {
	for _, c := range [][4]int{{1, 3, 12, 4}, {128, 0, 12, 4}, {128, 3, 1, 4}, {128, 3, maxPatch + 1, 4}, {128, 3, 12, 0}} {
		assert.Panics(t, func() { NewSensor(c[0], c[1], c[2], c[3]) }, fmt.Sprint(c))
	}
	s := NewSensor(16, 3, 4, 2)
	assert.Panics(t, func() { s.Sample(make([]float32, 96), 24, 6, make([]float32, 16*16), 0, 0) }, "a picture of one colour for a sensor of three")
}

func BenchmarkSample(b *testing.B) {
	s, image, dst := NewSensor(128, 3, 12, 4), make([]float32, 128*128*3), make([]float32, 12*12*12)
	for b.Loop() {
		s.Sample(dst, 144, 12, image, 0.1, 0.2)
	}
}
