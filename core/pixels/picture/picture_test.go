package picture

import (
	"bytes"
	"encoding/binary"
	"errors"
	"image"
	"image/color"
	"image/jpeg"
	"image/png"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"gdram/core/pixels"
)

// quarters is 48x32 pixels, each quarter of another colour, so that no way to turn or mirror it looks the same.
func quarters() *image.NRGBA {
	m := image.NewNRGBA(image.Rect(0, 0, 48, 32))
	for at := range 48 * 32 {
		x, y := at%48, at/48
		quarter := [...]color.NRGBA{{250, 20, 20, 255}, {20, 250, 20, 255}, {20, 20, 250, 255}, {128, 128, 128, 255}}[x/24+y/16*2]
		m.SetNRGBA(x, y, quarter)
	}
	return m
}

func encode(t *testing.T, m image.Image) []byte {
	t.Helper()
	var b bytes.Buffer
	require.NoError(t, jpeg.Encode(&b, m, &jpeg.Options{Quality: 95}))
	return b.Bytes()
}

// near holds what JPEG keeps of a picture: few pixels differ much, along the borders of the quarters.
func near(t *testing.T, want, got []uint8, what any) {
	t.Helper()
	require.Len(t, got, len(want), what)
	sum := 0
	for i := range want {
		sum += max(int(got[i])-int(want[i]), int(want[i])-int(got[i]))
	}
	assert.Less(t, float64(sum)/float64(len(want)), 6.0, "%v: mean difference", what)
}

// Pictures of other kinds of pixels go through the same path as plain ones.
func TestPixelKinds(t *testing.T) {
	half := image.NewNRGBA(image.Rect(0, 0, 2, 2)) // red, half transparent: on white (255, 127, 127)
	gray16 := image.NewGray16(half.Rect)
	for i := range 4 {
		half.SetNRGBA(i%2, i/2, color.NRGBA{255, 0, 0, 128})
		gray16.SetGray16(i%2, i/2, color.Gray16{0x8080})
	}
	for _, tc := range []struct {
		why   string
		image image.Image
		want  [3]uint8
	}{
		{"transparent lies on white", half, [3]uint8{255, 127, 127}},
		{"sixteen bits", gray16, [3]uint8{128, 128, 128}},
	} {
		var b bytes.Buffer
		require.NoError(t, png.Encode(&b, tc.image))
		p, err := Decode(b.Bytes(), Options{MaxPixels: 8})
		require.NoError(t, err, tc.why)
		got, err := pixels.FromRGBA(p.RGBA, p.Width, p.Height, false)
		require.NoError(t, err, tc.why)
		assert.Equal(t, tc.want[:], got[:3], tc.why)
	}
}

// oriented puts an EXIF block with the orientation into a JPEG file.
func oriented(jpeg []byte, order binary.AppendByteOrder, orientation uint16) []byte {
	tiff := []byte("II*\x00")
	if order == binary.AppendByteOrder(binary.BigEndian) {
		tiff = []byte("MM\x00*")
	}
	tiff = order.AppendUint32(tiff, 8)
	tiff = order.AppendUint16(tiff, 1)
	tiff = order.AppendUint16(tiff, 0x0112)
	tiff = order.AppendUint16(tiff, 3)
	tiff = order.AppendUint32(tiff, 1)
	tiff = order.AppendUint16(tiff, orientation)
	tiff = append(tiff, 0, 0, 0, 0, 0, 0)
	segment := append([]byte("Exif\x00\x00"), tiff...)
	b := append([]byte(nil), jpeg[:2]...)
	b = append(b, 0xff, 0xe1)
	b = binary.BigEndian.AppendUint16(b, uint16(len(segment)+2))
	b = append(b, segment...)
	return append(b, jpeg[2:]...)
}

// A picture stored turned or mirrored, with the orientation that says so, is the upright one.
func TestOrientation(t *testing.T) {
	whole := quarters()
	// How the pixel (x, y) of the upright picture is found in the stored one, by the names of
	// the EXIF standard: where the stored row 0 and column 0 lie.
	stored := map[uint16]func(x, y int) (int, int){
		1: func(x, y int) (int, int) { return x, y },
		2: func(x, y int) (int, int) { return 47 - x, y },
		3: func(x, y int) (int, int) { return 47 - x, 31 - y },
		4: func(x, y int) (int, int) { return x, 31 - y },
		5: func(x, y int) (int, int) { return y, x },           // row 0 is the left side, column 0 the top
		6: func(x, y int) (int, int) { return y, 47 - x },      // row 0 is the right side, column 0 the top
		7: func(x, y int) (int, int) { return 31 - y, 47 - x }, // row 0 is the right side, column 0 the bottom
		8: func(x, y int) (int, int) { return 31 - y, x },      // row 0 is the left side, column 0 the bottom
	}
	for orientation, place := range stored {
		turned := image.NewNRGBA(image.Rect(0, 0, 48, 32))
		if orientation >= 5 {
			turned = image.NewNRGBA(image.Rect(0, 0, 32, 48))
		}
		for y := range 32 {
			for x := range 48 {
				sx, sy := place(x, y)
				turned.SetNRGBA(sx, sy, whole.NRGBAAt(x, y))
			}
		}
		for _, order := range []binary.AppendByteOrder{binary.LittleEndian, binary.BigEndian} {
			got, err := Decode(oriented(encode(t, turned), order, orientation), Options{MaxPixels: 48 * 32})
			require.NoError(t, err)
			require.Equal(t, [2]int{48, 32}, [2]int{got.Width, got.Height}, orientation)
			near(t, whole.Pix, got.RGBA, orientation)
		}
	}
}

// A damaged EXIF block is no reason to refuse the picture, nor to panic.
func TestOrientationDamaged(t *testing.T) {
	whole := oriented(encode(t, quarters()), binary.LittleEndian, 6)
	for n := range 48 {
		assert.NotPanics(t, func() { orientation(whole[:n]) })
		spoilt := append([]byte(nil), whole...)
		spoilt[n] = 0xff
		assert.NotPanics(t, func() { orientation(spoilt) })
	}
	assert.Equal(t, 1, orientation(oriented(whole[:2], binary.LittleEndian, 9)), "there is no orientation 9")
	assert.Equal(t, 6, orientation(whole))
}

// A faster decoder is asked first, and what it does not decode is not lost.
func TestFasterDecoder(t *testing.T) {
	file := oriented(encode(t, quarters()), binary.BigEndian, 3)
	options := Options{MaxPixels: 48 * 32}
	want, err := Decode(file, options)
	require.NoError(t, err)

	asked := 0
	options.JPEG = func(b []byte, width, height int) ([]uint8, bool) {
		asked++
		assert.Equal(t, [2]int{48, 32}, [2]int{width, height})
		return nil, false
	}
	got, err := Decode(file, options)
	require.NoError(t, err)
	assert.Equal(t, want, got)
	assert.Equal(t, 1, asked)

	options.JPEG = func(b []byte, width, height int) ([]uint8, bool) {
		rgba := make([]uint8, 4*width*height)
		copy(rgba, "first")
		return rgba, true
	}
	got, err = Decode(file, options)
	require.NoError(t, err)
	last := len(got.RGBA) - 4
	assert.Equal(t, "firs", string(got.RGBA[last:]), "what it decoded is turned as the camera was held")
}

// A file that lacks Huffman tables is package image's alone, which refuses it; a faster decoder may know the standard ones.
func TestFasterDecoderWithoutTables(t *testing.T) {
	file := encode(t, quarters())
	at := bytes.Index(file, []byte{0xff, defineHuffman})
	behind := at + 2 + int(binary.BigEndian.Uint16(file[at+2:]))
	tables := file[at+4 : behind]
	size := func(table []byte) (n int) {
		for _, codes := range table[1:17] {
			n += int(codes)
		}
		return 17 + n
	}
	with := func(tables ...[]byte) []byte {
		b := bytes.Clone(file[:at])
		for _, table := range tables {
			b = append(b, 0xff, defineHuffman)
			b = binary.BigEndian.AppendUint16(b, uint16(2+len(table)))
			b = append(b, table...)
		}
		return append(b, file[behind:]...)
	}
	var each [][]byte
	for rest := tables; len(rest) > 0; rest = rest[size(rest):] {
		each = append(each, rest[:size(rest)])
	}
	require.Len(t, each, 4)

	asked := 0
	options := Options{MaxPixels: 48 * 32, JPEG: func([]byte, int, int) ([]uint8, bool) {
		asked++
		return nil, false
	}}
	_, err := Decode(with(each...), options)
	require.NoError(t, err)
	require.Equal(t, 1, asked, "in segments of their own they are there, too")
	late := append(with(), file[at:]...) // behind the scan that needs them
	for _, lacking := range [][]byte{with(), with(each[1:]...), with(each[:3]...), late} {
		_, err := Decode(lacking, options)
		assert.Error(t, err)
	}
	assert.Equal(t, 1, asked)
}

// Scans of a progressive file need tables of one kind, or none.
func TestProgressiveTables(t *testing.T) {
	const dc, ac = 0x00, 0x10
	table := func(of byte) []byte { return append([]byte{0xff, defineHuffman, 0, 19, of}, make([]byte, 16)...) }
	scan := func(from, to, bits byte) []byte { return []byte{0xff, startOfScan, 0, 8, 1, 1, 0x00, from, to, bits} }
	for _, tc := range []struct {
		why      string
		segments [][]byte
		want     bool
	}{
		{"all", [][]byte{table(dc), scan(0, 0, 0x01), table(ac), scan(1, 63, 0x00), scan(0, 0, 0x10)}, true},
		{"a refining first coefficient has none", [][]byte{scan(0, 0, 0x10)}, true},
		{"the first coefficient lacks its own", [][]byte{table(ac), scan(0, 0, 0x01)}, false},
		{"the others lack theirs", [][]byte{table(dc), scan(0, 0, 0x01), scan(1, 63, 0x00)}, false},
		{"the others lack theirs in refining", [][]byte{scan(1, 63, 0x10)}, false},
		{"a scan cut short", [][]byte{table(dc), table(ac), {0xff, startOfScan, 0, 3, 1}}, false},
	} {
		file := append([]byte{0xff, 0xd8, 0xff, startOfFrame2, 0, 2}, bytes.Join(tc.segments, nil)...)
		assert.Equal(t, tc.want, scansOf(append(file, 0xff, 0xd9)).tabled, tc.why)
	}
}

// again repeats a JPEG file's scan, so that it has so many.
func again(file []byte, scans int) []byte {
	from, to := bytes.Index(file, []byte{0xff, startOfScan, 0, 12}), bytes.LastIndex(file, []byte{0xff, 0xd9})
	repeated := append(bytes.Clone(file[:from]), bytes.Repeat(file[from:to], scans)...)
	return append(repeated, file[to:]...)
}

// What a decoder steps over hides nothing from the bounds, and nothing else counts as a scan.
func TestScans(t *testing.T) {
	plain := encode(t, quarters())
	frame := bytes.Index(plain, []byte{0xff, 0xc0})
	for _, tc := range []struct {
		why    string
		before []byte // stands before the frame's head
		after  []byte // behind the picture
	}{
		{why: "nothing"},
		{why: "a stray byte", before: []byte{1}},
		{why: "stray bytes, one as of pixels", before: []byte{1, 2, 0xff, 0x00, 3}},
		{why: "a restart", before: []byte{0xff, 0xd3}},
		{why: "fill", before: []byte{0xff, 0xff, 0xff}},
		{why: "a comment that reads like a scan", before: []byte{0xff, 0xfe, 0, 6, 0xff, startOfScan, 0, 2}},
		{why: "a film behind the picture", after: bytes.Repeat([]byte{0xff, startOfScan, 0, 2}, 200)},
	} {
		file := append(append(append(bytes.Clone(plain[:frame]), tc.before...), plain[frame:]...), tc.after...)
		for n := range 3 {
			got, err := Decode(again(file, n+1), Options{MaxPixels: 48 * 32})
			require.NoError(t, err, "%s: decoders take it", tc.why)
			near(t, quarters().Pix, got.RGBA, tc.why)
			assert.Equal(t, n+1, scansOf(again(file, n+1)).count, tc.why)
		}
		file[frame+len(tc.before)+1] = 0xc2
		assert.True(t, scansOf(file).progressive, tc.why)
		_, err := Decode(file, Options{MaxPixels: 48 * 32})
		assert.ErrorContains(t, err, "of progressive JPEG, more than", tc.why)
	}
}

// A marker without content, which Go's decoder does not know and others step over, swallows no scan.
func TestScansBehindTemporary(t *testing.T) {
	file := again(encode(t, quarters()), 100) // longer than a length may be
	file = bytes.ReplaceAll(file, []byte{0xff, startOfScan, 0, 12}, []byte{0xff, 0x01, 0xff, startOfScan, 0, 12})
	assert.Equal(t, 100, scansOf(file).count)
}

func TestRefused(t *testing.T) {
	whole := encode(t, quarters())
	var deep bytes.Buffer
	require.NoError(t, png.Encode(&deep, image.NewGray16(image.Rect(0, 0, 48, 32))))
	finer := bytes.Clone(whole)
	finer[bytes.Index(finer, []byte{0xff, 0xc0})+1] = 0xc2 // says that it is progressive
	for _, tc := range []struct {
		why, want string
		file      []byte
		most      int
	}{
		{"more pixels than allowed", "is 48x32 pixels, more than 0.001 million; save it smaller", whole, 1000},
		{"half as many are allowed", "of progressive JPEG, more than 0.001 million; save it smaller, or as plain JPEG", finer, 2000},
		{"and of deep grey", "of sixteen bits a colour, more than 0.001 million; save it smaller, or with eight", deep.Bytes(), 2000},
		{"more scans than colours", "is JPEG of 5 scans, more than 4", again(whole, 5), 48 * 32},
		{"many finer ones", "is JPEG of 101 scans, more than 100", again(finer, 101), 48 * 64},
		{"cut", "ends in the middle of the picture", whole[:len(whole)/2], 48 * 32},
		{"cut before the size", "ends in the middle of the picture", whole[:30], 48 * 32},
	} {
		_, err := Decode(tc.file, Options{MaxPixels: tc.most})
		assert.ErrorContains(t, err, tc.want, tc.why)
	}
	_, err := Decode([]byte("GIF89a and so on"), Options{MaxPixels: 1})
	assert.True(t, errors.Is(err, ErrKind))
}
