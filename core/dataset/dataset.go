// Package dataset reads the data that the network learns from and is judged by: cluttered
// MNIST, CIFAR-10 and CIFAR-100, in the published files and with the reference's splits.
//
// Every set hands out pictures as the network sees them, through package pixels. They are
// enlarged when asked for, because 40,000 enlarged pictures would take 2 GB and enlarging
// one takes a tenth of a millisecond.
package dataset

import (
	"fmt"
	"path/filepath"
	"sync"

	"gdram/core/pixels"
)

// Set is a list of labelled pictures. It may be used from several goroutines at once.
type Set interface {
	Len() int
	// Label returns the class of picture i, from 0.
	Label(i int) int
	// Fill writes picture i as [128][128][3] bytes into dst, of length pixels.Len. Sets that
	// make pictures afresh or vary them give another one in every epoch, but always the same
	// for the same i and epoch; the others ignore epoch.
	Fill(dst []uint8, i int, epoch uint64)
}

// Data is a data set with its three splits.
type Data struct {
	Name               string
	Train, Valid, Test Set
	Classes            int
	Labels             []string // of the classes
	Gray               bool     // pictures are grey; others must be turned grey before the network sees them
}

// Open reads the data set called mnist, cifar10 or cifar100 from the folder dataPath, which
// holds the published files:
//
//	mnist     mnist_sequence1_sample_5distortions5x5.npz
//	cifar10   cifar-10-batches-bin/data_batch_1.bin ... data_batch_5.bin, test_batch.bin
//	cifar100  cifar-100-binary/train.bin, test.bin
//
// Of CIFAR, the first 10,000 training pictures validate and the other 40,000 train;
// cluttered MNIST has its own three parts of 10,000, 1,000 and 1,000.
func Open(name, dataPath string) (*Data, error) {
	var d *Data
	var err error
	switch name {
	case "mnist":
		d, err = openMNIST(filepath.Join(dataPath, mnistFile), mnistCounts)
	case "cifar10":
		d, err = openCIFAR(filepath.Join(dataPath, "cifar-10-batches-bin"), cifar10)
	case "cifar100":
		d, err = openCIFAR(filepath.Join(dataPath, "cifar-100-binary"), cifar100)
	default:
		return nil, fmt.Errorf("unknown data set %q; want mnist, cifar10 or cifar100", name)
	}
	if err != nil {
		return nil, fmt.Errorf("cannot open data set %s: %w", name, err)
	}
	d.Name = name
	return d, nil
}

// Labels returns the names of a data set's classes and whether its pictures are grey, without
// opening it.
func Labels(name string) (labels []string, gray bool, err error) {
	switch name {
	case "mnist":
		return digitLabels, true, nil
	case "cifar10":
		return cifar10Labels, false, nil
	case "cifar100":
		return cifar100Labels, false, nil
	}
	return nil, false, fmt.Errorf("unknown data set %q; want mnist, cifar10 or cifar100", name)
}

// joined is two sets, one after the other.
type joined struct{ first, second Set }

// Join returns a set with the pictures of first and then those of second.
func Join(first, second Set) Set { return joined{first, second} }

func (j joined) Len() int { return j.first.Len() + j.second.Len() }

func (j joined) Label(i int) int {
	set, i := j.of(i)
	return set.Label(i)
}

func (j joined) Fill(dst []uint8, i int, epoch uint64) {
	set, i := j.of(i)
	set.Fill(dst, i, epoch)
}

// of returns the set that picture i is in, and its place there.
func (j joined) of(i int) (Set, int) {
	if n := j.first.Len(); i >= n {
		return j.second, i - n
	}
	return j.first, i
}

// stored is a set of small square pictures in memory.
type stored struct {
	images   []uint8 // [len(labels)][size][size][channels]
	labels   []uint8
	size     int
	channels int // 1 or 3
	benches  *sync.Pool
}

func newStored(images, labels []uint8, size, channels int) *stored {
	return &stored{images, labels, size, channels, newBenches(size, channels)}
}

func (s *stored) Len() int { return len(s.labels) }

func (s *stored) Label(i int) int { return int(s.labels[i]) }

func (s *stored) Fill(dst []uint8, i int, _ uint64) {
	b := s.benches.Get().(*bench)
	defer s.benches.Put(b)
	n := s.size * s.size * s.channels
	b.enlarge(dst, s.images[i*n:(i+1)*n])
}

// slice returns the pictures from i up to, excluding, j.
func (s *stored) slice(i, j int) *stored {
	n := s.size * s.size * s.channels
	return &stored{s.images[i*n : j*n], s.labels[i:j], s.size, s.channels, s.benches}
}

// bench is where one goroutine makes a picture: a resizer and its buffers. Sets keep pools
// of them, so that Fill neither locks for long nor allocates.
type bench struct {
	resizer *pixels.Resizer
	gray    []uint8 // [128][128], when there is one channel
	small   []uint8 // a picture in the making, before enlarging
	stream  stream
}

func newBenches(size, channels int) *sync.Pool {
	return &sync.Pool{New: func() any {
		b := &bench{
			resizer: pixels.NewResizer(size, size, channels),
			small:   make([]uint8, size*size*channels),
		}
		if channels == 1 {
			b.gray = make([]uint8, pixels.Size*pixels.Size)
		}
		return b
	}}
}

// enlarge writes the small picture src into dst, [128][128][3]. Grey is enlarged once and
// copied into the three channels, to the same bytes as enlarging three.
func (b *bench) enlarge(dst, src []uint8) {
	if b.gray == nil {
		b.resizer.Resize(dst, src)
		return
	}
	b.resizer.Resize(b.gray, src)
	dst = dst[:pixels.Len]
	for i, v := range b.gray {
		dst[3*i], dst[3*i+1], dst[3*i+2] = v, v, v
	}
}
