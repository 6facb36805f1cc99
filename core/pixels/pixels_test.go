package pixels

import (
	"math/rand/v2"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"gdram/core/internal/golden"
)

func TestParityResize(t *testing.T) {
	for _, f := range golden.Open(t, "preprocess") {
		for _, name := range []string{"resize32", "resize40", "resize200"} {
			in, n := f.U8(name+"/in"), f.Shape(name + "/in")[0]
			got := make([]uint8, Len)
			NewResizer(n, n, 3).Resize(got, in)
			assert.Equal(t, f.U8(name+"/out"), got, "%s %s", f.Name, name)

			gray := f.U8(name + "/gray")
			Gray(got)
			for i, v := range gray {
				if got[3*i] != v || got[3*i+1] != v || got[3*i+2] != v {
					t.Fatalf("%s %s: grey pixel %d is %v, want three times %d", f.Name, name, i, got[3*i:3*i+3], v)
				}
			}
		}
	}
}

// The reference does not crop, so its non-square case is compared whole, and the window
// that the network sees as part of it.
func TestParityResizeNonSquare(t *testing.T) {
	for _, f := range golden.Open(t, "preprocess") {
		in, shape := f.U8("nonsquare/in"), f.Shape("nonsquare/in")
		want, size := f.U8("nonsquare/out"), f.Shape("nonsquare/out")
		require.Equal(t, []int{128, 204, 3}, size)
		h, w := shape[0], shape[1]
		whole := newResizer(w, h, 3, newAxis(w, size[1], 0, size[1]), newAxis(h, size[0], 0, size[0]))
		got := make([]uint8, len(want))
		whole.Resize(got, in)
		assert.Equal(t, want, got, f.Name)

		middle := make([]uint8, Len)
		NewResizer(w, h, 3).Resize(middle, in)
		for y := range Size {
			require.Equal(t, want[(y*204+38)*3:(y*204+38+Size)*3], middle[y*Size*3:(y+1)*Size*3], "%s row %d", f.Name, y)
		}
	}
}

func TestParityToFloat(t *testing.T) {
	for _, f := range golden.Open(t, "preprocess") {
		bytes := make([]uint8, 256)
		for i := range bytes {
			bytes[i] = uint8(i)
		}
		got := make([]float32, 256)
		ToFloat(got, bytes)
		assert.Equal(t, f.F32("to_tensor"), got, f.Name)
	}
}

func TestResizeOneChannelIsGray(t *testing.T) {
	one, three := noise(40*40), make([]uint8, 0, 3*40*40)
	for _, v := range one {
		three = append(three, v, v, v)
	}
	a, b := make([]uint8, Size*Size), make([]uint8, Len)
	NewResizer(40, 40, 1).Resize(a, one)
	NewResizer(40, 40, 3).Resize(b, three)
	Gray(b)
	for i, v := range a {
		if b[3*i] != v {
			t.Fatalf("pixel %d: %d from one channel, %d from three", i, v, b[3*i])
		}
	}
}

// The window must be the middle of the whole, whatever the proportions.
func TestFromRGBAIsTheMiddleOfTheWhole(t *testing.T) {
	for _, tc := range []struct{ w, h int }{
		{1, 1}, {1, 7}, {7, 1}, {128, 128}, {129, 128}, {128, 131}, {300, 200}, {33, 500}, {1000, 3},
	} {
		rgb := noise(tc.w * tc.h * 3)
		rgba := make([]uint8, 0, tc.w*tc.h*4)
		for i := 0; i < len(rgb); i += 3 {
			rgba = append(rgba, rgb[i], rgb[i+1], rgb[i+2], 255)
		}
		got, err := FromRGBA(rgba, tc.w, tc.h, false)
		require.NoError(t, err)

		short := min(tc.w, tc.h)
		ow, oh := Size*tc.w/short, Size*tc.h/short
		x, y := (ow-Size)/2, (oh-Size)/2
		columns, rows := newAxis(tc.w, ow, 0, ow), newAxis(tc.h, oh, 0, oh)
		if ow%2 == 1 { // rows are made of pairs; the middle does not reach the last column
			ow--
			columns.taps = columns.taps[:ow]
		}
		whole := make([]uint8, ow*oh*3)
		newResizer(tc.w, tc.h, 3, columns, rows).Resize(whole, rgb)
		for i := range Size {
			require.Equal(t, whole[((y+i)*ow+x)*3:][:Size*3], got[i*Size*3:][:Size*3], "%dx%d row %d", tc.w, tc.h, i)
		}
	}
}

func TestFromRGBALong(t *testing.T) {
	for _, tc := range []struct{ w, h int }{{20000, 10}, {10, 20000}, {1 << 20, 1}, {1, 1 << 20}} {
		columns, rows := axes(tc.w, tc.h)
		assert.LessOrEqual(t, min(columns.hi-columns.lo, rows.hi-rows.lo), 12, "%dx%d: what lies beside the middle is not looked at", tc.w, tc.h)
		got, err := FromRGBA(make([]uint8, tc.w*tc.h*4), tc.w, tc.h, false)
		require.NoError(t, err)
		assert.Equal(t, uint8(255), got[Len/2], "transparent is white")
	}
}

func TestFromRGBATransparency(t *testing.T) {
	for _, tc := range []struct {
		why        string
		rgba, want [4]uint8
	}{
		{"opaque stays", [4]uint8{10, 20, 30, 255}, [4]uint8{10, 20, 30}},
		{"nothing there is white", [4]uint8{10, 20, 30, 0}, [4]uint8{255, 255, 255}},
		{"half of black is grey", [4]uint8{0, 0, 0, 128}, [4]uint8{127, 127, 127}},
		{"white stays white", [4]uint8{255, 255, 255, 77}, [4]uint8{255, 255, 255}},
	} {
		got, err := FromRGBA(tc.rgba[:], 1, 1, false)
		require.NoError(t, err)
		assert.Equal(t, tc.want[:3], got[:3], tc.why)
		assert.Equal(t, tc.want[:3], got[Len-3:], tc.why)
	}
	got, err := FromRGBA([]uint8{255, 0, 0, 255}, 1, 1, true)
	require.NoError(t, err)
	assert.Equal(t, []uint8{76, 76, 76}, got[:3], "brightness of pure red")
}

func TestFromRGBARefuses(t *testing.T) {
	for _, tc := range []struct {
		n, w, h int
		want    string
	}{
		{0, 0, 0, "0x0"}, {4, 1, 0, "1x0"}, {4, -1, -1, "-1x-1"}, {15, 2, 2, "15 bytes"}, {17, 2, 2, "17 bytes"},
		{4, 1 << 31, 1 << 31, "4 bytes"}, {0, 1 << 62, 4, "0 bytes"},
	} {
		_, err := FromRGBA(make([]uint8, tc.n), tc.w, tc.h, false)
		assert.ErrorContains(t, err, tc.want)
	}
}

func TestResizeAllocatesNothing(t *testing.T) {
	r, in, out := NewResizer(32, 32, 3), noise(32*32*3), make([]uint8, Len)
	assert.Zero(t, testing.AllocsPerRun(10, func() { r.Resize(out, in) }))
}

func BenchmarkResize(b *testing.B) {
	for _, bc := range []struct {
		name        string
		n, channels int
	}{{"cifar", 32, 3}, {"clutter", 40, 1}, {"photo", 1024, 3}} {
		b.Run(bc.name, func(b *testing.B) {
			r := NewResizer(bc.n, bc.n, bc.channels)
			in, out := noise(bc.n*bc.n*bc.channels), make([]uint8, Size*Size*bc.channels)
			for b.Loop() {
				r.Resize(out, in)
			}
		})
	}
}

func noise(n int) []uint8 {
	rng := rand.New(rand.NewPCG(1, 2))
	b := make([]uint8, n)
	for i := range b {
		b[i] = uint8(rng.Uint32())
	}
	return b
}
