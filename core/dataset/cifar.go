package dataset

import (
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
)

const (
	cifarSize  = 32
	cifarPlane = cifarSize * cifarSize
	cifarImage = 3 * cifarPlane
)

// cifar describes one of the two binary distributions: records of some label bytes, the
// last of which is the class, and an image as three planes.
type cifar struct {
	train, test []string
	perFile     [2]int // records in each training and test file
	labelBytes  int
	valid       int // training pictures that validate, from the first
	labels      []string
}

var (
	cifar10 = cifar{
		train:   []string{"data_batch_1.bin", "data_batch_2.bin", "data_batch_3.bin", "data_batch_4.bin", "data_batch_5.bin"},
		test:    []string{"test_batch.bin"},
		perFile: [2]int{10_000, 10_000}, labelBytes: 1, valid: 10_000, labels: cifar10Labels,
	}
	cifar100 = cifar{
		train:   []string{"train.bin"},
		test:    []string{"test.bin"},
		perFile: [2]int{50_000, 10_000}, labelBytes: 2, valid: 10_000, labels: cifar100Labels,
	}
)

func openCIFAR(folder string, c cifar) (*Data, error) {
	train, err := c.read(folder, c.train, c.perFile[0])
	if err != nil {
		return nil, err
	}
	test, err := c.read(folder, c.test, c.perFile[1])
	if err != nil {
		return nil, err
	}
	return &Data{
		Train:   train.slice(c.valid, train.Len()),
		Valid:   train.slice(0, c.valid),
		Test:    test,
		Classes: len(c.labels),
		Labels:  c.labels,
	}, nil
}

func (c cifar) read(folder string, names []string, records int) (*stored, error) {
	images := make([]uint8, 0, len(names)*records*cifarImage)
	labels := make([]uint8, 0, len(names)*records)
	for _, name := range names {
		path := filepath.Join(folder, name)
		b, err := readExactly(path, records*(c.labelBytes+cifarImage))
		if err != nil {
			return nil, err
		}
		for i := range records {
			record := b[i*(c.labelBytes+cifarImage):][:c.labelBytes+cifarImage]
			label := record[c.labelBytes-1]
			if int(label) >= len(c.labels) {
				return nil, fmt.Errorf("%s: picture %d has label %d, want less than %d; unpack the file again", path, i, label, len(c.labels))
			}
			labels = append(labels, label)
			images = appendInterleaved(images, record[c.labelBytes:])
		}
	}
	return newStored(images, labels, cifarSize, 3), nil
}

// appendInterleaved turns three planes into pixels of three bytes.
func appendInterleaved(dst, planes []uint8) []uint8 {
	r, g, b := planes[:cifarPlane], planes[cifarPlane:2*cifarPlane], planes[2*cifarPlane:]
	for i := range r {
		dst = append(dst, r[i], g[i], b[i])
	}
	return dst
}

// readExactly reads a file that must have size bytes, and looks no further than one more.
func readExactly(path string, size int) ([]byte, error) {
	f, err := os.Open(path)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, fmt.Errorf("there is no %s; put the published files there or name another folder with --data-path", path)
	} else if err != nil {
		return nil, err
	}
	defer f.Close()
	b := make([]byte, size+1)
	n, err := io.ReadFull(f, b)
	switch {
	case err == nil:
		return nil, fmt.Errorf("%s has more than the %d bytes it should have; unpack it again", path, size)
	case err != io.ErrUnexpectedEOF && err != io.EOF:
		return nil, err
	case n < size:
		return nil, fmt.Errorf("%s has %d bytes, want %d; unpack it again", path, n, size)
	}
	return b[:size], nil
}
