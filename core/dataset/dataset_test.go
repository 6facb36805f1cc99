package dataset

import (
	"archive/zip"
	"bytes"
	"compress/gzip"
	"encoding/binary"
	"hash/crc32"
	"io"
	"io/fs"
	"math"
	"os"
	"path/filepath"
	"slices"
	"sync"
	"testing"

	"codeberg.org/sbinet/npyio/npz"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"gdram/core/pixels"
)

// small distributions, of few records but the published layout.
var (
	small10  = cifar{train: cifar10.train, test: cifar10.test, perFile: [2]int{2, 3}, labelBytes: 1, valid: 4, labels: cifar10Labels}
	small100 = cifar{train: cifar100.train, test: cifar100.test, perFile: [2]int{10, 3}, labelBytes: 2, valid: 4, labels: cifar100Labels}
)

// writeCIFAR writes c with images of one colour: picture k, counted over all files, is
// (k, k+1, k+2) and of class k.
func writeCIFAR(t *testing.T, c cifar) string {
	folder, k := t.TempDir(), 0
	write := func(names []string, records int) {
		for _, name := range names {
			var b []byte
			for range records {
				b = append(b, bytes.Repeat([]byte{99}, c.labelBytes-1)...) // the coarse label
				b = append(b, byte(k%len(c.labels)))
				for colour := range 3 {
					b = append(b, bytes.Repeat([]byte{byte(k + colour)}, cifarPlane)...)
				}
				k++
			}
			require.NoError(t, os.WriteFile(filepath.Join(folder, name), b, 0o644))
		}
	}
	write(c.train, c.perFile[0])
	write(c.test, c.perFile[1])
	return folder
}

func TestCIFAR(t *testing.T) {
	for name, c := range map[string]cifar{"cifar10": small10, "cifar100": small100} {
		d, err := openCIFAR(writeCIFAR(t, c), c)
		require.NoError(t, err, name)
		assert.Equal(t, len(c.labels), d.Classes, name)
		assert.False(t, d.Gray, name)
		k := 0 // the first four validate, the next six train, the last three test
		for _, set := range []Set{d.Valid, d.Train, d.Test} {
			for i := range set.Len() {
				assert.Equal(t, k%d.Classes, set.Label(i), "%s picture %d", name, k)
				got := make([]uint8, pixels.Len)
				set.Fill(got, i, 5)
				want := bytes.Repeat([]byte{byte(k), byte(k + 1), byte(k + 2)}, pixels.Size*pixels.Size)
				require.Equal(t, want, got, "%s picture %d", name, k)
				k++
			}
		}
		assert.Equal(t, 13, k, name)
	}
}

// Rows, columns and colours of the planes must come out where they belong.
func TestCIFARLayout(t *testing.T) {
	folder := writeCIFAR(t, small10)
	path := filepath.Join(folder, "test_batch.bin")
	b, err := os.ReadFile(path)
	require.NoError(t, err)
	clear(b[1 : 1+cifarImage])
	b[1+cifarPlane+20*cifarSize+3] = 255 // green, row 20, column 3
	require.NoError(t, os.WriteFile(path, b, 0o644))
	d, err := openCIFAR(folder, small10)
	require.NoError(t, err)
	got := make([]uint8, pixels.Len)
	d.Test.Fill(got, 0, 0)
	brightest := slices.Index(got, slices.Max(got))
	row, column, colour := brightest/(3*pixels.Size), brightest/3%pixels.Size, brightest%3
	assert.Equal(t, 1, colour)
	assert.InDelta(t, 4*20+1.5, row, 1)
	assert.InDelta(t, 4*3+1.5, column, 1)
}

func TestCIFARRefuses(t *testing.T) {
	for _, tc := range []struct {
		why, want string
		spoil     func(path string, b []byte) error
	}{
		{"missing", "there is no", func(path string, _ []byte) error { return os.Remove(path) }},
		{"short", "want 6146", func(path string, b []byte) error { return os.WriteFile(path, b[:len(b)-1], 0o644) }},
		{"empty", "has 0 bytes", func(path string, _ []byte) error { return os.WriteFile(path, nil, 0o644) }},
		{"long", "more than the 6146", func(path string, b []byte) error { return os.WriteFile(path, append(b, 0), 0o644) }},
		{"label", "picture 0 has label 10, want less than 10", func(path string, b []byte) error {
			b[0] = 10
			return os.WriteFile(path, b, 0o644)
		}},
	} {
		folder := writeCIFAR(t, small10)
		path := filepath.Join(folder, "data_batch_4.bin")
		b, err := os.ReadFile(path)
		require.NoError(t, err)
		require.NoError(t, tc.spoil(path, b))
		_, err = openCIFAR(folder, small10)
		assert.ErrorContains(t, err, tc.want, tc.why)
		assert.ErrorContains(t, err, "data_batch_4.bin", tc.why)
	}
}

// writeMNIST writes a cluttered file whose picture i has the value i/256 everywhere.
func writeMNIST(t *testing.T, counts [3]int, edit func(arrays map[string]any)) string {
	arrays := map[string]any{}
	for p, part := range []string{"train", "valid", "test"} {
		x := make([]float32, counts[p]*1600)
		y := make([]int32, counts[p])
		for i := range x {
			x[i] = float32(i/1600+10*p) / 256
		}
		for i := range y {
			y[i] = int32((i + p) % 10)
		}
		arrays["X_"+part+".npy"] = reshaped(x, counts[p], 1600)
		arrays["y_"+part+".npy"] = reshaped(y, counts[p], 1)
	}
	if edit != nil {
		edit(arrays)
	}
	path := filepath.Join(t.TempDir(), mnistFile)
	require.NoError(t, npz.Write(path, arrays))
	return path
}

func TestMNIST(t *testing.T) {
	counts := [3]int{4, 3, 2}
	d, err := openMNIST(writeMNIST(t, counts, nil), counts)
	require.NoError(t, err)
	assert.True(t, d.Gray)
	assert.Equal(t, 10, d.Classes)
	for p, set := range []Set{d.Train, d.Valid, d.Test} {
		require.Equal(t, counts[p], set.Len())
		for i := range set.Len() {
			assert.Equal(t, (i+p)%10, set.Label(i))
			got := make([]uint8, pixels.Len)
			set.Fill(got, i, 0)
			require.Equal(t, bytes.Repeat([]byte{byte(i + 10*p)}, pixels.Len), got)
		}
	}
}

func TestMNISTClips(t *testing.T) {
	path := writeMNIST(t, [3]int{1, 1, 1}, func(arrays map[string]any) {
		arrays["X_test.npy"] = reshaped(slices.Repeat([]float32{1}, 1600), 1, 1600)
	})
	d, err := openMNIST(path, [3]int{1, 1, 1})
	require.NoError(t, err)
	got := make([]uint8, pixels.Len)
	d.Test.Fill(got, 0, 0)
	assert.Equal(t, uint8(255), got[0])
}

func TestMNISTRefuses(t *testing.T) {
	counts := [3]int{2, 2, 2}
	foreign := filepath.Join(t.TempDir(), mnistFile)
	require.NoError(t, os.WriteFile(foreign, []byte("hello"), 0o644))
	whole, err := os.ReadFile(writeMNIST(t, counts, nil))
	require.NoError(t, err)
	short := filepath.Join(t.TempDir(), mnistFile)
	require.NoError(t, os.WriteFile(short, whole[:len(whole)/2], 0o644))
	for _, tc := range []struct{ why, want, path string }{
		{"missing", "there is no", filepath.Join(t.TempDir(), mnistFile)},
		{"foreign", "download it again", foreign},
		{"short", "download it again", short},
		{"an array missing", "no array y_valid.npy", writeMNIST(t, counts, func(a map[string]any) { delete(a, "y_valid.npy") })},
		{"too few", "shape [1 1600], want [2 1600]", writeMNIST(t, counts, func(a map[string]any) {
			a["X_test.npy"] = reshaped(make([]float32, 1600), 1, 1600)
		})},
		{"label", "label 10, want 0 to 9", writeMNIST(t, counts, func(a map[string]any) { a["y_test.npy"] = reshaped([]int32{1, 10}, 2, 1) })},
		{"value", "holds -1, want 0 to 1", writeMNIST(t, counts, func(a map[string]any) {
			a["X_test.npy"] = reshaped(slices.Repeat([]float32{-1}, 3200), 2, 1600)
		})},
		{"type", "download it again", writeMNIST(t, counts, func(a map[string]any) { a["y_test.npy"] = reshaped([]int64{1, 1}, 2, 1) })},
	} {
		_, err := openMNIST(tc.path, counts)
		assert.ErrorContains(t, err, tc.want, tc.why)
	}
}

// TestMNISTIsReadToItsEnd: what an array's header or its checksum does not bear out is refused.
func TestMNISTIsReadToItsEnd(t *testing.T) {
	counts := [3]int{2, 2, 2}
	// spoilt is the file with an array changed, and checksums as they are or of before.
	spoilt := func(name string, spoil func([]byte) []byte, checked bool) string {
		from, err := zip.OpenReader(writeMNIST(t, counts, nil))
		require.NoError(t, err)
		defer from.Close()
		var b bytes.Buffer
		to := zip.NewWriter(&b)
		for _, f := range from.File {
			r, err := f.Open()
			require.NoError(t, err)
			content, err := io.ReadAll(r)
			require.NoError(t, err)
			sum := crc32.ChecksumIEEE(content)
			if f.Name == name {
				content = spoil(content)
			}
			if checked {
				sum = crc32.ChecksumIEEE(content)
			}
			w, err := to.CreateRaw(&zip.FileHeader{Name: f.Name, CRC32: sum, CompressedSize64: uint64(len(content)), UncompressedSize64: uint64(len(content))})
			require.NoError(t, err)
			_, err = w.Write(content)
			require.NoError(t, err)
		}
		require.NoError(t, to.Close())
		path := filepath.Join(t.TempDir(), mnistFile)
		require.NoError(t, os.WriteFile(path, b.Bytes(), 0o644))
		return path
	}
	_, err := openMNIST(spoilt("", nil, true), counts)
	require.NoError(t, err)
	for _, tc := range []struct {
		why, want string
		checked   bool
		spoil     func([]byte) []byte
	}{
		{"another label", "y_valid.npy is damaged: zip: checksum error", false, func(b []byte) []byte {
			b[len(b)-4] ^= 1
			return b
		}},
		{"longer", "y_valid.npy is damaged: it is longer than its header says", true, func(b []byte) []byte { return append(b, 0) }},
		{"no end of the header", "y_valid.npy has a damaged header", true, func(b []byte) []byte { return bytes.ReplaceAll(b, []byte("\n"), []byte(" ")) }},
		{"only its start", "y_valid.npy", true, func(b []byte) []byte { return b[:20] }},
		{"empty", "y_valid.npy", true, func([]byte) []byte { return nil }},
	} {
		_, err := openMNIST(spoilt("y_valid.npy", tc.spoil, tc.checked), counts)
		assert.ErrorContains(t, err, tc.want, tc.why)
	}
}

func TestOpenRefuses(t *testing.T) {
	_, err := Open("imagenet", t.TempDir())
	assert.EqualError(t, err, `unknown data set "imagenet"; want mnist, cifar10 or cifar100`)
	for _, name := range []string{"mnist", "cifar10", "cifar100"} {
		_, err := Open(name, t.TempDir())
		assert.ErrorContains(t, err, "cannot open data set "+name)
		assert.ErrorContains(t, err, "--data-path")
	}
}

// Labels are those of the distribution, in its order; a few are enough to see a slip.
func TestLabels(t *testing.T) {
	assert.Len(t, cifar10Labels, 10)
	assert.Len(t, cifar100Labels, 100)
	assert.True(t, slices.IsSorted(cifar100Labels))
	assert.Equal(t, "cat", cifar10Labels[3])
	assert.Equal(t, "mountain", cifar100Labels[49])
}

// idx lays out an IDX file of bytes.
func idx(data []byte, shape ...int) []byte {
	b := []byte{0, 0, 8, byte(len(shape))}
	for _, d := range shape {
		b = binary.BigEndian.AppendUint32(b, uint32(d))
	}
	return append(b, data...)
}

func zipped(t *testing.T, b []byte) []byte {
	var w bytes.Buffer
	z := gzip.NewWriter(&w)
	_, err := z.Write(b)
	require.NoError(t, err)
	require.NoError(t, z.Close())
	return w.Bytes()
}

func writeFiles(t *testing.T, files map[string][]byte) string {
	folder := t.TempDir()
	for name, b := range files {
		path := filepath.Join(folder, name)
		require.NoError(t, os.MkdirAll(filepath.Dir(path), 0o755))
		require.NoError(t, os.WriteFile(path, b, 0o644))
	}
	return folder
}

func TestOpenDigits(t *testing.T) {
	pictures := make([]byte, 3*784)
	for i := range pictures {
		pictures[i] = byte(i / 7)
	}
	images, labels := idx(pictures, 3, 28, 28), idx([]byte{7, 0, 7}, 3)
	for _, files := range []map[string][]byte{
		{"train-images-idx3-ubyte": images, "train-labels-idx1-ubyte": labels},
		{"train-images-idx3-ubyte.gz": zipped(t, images), "train-labels-idx1-ubyte.gz": zipped(t, labels)},
		{"mnist/train-images-idx3-ubyte.gz": zipped(t, images), "mnist/train-labels-idx1-ubyte": labels},
	} {
		d, err := OpenDigits(writeFiles(t, files))
		require.NoError(t, err)
		assert.Equal(t, pictures, d.images)
		assert.Equal(t, []int32{0, 2}, d.byClass[7])
	}
}

func TestOpenDigitsRefuses(t *testing.T) {
	images, labels := idx(make([]byte, 2*784), 2, 28, 28), idx([]byte{1, 2}, 2)
	const imagesName, labelsName = "train-images-idx3-ubyte", "train-labels-idx1-ubyte"
	for _, tc := range []struct {
		why, want string
		files     map[string][]byte
	}{
		{"no labels", labelsName, map[string][]byte{imagesName: images}},
		{"short", "want 1568", map[string][]byte{imagesName: images[:1000], labelsName: labels}},
		{"long", "or more, want 1568", map[string][]byte{imagesName: append(bytes.Clone(images), 0), labelsName: labels}},
		{"no header", "before its header", map[string][]byte{imagesName: images[:9], labelsName: labels}},
		{"foreign", "not an IDX file", map[string][]byte{imagesName: []byte("<!DOCTYPE html><html>"), labelsName: labels}},
		{"huge by its header", "says to hold 2147483648 digits, and MNIST has 60000 at most", map[string][]byte{imagesName: idx(nil, 1<<31, 28, 28), labelsName: labels}},
		{"other size", "has 14 for dimension 2, want 28", map[string][]byte{imagesName: idx(make([]byte, 784), 2, 28, 14), labelsName: labels}},
		{"not gzip", "gzip", map[string][]byte{imagesName + ".gz": images, labelsName: labels}},
		{"gzip cut short", "cannot be read", map[string][]byte{imagesName + ".gz": zipped(t, images)[:40], labelsName: labels}},
		{"counts differ", "2 images and 3 labels", map[string][]byte{imagesName: images, labelsName: idx([]byte{1, 2, 3}, 3)}},
		{"label", "label 10", map[string][]byte{imagesName: images, labelsName: idx([]byte{1, 10}, 2)}},
	} {
		_, err := OpenDigits(writeFiles(t, tc.files))
		assert.ErrorContains(t, err, tc.want, tc.why)
	}
	_, err := OpenDigits(t.TempDir())
	assert.ErrorIs(t, err, fs.ErrNotExist)
}

// reshaped makes the array [n][m] that npyio writes with its shape.
func reshaped[T any](flat []T, n, m int) any {
	rows := make([][]T, n)
	for i := range rows {
		rows[i] = flat[i*m : (i+1)*m]
	}
	return rows
}

// testDigits are 20 digits, two of each class; digit i is a frame-filling 100+i.
func testDigits(t *testing.T) *Digits {
	var images, labels []byte
	for i := range 20 {
		images = append(images, bytes.Repeat([]byte{byte(100 + i)}, 784)...)
		labels = append(labels, byte(i%10))
	}
	d, err := newDigits(images, labels)
	require.NoError(t, err)
	return d
}

func TestFreshClutterPictures(t *testing.T) {
	c := FreshClutter(testDigits(t), 1, 20).(*clutter)
	xs, ys, shown := map[int]int{}, map[int]int{}, map[uint8]int{}
	const draws = 4000
	small := make([]uint8, 1600)
	var s stream
	for k := range draws {
		s.seed(1, 0, k)
		c.draw(small, 3, &s)
		// The place is where 28 rows and columns are full: patches of 25 pixels cannot fill others.
		x, y, n := -1, -1, 0
		value := small[20*40+20]
		for i := range 40 {
			full := true
			for j := 12; j < 28; j++ { // these rows always belong to the digit
				full = full && small[j*40+i] >= 103
			}
			if full && x < 0 {
				x = i
			}
			full = true
			for j := 12; j < 28; j++ {
				full = full && small[i*40+j] >= 103
			}
			if full && y < 0 {
				y = i
			}
		}
		for _, v := range small {
			if v != 0 {
				n++
			}
		}
		require.GreaterOrEqual(t, n, 784)
		require.LessOrEqual(t, n, 784+patches*patchSize*patchSize)
		xs[x]++
		ys[y]++
		shown[value]++
	}
	for x := range 12 {
		assert.InDelta(t, draws/12, xs[x], 100, "column %d", x)
	}
	assert.Zero(t, xs[12])
	for y := range 12 {
		assert.InDelta(t, draws/40, ys[y], 60, "row %d", y)
	}
	assert.InDelta(t, draws*28/40, ys[12], 150, "the lowest place")
	assert.Greater(t, shown[103], draws/4, "both digits of the class appear")
	assert.Greater(t, shown[113], draws/4, "both digits of the class appear")
}

func TestFreshClutterRepeats(t *testing.T) {
	a, b := FreshClutter(testDigits(t), 7, 30), FreshClutter(testDigits(t), 7, 30)
	first, again := make([]uint8, pixels.Len), make([]uint8, pixels.Len)
	assert.Equal(t, 30, a.Len())
	assert.Equal(t, 3, a.Label(23))

	a.Fill(first, 5, 2)
	b.Fill(again, 6, 2) // another picture in between changes nothing
	assert.NotEqual(t, first, again, "another picture")
	b.Fill(again, 5, 2)
	assert.Equal(t, first, again)
	b.Fill(again, 5, 3)
	assert.NotEqual(t, first, again, "another epoch")
	FreshClutter(testDigits(t), 8, 30).Fill(again, 5, 2)
	assert.NotEqual(t, first, again, "another seed")
}

// TestFreshTest: every test digit once, each by itself, the same pictures always.
func TestFreshTest(t *testing.T) {
	var pictures, labels []byte
	for i := range 20 {
		pictures = append(pictures, bytes.Repeat([]byte{byte(100 + i)}, 784)...)
		labels = append(labels, byte(i%10))
	}
	folder := writeFiles(t, map[string][]byte{
		"mnist/t10k-images-idx3-ubyte": idx(pictures, 20, 28, 28), "mnist/t10k-labels-idx1-ubyte": idx(labels, 20),
	})
	set, err := FreshTest(folder)
	require.NoError(t, err)
	require.Equal(t, 20, set.Len())
	got, again := make([]uint8, pixels.Len), make([]uint8, pixels.Len)
	c, small := set.(*clutter), make([]uint8, clutterSize*clutterSize)
	var s stream
	for i := range set.Len() {
		assert.Equal(t, i%10, set.Label(i))
		s.seed(1, 0, i)
		c.draw(small, i, &s)
		values := map[uint8]int{}
		for _, v := range small {
			values[v]++
		}
		// Patches that fell on the digit are brighter by their own value, so its own is the most frequent of all.
		assert.Greater(t, values[byte(100+i)], 784-patches*patchSize*patchSize-1, "picture %d shows digit %d", i, i)
		set.Fill(got, i, 0)
		set.Fill(again, i, 3)
		assert.True(t, bytes.Equal(got, again), "the epoch changes nothing")
	}
	_, err = FreshTest(t.TempDir())
	assert.ErrorIs(t, err, fs.ErrNotExist)
}

// TestFreshValid: the digits behind those that train, and none of the others.
func TestFreshValid(t *testing.T) {
	const more = 3
	pictures, labels := make([]byte, (trainDigits+more)*784), make([]byte, trainDigits+more)
	for i := range more {
		labels[trainDigits+i] = byte(7 + i)
	}
	write := func(n int) string {
		return writeFiles(t, map[string][]byte{
			"train-images-idx3-ubyte": idx(pictures[:n*784], n, 28, 28), "train-labels-idx1-ubyte": idx(labels[:n], n),
		})
	}
	set, err := FreshValid(write(trainDigits + more))
	require.NoError(t, err)
	require.Equal(t, more, set.Len())
	for i := range more {
		assert.Equal(t, 7+i, set.Label(i))
	}
	every, err := OpenAllDigits(write(trainDigits + more))
	require.NoError(t, err)
	assert.Equal(t, trainDigits+more, every.Len(), "a refit has them all")
	digits, err := OpenDigits(write(trainDigits + more))
	require.NoError(t, err)
	assert.Equal(t, trainDigits, digits.Len())
	set, err = FreshValid(write(20))
	require.NoError(t, err)
	assert.Zero(t, set.Len())
}

func TestFillFromManyGoroutines(t *testing.T) {
	set := Augment(FreshClutter(testDigits(t), 7, 30), 1)
	want := make([][]uint8, set.Len())
	for i := range want {
		want[i] = make([]uint8, pixels.Len)
		set.Fill(want[i], i, 1)
	}
	var wg sync.WaitGroup
	for range 4 {
		wg.Go(func() {
			got := make([]uint8, pixels.Len)
			for i := range want {
				set.Fill(got, i, 1)
				assert.True(t, bytes.Equal(want[i], got), "picture %d", i)
			}
		})
	}
	wg.Wait()
}

func TestVariation(t *testing.T) {
	v := variation{picture: make([]uint8, pixels.Len)}
	for i := range v.picture {
		v.picture[i] = uint8(i * 31 / 7)
	}
	pixel := func(b []uint8, x, y int) []uint8 { return b[(y*pixels.Size+x)*3:][:3] }
	plain := func() {
		from(&v.columns, false, 0, 1)
		from(&v.rows, false, 0, 1)
		for c := range v.tones {
			for tone := range v.tones[c] {
				v.tones[c][tone] = uint8(tone)
			}
		}
		v.hole.x, v.hole.y = -holeSize, -holeSize
	}
	got := make([]uint8, pixels.Len)

	plain()
	v.apply(got)
	assert.Equal(t, v.picture, got, "nothing changes")

	from(&v.columns, true, 0, 1)
	v.apply(got)
	assert.Equal(t, pixel(v.picture, 127, 9), pixel(got, 0, 9), "mirrored")

	plain()
	from(&v.columns, false, 3, 1)
	from(&v.rows, false, -2, 1)
	v.apply(got)
	assert.Equal(t, pixel(v.picture, 10, 12), pixel(got, 13, 10), "right and up")
	assert.Equal(t, pixel(v.picture, 0, 12), pixel(got, 1, 10), "the border repeats at the left")
	assert.Equal(t, pixel(v.picture, 10, 127), pixel(got, 13, 127), "the border repeats at the bottom")

	from(&v.columns, true, 3, 1)
	from(&v.rows, false, 0, 1)
	v.apply(got)
	assert.Equal(t, pixel(v.picture, 127-10, 5), pixel(got, 13, 5), "mirrored, then moved right")

	plain()
	from(&v.columns, false, 0, 2)
	v.apply(got)
	assert.Equal(t, pixel(v.picture, 64+10, 5), pixel(got, 64+20, 5), "twice as wide, from the middle")

	plain()
	v.tones[1][pixel(v.picture, 50, 60)[1]] = 7
	v.hole.x, v.hole.y = -10, 100
	v.apply(got)
	was := pixel(v.picture, 50, 60)
	assert.Equal(t, []uint8{was[0], 7, was[2]}, pixel(got, 50, 60), "another tone of green")
	assert.Equal(t, []uint8{128, 128, 128}, pixel(got, 0, 100), "a hole across the border")
	assert.Equal(t, []uint8{128, 128, 128}, pixel(got, holeSize-11, 127))
	assert.Equal(t, pixel(v.picture, holeSize-10, 127), pixel(got, holeSize-10, 127))
	assert.Equal(t, pixel(v.picture, 0, 99), pixel(got, 0, 99))
}

// What is drawn stays within its bounds and reaches for them, and another epoch draws anew.
func TestAugmentVaries(t *testing.T) {
	d, err := openCIFAR(writeCIFAR(t, small10), small10)
	require.NoError(t, err)
	set := Augment(d.Train, 9)
	assert.Equal(t, d.Train.Len(), set.Len())
	assert.Equal(t, d.Train.Label(2), set.Label(2))
	seen := map[string]bool{}
	got := make([]uint8, pixels.Len)
	for epoch := range uint64(100) {
		set.Fill(got, 2, epoch)
		seen[string(got)] = true
	}
	assert.Len(t, seen, 100)

	var v variation
	v.stream.seed(9, 1, 2)
	mirrored, least, most := 0, math.Inf(1), math.Inf(-1)
	tones := [2]uint8{255, 0}
	for range 1000 {
		v.choose()
		wide := float64(v.columns[96]-v.columns[32]) / 64 // of the picture, in a picture's width
		if wide < 0 {
			mirrored++
		}
		least, most = min(least, math.Abs(wide)), max(most, math.Abs(wide))
		for _, tone := range v.tones {
			tones[0], tones[1] = min(tones[0], tone[128]), max(tones[1], tone[128])
		}
		assert.InDelta(t, 0, abs(v.columns[63]-63)+abs(v.rows[63]-63), 2*(maxShift*1.25+1))
	}
	assert.InDelta(t, 500, mirrored, 60)
	assert.InDelta(t, math.Exp(-maxStretch), least, 0.02)
	assert.InDelta(t, math.Exp(maxStretch), most, 0.02)
	assert.InDelta(t, 128-255*maxLight, float64(tones[0]), 2)
	assert.InDelta(t, 128+255*maxLight, float64(tones[1]), 2)
}

func abs(n int) int { return max(n, -n) }

func TestJoin(t *testing.T) {
	d, err := openCIFAR(writeCIFAR(t, small10), small10)
	require.NoError(t, err)
	both := Join(d.Valid, d.Train)
	require.Equal(t, d.Valid.Len()+d.Train.Len(), both.Len())
	got, want := make([]uint8, pixels.Len), make([]uint8, pixels.Len)
	for i := range both.Len() {
		set, at := d.Valid, i
		if i >= d.Valid.Len() {
			set, at = d.Train, i-d.Valid.Len()
		}
		assert.Equal(t, set.Label(at), both.Label(i))
		set.Fill(want, at, 0)
		both.Fill(got, i, 0)
		assert.Equal(t, want, got, i)
	}
}

func TestFillAllocatesNothing(t *testing.T) {
	d, err := openCIFAR(writeCIFAR(t, small10), small10)
	require.NoError(t, err)
	dst := make([]uint8, pixels.Len)
	for name, set := range map[string]Set{
		"stored": d.Train, "clutter": FreshClutter(testDigits(t), 1, 10), "augmented": Augment(d.Train, 1),
	} {
		set.Fill(dst, 1, 0)
		assert.Less(t, testing.AllocsPerRun(50, func() { set.Fill(dst, 1, 1) }), 1.0, name)
	}
}

func BenchmarkFill(b *testing.B) {
	dst := make([]uint8, pixels.Len)
	colour := newStored(make([]uint8, cifarImage), []uint8{0}, cifarSize, 3)
	digits, err := newDigits(make([]uint8, 784), []uint8{0})
	require.NoError(b, err)
	for _, bc := range []struct {
		name string
		set  Set
	}{
		{"cifar", colour}, {"augmented", Augment(colour, 1)}, {"clutter", FreshClutter(digits, 1, 1)},
	} {
		b.Run(bc.name, func(b *testing.B) {
			for b.Loop() {
				bc.set.Fill(dst, 0, 0)
			}
		})
	}
}
