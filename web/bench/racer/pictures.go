package main

import (
	"encoding/binary"
	"fmt"
	"image"
	"image/draw"
	_ "image/png"
	"math"
	"os"

	"gdram/core"
	"gdram/core/checkpoint/disk"
	"gdram/core/dataset"
	"gdram/core/pixels"
)

const plane = core.ImageSize * core.ImageSize

// prepare writes picture files.
func prepare(weights, to string, pictures []string) error {
	_, meta, err := disk.Load(weights)
	if err != nil {
		return err
	}
	var out []byte
	for _, path := range pictures {
		f, err := os.Open(path)
		if err != nil {
			return err
		}
		m, _, err := image.Decode(f)
		f.Close()
		if err != nil {
			return fmt.Errorf("%s: %w", path, err)
		}
		rgba := image.NewNRGBA(image.Rect(0, 0, m.Bounds().Dx(), m.Bounds().Dy()))
		draw.Draw(rgba, rgba.Rect, m, m.Bounds().Min, draw.Src)
		prepared, err := pixels.FromRGBA(rgba.Pix, rgba.Rect.Dx(), rgba.Rect.Dy(), meta.Gray)
		if err != nil {
			return fmt.Errorf("%s: %w", path, err)
		}
		out = appendPlanes(out, prepared)
	}
	return os.WriteFile(to, out, 0o644)
}

// fromDataset writes the first pictures of a test set.
func fromDataset(weights, to, dataPath string, count int) error {
	_, meta, err := disk.Load(weights)
	if err != nil {
		return err
	}
	data, err := dataset.Open(meta.Dataset, dataPath)
	if err != nil {
		return err
	}
	if count > data.Test.Len() {
		return fmt.Errorf("%d pictures; the test set of %s has %d", count, meta.Dataset, data.Test.Len())
	}
	var out []byte
	picture := make([]uint8, pixels.Len)
	for i := range count {
		data.Test.Fill(picture, i, 0)
		out = appendPlanes(out, picture)
	}
	return os.WriteFile(to, out, 0o644)
}

// appendPlanes appends a picture of bytes [128][128][3] as [3][128][128] float32 in 0..1.
func appendPlanes(out []byte, picture []uint8) []byte {
	input := make([]float32, core.ImageLen)
	pixels.ToFloat(input, picture)
	for colour := range core.Colours {
		for p := range plane {
			out = binary.LittleEndian.AppendUint32(out, math.Float32bits(input[p*core.Colours+colour]))
		}
	}
	return out
}

// readNumbers reads a file of float32 whose count is a multiple of each.
func readNumbers(file string, each int) ([]float32, error) {
	b, err := os.ReadFile(file)
	if err != nil {
		return nil, err
	}
	if len(b) == 0 || len(b)%(4*each) != 0 {
		return nil, fmt.Errorf("%s has %d bytes; want a multiple of %d", file, len(b), 4*each)
	}
	numbers := make([]float32, len(b)/4)
	for i := range numbers {
		numbers[i] = math.Float32frombits(binary.LittleEndian.Uint32(b[4*i:]))
	}
	return numbers, nil
}

// readPictures reads a file of pictures as the network takes them, [128][128][3].
func readPictures(file string) ([][]float32, error) {
	numbers, err := readNumbers(file, core.ImageLen)
	if err != nil {
		return nil, err
	}
	images := make([][]float32, len(numbers)/core.ImageLen)
	for i := range images {
		images[i] = make([]float32, core.ImageLen)
		for p := range plane {
			for colour := range core.Colours {
				images[i][p*core.Colours+colour] = numbers[i*core.ImageLen+colour*plane+p]
			}
		}
	}
	return images, nil
}

// open returns the network of a file and pictures for it.
func open(weights, pictures string) (*core.Params, [][]float32, error) {
	params, _, err := disk.Load(weights)
	if err != nil {
		return nil, nil, err
	}
	images, err := readPictures(pictures)
	return params, images, err
}
