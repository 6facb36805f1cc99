package dataset

import (
	"compress/gzip"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
)

const digitSize = 28

// trainDigits is how many digits of MNIST's training file are for training, from the
// first; the published cluttered file makes its validation pictures of the others.
const trainDigits = 50_000

// allDigits is how many the largest file of MNIST holds.
const allDigits = 60_000

// Digits are plain MNIST digits, the stuff that cluttered pictures are made of.
type Digits struct {
	images  []uint8 // [len(labels)][28][28]
	labels  []uint8
	byClass [10][]int32 // the digits of each class
}

// OpenDigits reads the first 50,000 training digits of MNIST from train-images-idx3-ubyte
// and train-labels-idx1-ubyte, each plain or .gz, in dataPath or its folder mnist. Without
// the files the error is fs.ErrNotExist.
func OpenDigits(dataPath string) (*Digits, error) {
	return openDigits(dataPath, "train", 0, trainDigits)
}

// OpenAllDigits reads those that validate, too: all 60,000. A file that holds none of them is an error.
func OpenAllDigits(dataPath string) (*Digits, error) {
	d, err := openDigits(dataPath, "train", 0, allDigits)
	if err == nil && d.Len() <= trainDigits {
		return nil, fmt.Errorf("MNIST's training file in %s holds only digits that train; take the whole file, of 60,000", dataPath)
	}
	return d, err
}

// openDigits reads digits from the given one up to and excluding the other, or to the end, of the pair of files whose names
// begin with part.
func openDigits(dataPath, part string, from, to int) (*Digits, error) {
	images, err := readIDX(dataPath, part+"-images-idx3-ubyte", digitSize, digitSize)
	if err != nil {
		return nil, err
	}
	labels, err := readIDX(dataPath, part+"-labels-idx1-ubyte")
	if err != nil { // not wrapped: half of MNIST is a mistake, not its absence
		return nil, fmt.Errorf("the images of MNIST are in %s, but: %v", dataPath, err)
	}
	if len(images) != len(labels)*digitSize*digitSize || len(labels) == 0 {
		return nil, fmt.Errorf("the MNIST files in %s hold %d images and %d labels; take both from the same place",
			dataPath, len(images)/(digitSize*digitSize), len(labels))
	}
	from, to = min(from, len(labels)), min(to, len(labels))
	return newDigits(images[from*digitSize*digitSize:to*digitSize*digitSize], labels[from:to])
}

func newDigits(images, labels []uint8) (*Digits, error) {
	d := &Digits{images: images, labels: labels}
	for i, c := range labels {
		if c > 9 {
			return nil, fmt.Errorf("digit %d of MNIST has label %d, want 0 to 9; download the file again", i, c)
		}
		d.byClass[c] = append(d.byClass[c], int32(i))
	}
	return d, nil
}

// Len returns how many there are.
func (d *Digits) Len() int { return len(d.labels) }

// image returns digit i, [28][28].
func (d *Digits) image(i int) []uint8 {
	return d.images[i*digitSize*digitSize : (i+1)*digitSize*digitSize]
}

// readIDX reads the bytes of an IDX file: two zeros, the type 8 for bytes, the number of
// dimensions, each dimension as four bytes with the highest first, the data. The
// dimensions after the first must be those in shape.
func readIDX(dataPath, name string, shape ...int) ([]byte, error) {
	f, err := openIDX(dataPath, name)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	bad := func(what string, args ...any) error {
		return fmt.Errorf("%s %s; download it again", f.Name(), fmt.Sprintf(what, args...))
	}
	var r io.Reader = f
	if filepath.Ext(f.Name()) == ".gz" {
		if r, err = gzip.NewReader(f); err != nil {
			return nil, bad("is not compressed with gzip")
		}
	}
	header := make([]byte, 4+4*(1+len(shape)))
	if _, err := io.ReadFull(r, header); err != nil {
		return nil, bad("ends before its header does")
	}
	if binary.BigEndian.Uint32(header) != uint32(0x0800|(1+len(shape))) {
		return nil, bad("is not an IDX file of bytes in %d dimensions", 1+len(shape))
	}
	size := int(binary.BigEndian.Uint32(header[4:]))
	if size > allDigits { // a megabyte may unfold to gigabytes
		return nil, bad("says to hold %d digits, and MNIST has %d at most", size, allDigits)
	}
	for i, want := range shape {
		if got := binary.BigEndian.Uint32(header[8+4*i:]); got != uint32(want) {
			return nil, bad("has %d for dimension %d, want %d", got, i+1, want)
		}
		size *= want
	}
	// Memory grows with what is there, not with what the header says.
	b, err := io.ReadAll(io.LimitReader(r, int64(size)+1))
	if err != nil {
		return nil, bad("cannot be read to its end (%v)", err)
	}
	if len(b) != size {
		return nil, bad("has %d bytes of data or more, want %d", len(b), size)
	}
	return b, nil
}

func openIDX(dataPath, name string) (*os.File, error) {
	for _, folder := range []string{dataPath, filepath.Join(dataPath, "mnist")} {
		for _, ending := range []string{"", ".gz"} {
			f, err := os.Open(filepath.Join(folder, name+ending))
			if err == nil || !errors.Is(err, fs.ErrNotExist) {
				return f, err
			}
		}
	}
	return nil, fmt.Errorf("there is neither %s nor %s.gz in %s or its folder mnist (%w); put MNIST's files there",
		name, name, dataPath, fs.ErrNotExist)
}
