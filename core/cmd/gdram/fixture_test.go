package main

import (
	"archive/zip"
	"bytes"
	"compress/zlib"
	"encoding/binary"
	"fmt"
	"hash/crc32"
	"image"
	"image/color"
	"image/gif"
	"image/jpeg"
	"image/png"
	"math/rand/v2"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"time"

	"golang.org/x/image/bmp"

	"gdram/core"
	"gdram/core/checkpoint"
	"gdram/core/checkpoint/disk"
)

// fixture is a program of the scripts in testdata that makes what they need:
//
//	fixture weights FILE CLASSES [DATASET [KEY=VALUE]]
//	                                         untrained weights, with that in their metadata
//	fixture picture FILE                     quarters, in the format that the name says
//	fixture bomb FILE WIDTH HEIGHT           a tiny PNG of so many black pixels
//	fixture cut FILE BYTES                   all of a file but its last bytes
//	fixture mnist FOLDER                     cluttered digits as published, all alike
//	fixture digits FOLDER [PART]             ten plain digits in MNIST's format, 0 to 9, as part train or t10k
//	fixture wait FILE                        until it exists
func fixture() {
	if err := makeFixture(os.Args[1:]); err != nil {
		fmt.Fprintln(os.Stderr, "fixture:", err)
		os.Exit(2)
	}
}

func makeFixture(args []string) error {
	number := func(i int) int {
		n, err := strconv.Atoi(args[i])
		if err != nil {
			panic(err)
		}
		return n
	}
	file := args[1]
	switch args[0] {
	case "weights":
		var meta checkpoint.Meta
		if len(args) > 3 {
			meta.Dataset, meta.Gray = args[3], args[3] == "mnist"
			for i := range number(2) {
				meta.Labels = append(meta.Labels, "class"+strconv.Itoa(i))
			}
		}
		if len(args) > 4 {
			key, value, _ := strings.Cut(args[4], "=")
			meta.Extra = map[string]string{key: value}
		}
		return disk.Save(file, untrained(number(2)), meta, disk.F32)
	case "picture":
		b, err := encode(quarters(), filepath.Ext(file))
		if err != nil {
			return err
		}
		return os.WriteFile(file, b, 0o644)
	case "bomb":
		return os.WriteFile(file, bomb(uint32(number(2)), uint32(number(3))), 0o644)
	case "cut":
		b, err := os.ReadFile(file)
		if err != nil {
			return err
		}
		return os.WriteFile(file, b[:len(b)-number(2)], 0o644)
	case "mnist":
		return writeMNIST(file)
	case "digits":
		part := "train"
		if len(args) > 2 {
			part = args[2]
		}
		return writeDigits(file, part)
	case "wait":
		for range 600 {
			if _, err := os.Stat(file); err == nil {
				return nil
			}
			time.Sleep(50 * time.Millisecond)
		}
		return fmt.Errorf("there is still no %s", file)
	}
	return fmt.Errorf("unknown fixture %q", args[0])
}

func untrained(classes int) *core.Params {
	p := core.NewParams(classes)
	p.Initialize(rand.New(rand.NewPCG(7, 0)))
	return p
}

// quarters is a picture wider than high whose four quarters differ, so that no mirroring or
// turning leaves it as it is.
func quarters() *image.NRGBA {
	m := image.NewNRGBA(image.Rect(0, 0, 48, 32))
	for y := range 32 {
		for x := range 48 {
			c := [4]color.NRGBA{{200, 30, 30, 255}, {30, 200, 30, 255}, {30, 30, 200, 255}, {240, 240, 240, 255}}
			m.SetNRGBA(x, y, c[x/24+2*(y/16)])
		}
	}
	return m
}

func encode(m image.Image, extension string) ([]byte, error) {
	var b bytes.Buffer
	var err error
	switch extension {
	case ".png":
		err = png.Encode(&b, m)
	case ".jpg":
		err = jpeg.Encode(&b, m, &jpeg.Options{Quality: 95})
	case ".gif":
		err = gif.Encode(&b, m, nil)
	case ".bmp":
		err = bmp.Encode(&b, m)
	default:
		err = fmt.Errorf("no encoder for %q", extension)
	}
	return b.Bytes(), err
}

// bomb is a complete PNG of one bit a pixel. It is written chunk by chunk because an encoder
// would need the pixels.
func bomb(width, height uint32) []byte {
	b := []byte("\x89PNG\r\n\x1a\n")
	chunk := func(kind string, data []byte) {
		b = binary.BigEndian.AppendUint32(b, uint32(len(data)))
		body := append([]byte(kind), data...)
		b = append(b, body...)
		b = binary.BigEndian.AppendUint32(b, crc32.ChecksumIEEE(body))
	}
	header := binary.BigEndian.AppendUint32(nil, width)
	header = binary.BigEndian.AppendUint32(header, height)
	chunk("IHDR", append(header, 1, 0, 0, 0, 0)) // 1 bit, grey
	var packed bytes.Buffer
	w, err := zlib.NewWriterLevel(&packed, zlib.BestCompression)
	if err != nil {
		panic(err)
	}
	row := make([]byte, 1+(width+7)/8)
	for range height {
		w.Write(row)
	}
	w.Close()
	chunk("IDAT", packed.Bytes())
	chunk("IEND", nil)
	return b
}

// writeMNIST writes the three parts of the cluttered file in their published sizes. All
// pictures are black; picture i is labelled i mod 10.
func writeMNIST(folder string) error {
	if err := os.MkdirAll(folder, 0o755); err != nil {
		return err
	}
	f, err := os.Create(filepath.Join(folder, "mnist_sequence1_sample_5distortions5x5.npz"))
	if err != nil {
		return err
	}
	defer f.Close()
	z := zip.NewWriter(f)
	// An array is a magic number, a header padded to 64 bytes with the header's length before
	// it, and the numbers.
	array := func(name, kind string, rows, columns int, data []byte) error {
		w, err := z.Create(name)
		if err != nil {
			return err
		}
		header := fmt.Sprintf("{'descr': '%s', 'fortran_order': False, 'shape': (%d, %d), }", kind, rows, columns)
		header = fmt.Sprintf("%-117s\n", header)
		_, err = w.Write(append([]byte("\x93NUMPY\x01\x00v\x00"+header), data...))
		return err
	}
	for part, n := range map[string]int{"train": 10_000, "valid": 1_000, "test": 1_000} {
		labels := make([]byte, 4*n)
		for i := range n {
			labels[4*i] = byte(i % 10)
		}
		if err := array("X_"+part+".npy", "<f4", n, 1600, make([]byte, 4*n*1600)); err != nil {
			return err
		}
		if err := array("y_"+part+".npy", "<i4", n, 1, labels); err != nil {
			return err
		}
	}
	return z.Close()
}

// writeDigits writes ten digits, 0 to 9, all of them white squares.
func writeDigits(folder, part string) error {
	images := []byte{0, 0, 8, 3, 0, 0, 0, 10, 0, 0, 0, 28, 0, 0, 0, 28}
	images = append(images, bytes.Repeat([]byte{255}, 10*28*28)...)
	labels := []byte{0, 0, 8, 1, 0, 0, 0, 10, 0, 1, 2, 3, 4, 5, 6, 7, 8, 9}
	if err := os.WriteFile(filepath.Join(folder, part+"-images-idx3-ubyte"), images, 0o644); err != nil {
		return err
	}
	return os.WriteFile(filepath.Join(folder, part+"-labels-idx1-ubyte"), labels, 0o644)
}
