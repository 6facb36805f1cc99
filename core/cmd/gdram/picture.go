package main

import (
	"bytes"
	"errors"
	"fmt"
	"image"
	"image/color"
	"image/draw"
	_ "image/gif"
	_ "image/jpeg"
	_ "image/png"
	"io"
	"io/fs"
	"os"
	"path/filepath"

	_ "golang.org/x/image/bmp"
	_ "golang.org/x/image/webp"

	"gdram/core/pixels"
)

// The largest picture that is decoded, the same as in the page. Kinds that take twice the memory
// while they are decoded may have half the pixels.
const (
	maxPictureBytes  = 64 << 20
	maxPicturePixels = 64_000_000 // 256 MB as RGBA
)

const pictureKinds = "PNG, JPEG, GIF, WebP or BMP"

// readPicture reads a picture file for the network: [128][128][3] bytes, upright. Errors are
// sentences that begin with the path.
func readPicture(path string, gray bool) ([]uint8, error) {
	b, err := readPictureFile(path)
	if err != nil {
		return nil, err
	}
	// The size comes first: a few kilobytes can unfold to gigabytes.
	config, kind, err := image.DecodeConfig(bytes.NewReader(b))
	if errors.Is(err, image.ErrFormat) {
		return nil, fmt.Errorf("%s is not a picture that can be read; want %s", path, pictureKinds)
	} else if err != nil {
		return nil, damaged(path, err)
	}
	if config.Width < 1 || config.Height < 1 {
		return nil, fmt.Errorf("%s is %dx%d pixels; want at least 1x1", path, config.Width, config.Height)
	}
	most, how, advice := maxPicturePixels, "", ""
	switch {
	case config.ColorModel == color.RGBA64Model || config.ColorModel == color.NRGBA64Model:
		most, how, advice = maxPicturePixels/2, " of sixteen bits a colour", ", or with eight"
	case kind == "jpeg" && progressive(b):
		// Its coefficients are all kept until the last scan, four bytes each.
		most, how, advice = maxPicturePixels/2, " of progressive JPEG", ", or as plain JPEG"
	}
	if config.Width > most/config.Height {
		return nil, fmt.Errorf("%s is %dx%d pixels%s, more than %d million; save it smaller%s",
			path, config.Width, config.Height, how, most/1_000_000, advice)
	}
	decoded, _, err := image.Decode(bytes.NewReader(b))
	if err != nil {
		return nil, damaged(path, err)
	}
	rgba := rgbaOf(decoded, config.Width, config.Height)
	width, height := config.Width, config.Height
	if kind == "jpeg" {
		rgba, width, height = upright(rgba, width, height, orientation(b))
	}
	prepared, err := pixels.FromRGBA(rgba, width, height, gray)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", path, err)
	}
	return prepared, nil
}

func readPictureFile(path string) ([]byte, error) {
	f, err := os.Open(path)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, fmt.Errorf("there is no picture %s; check its name and folder", path)
	} else if err != nil {
		return nil, fmt.Errorf("cannot read the picture: %w; choose one that can be read", err)
	}
	defer f.Close()
	if info, err := f.Stat(); err == nil && info.IsDir() {
		return nil, fmt.Errorf("%s is a folder; name the pictures in it, as %s", path, filepath.Join(path, "*.png"))
	}
	b, err := io.ReadAll(io.LimitReader(f, maxPictureBytes+1))
	if err != nil {
		return nil, fmt.Errorf("cannot read the picture: %w; copy it again", err)
	}
	if len(b) == 0 {
		return nil, fmt.Errorf("%s is empty, 0 bytes; want a picture, %s", path, pictureKinds)
	}
	if len(b) > maxPictureBytes {
		return nil, fmt.Errorf("%s has more than %d MB; save the picture smaller", path, maxPictureBytes>>20)
	}
	return b, nil
}

func damaged(path string, err error) error {
	if errors.Is(err, io.ErrUnexpectedEOF) || errors.Is(err, io.EOF) {
		return fmt.Errorf("%s ends in the middle of the picture; copy it again", path)
	}
	return fmt.Errorf("%s is damaged or of a kind that cannot be read (%w); copy it again, or save it anew as PNG", path, err)
}

// rgbaOf returns the pixels as [height][width][4] bytes, colours not multiplied by alpha. The
// first frame of a GIF may be smaller than the picture: what it leaves open is transparent.
func rgbaOf(decoded image.Image, width, height int) []uint8 {
	whole := image.Rect(0, 0, width, height)
	bounds := decoded.Bounds()
	if m, ok := decoded.(*image.NRGBA); ok && bounds == whole && m.Stride == 4*width {
		return m.Pix
	}
	if m, ok := decoded.(interface{ Opaque() bool }); ok && bounds == whole && m.Opaque() {
		// Without alpha the two forms are the same, and this one has fast paths.
		to := image.NewRGBA(whole)
		draw.Draw(to, bounds, decoded, bounds.Min, draw.Src)
		return to.Pix
	}
	to := image.NewNRGBA(whole)
	draw.Draw(to, bounds, decoded, bounds.Min, draw.Src)
	return to.Pix
}
