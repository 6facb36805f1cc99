package main

import (
	"bytes"
	"encoding/binary"
	"hash/crc32"
	"image"
	"image/color"
	"image/gif"
	"os"
	"path/filepath"
	"runtime"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"gdram/core/pixels"
)

const quartersWebP = "testdata/quarters.webp" // made of quarters() by cwebp -lossless

func write(t *testing.T, name string, b []byte) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), name)
	require.NoError(t, os.WriteFile(path, b, 0o644))
	return path
}

func mustEncode(t *testing.T, m image.Image, extension string) []byte {
	t.Helper()
	b, err := encode(m, extension)
	require.NoError(t, err)
	return b
}

// Every format gives the network the same picture, JPEG and GIF with its palette to what they lose.
func TestPictureFormats(t *testing.T) {
	want, err := pixels.FromRGBA(quarters().Pix, 48, 32, false)
	require.NoError(t, err)
	for extension, lost := range map[string]float64{".png": 0, ".bmp": 0, ".gif": 40, ".jpg": 40} {
		got, err := readPicture(write(t, "quarters"+extension, mustEncode(t, quarters(), extension)), false)
		require.NoError(t, err, extension)
		near(t, want, got, lost, extension)
	}
	got, err := readPicture(quartersWebP, false)
	require.NoError(t, err)
	assert.Equal(t, want, got, "webp")
}

func near(t *testing.T, want, got []uint8, lost float64, what string) {
	t.Helper()
	require.Len(t, got, len(want), what)
	worst := 0
	for i := range want {
		worst = max(worst, int(got[i])-int(want[i]), int(want[i])-int(got[i]))
	}
	assert.LessOrEqual(t, float64(worst), lost, what+": largest difference")
}

// The first frame of a GIF may cover a part of the picture only.
func TestGIFFrame(t *testing.T) {
	frame := image.NewPaletted(image.Rect(2, 1, 3, 2), color.Palette{color.Black})
	var b bytes.Buffer
	require.NoError(t, gif.EncodeAll(&b, &gif.GIF{
		Image: []*image.Paletted{frame}, Delay: []int{0}, Config: image.Config{Width: 4, Height: 4, ColorModel: frame.Palette},
	}))
	got, err := readPicture(write(t, "a.gif", b.Bytes()), false)
	require.NoError(t, err)
	at := func(x, y int) uint8 { return got[(y*pixels.Size+x)*3] }
	assert.EqualValues(t, 255, at(0, 0), "uncovered is white")
	assert.Less(t, at(80, 48), uint8(16), "the middle of the black pixel")
}

func TestGray(t *testing.T) {
	got, err := readPicture(write(t, "a.png", mustEncode(t, quarters(), ".png")), true)
	require.NoError(t, err)
	for i := 0; i < len(got); i += 3 {
		require.Equal(t, [2]uint8{got[i], got[i]}, [2]uint8{got[i+1], got[i+2]})
	}
}

func TestPictureRefused(t *testing.T) {
	whole := mustEncode(t, quarters(), ".png")

	deep := mustEncode(t, image.NewNRGBA64(image.Rect(0, 0, 1, 1)), ".png")
	const header = 12 // length, kind, and the content from width and height on, then its checksum
	binary.BigEndian.PutUint32(deep[header+8:], 32_000_001)
	binary.BigEndian.PutUint32(deep[header+17:], crc32.ChecksumIEEE(deep[header:header+17]))

	scans := mustEncode(t, quarters(), ".jpg")
	frame := bytes.Index(scans, []byte{0xff, 0xc0})
	require.Positive(t, frame)
	scans[frame+1] = 0xc2
	binary.BigEndian.PutUint16(scans[frame+5:], 489)
	binary.BigEndian.PutUint16(scans[frame+7:], 65535)

	for _, tc := range []struct {
		name string
		data []byte
		want string
	}{
		{"empty.png", nil, "is empty, 0 bytes"},
		{"text.png", []byte("hello, this is no picture"), "is not a picture that can be read"},
		{"cut.png", whole[:len(whole)-40], "copy it again"},
		{"head.png", whole[:20], "ends in the middle"},
		{"cut.jpg", mustEncode(t, quarters(), ".jpg")[:400], "ends in the middle"},
		{"bomb.png", bomb(20_000, 20_000), "20000x20000 pixels, more than 64 million; save it smaller"},
		{"thin.png", bomb(1, 64_000_001), "more than 64 million"},
		{"deep.png", deep, "1x32000001 pixels of sixteen bits a colour, more than 32 million; save it smaller, or with eight"},
		{"scans.jpg", scans, "65535x489 pixels of progressive JPEG, more than 32 million; save it smaller, or as plain JPEG"},
	} {
		path := write(t, tc.name, tc.data)
		var before, after runtime.MemStats
		runtime.ReadMemStats(&before)
		_, err := readPicture(path, false)
		runtime.ReadMemStats(&after)
		assert.ErrorContains(t, err, tc.want, tc.name)
		assert.ErrorContains(t, err, tc.name)
		assert.Less(t, after.TotalAlloc-before.TotalAlloc, uint64(4<<20), tc.name+": memory")
	}
	_, err := readPicture(filepath.Join(t.TempDir(), "none.png"), false)
	assert.ErrorContains(t, err, "none.png; check its name and folder")
	_, err = readPicture(t.TempDir(), false)
	assert.ErrorContains(t, err, "is a folder; name the pictures in it")
}
