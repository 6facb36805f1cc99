package dataset

import (
	"archive/zip"
	"cmp"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"slices"

	"codeberg.org/sbinet/npyio/npy"
)

// mnistFile is the published cluttered MNIST: one digit and five patches of others.
const mnistFile = "mnist_sequence1_sample_5distortions5x5.npz"

// mnistCounts are its pictures to train, validate and test.
var mnistCounts = [3]int{10_000, 1_000, 1_000}

func openMNIST(path string, counts [3]int) (*Data, error) {
	z, err := zip.OpenReader(path)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, fmt.Errorf("there is no %s; put the published file there or name another folder with --data-path", path)
	} else if err != nil {
		return nil, fmt.Errorf("%s: %w; download it again", path, err)
	}
	defer z.Close()
	var parts [3]Set
	for i, part := range []string{"train", "valid", "test"} {
		if parts[i], err = readPart(z, part, counts[i]); err != nil {
			return nil, fmt.Errorf("%s: %w; download it again", path, err)
		}
	}
	return &Data{
		Train: parts[0], Valid: parts[1], Test: parts[2],
		Classes: len(digitLabels), Labels: digitLabels, Gray: true,
	}, nil
}

// readPart reads X_<part>, [n][1600] float32, and y_<part>, [n][1] int32. The floats are
// bytes / 256, and 1 where the clutter was clipped.
func readPart(z *zip.ReadCloser, part string, n int) (*stored, error) {
	var x []float32
	if err := readArray(z, "X_"+part+".npy", []int{n, clutterSize * clutterSize}, &x); err != nil {
		return nil, err
	}
	var y []int32
	if err := readArray(z, "y_"+part+".npy", []int{n, 1}, &y); err != nil {
		return nil, err
	}
	images, labels := make([]uint8, len(x)), make([]uint8, len(y))
	for i, v := range x {
		if !(v >= 0 && v <= 1) {
			return nil, fmt.Errorf("picture %d of part %s holds %g, want 0 to 1", i/(clutterSize*clutterSize), part, v)
		}
		images[i] = uint8(min(v*256+0.5, 255))
	}
	for i, v := range y {
		if v < 0 || int(v) >= len(digitLabels) {
			return nil, fmt.Errorf("picture %d of part %s has label %d, want 0 to 9", i, part, v)
		}
		labels[i] = uint8(v)
	}
	return newStored(images, labels, clutterSize, 1), nil
}

// readArray reads an array of the expected shape; it looks at the shape first, because the
// library allocates whatever the header says.
func readArray(z *zip.ReadCloser, name string, shape []int, ptr any) (err error) {
	defer func() {
		if recover() != nil { // the library's way to say that it is no header
			err = fmt.Errorf("array %s has a damaged header", name)
		}
	}()
	f, err := z.Open(name)
	if errors.Is(err, fs.ErrNotExist) {
		return fmt.Errorf("it has no array %s", name)
	} else if err != nil {
		return fmt.Errorf("array %s: %w", name, err)
	}
	defer f.Close()
	r, err := npy.NewReader(f)
	if err != nil {
		return fmt.Errorf("array %s: %w", name, err)
	}
	if d := r.Header.Descr; !slices.Equal(d.Shape, shape) || d.Fortran {
		return fmt.Errorf("array %s has shape %v, want %v in row-major order", name, d.Shape, shape)
	}
	if err := r.Read(ptr); err != nil {
		return fmt.Errorf("array %s: %w", name, err)
	}
	// Its checksum is compared where it ends.
	if more, err := io.Copy(io.Discard, f); err != nil || more > 0 {
		return fmt.Errorf("array %s is damaged: %w", name, cmp.Or(err, errLonger))
	}
	return nil
}

var errLonger = errors.New("it is longer than its header says")
