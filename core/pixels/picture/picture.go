// Package picture decodes picture files for package pixels: within bounds, upright, whatever their
// kind of pixels. The command line and the Worker read pictures through it; in the page the browser does.
//
// It knows PNG and JPEG. A program that imports more decoders for package image reads more kinds.
package picture

import (
	"bytes"
	"errors"
	"fmt"
	"image"
	"image/color"
	"image/draw"
	_ "image/jpeg"
	_ "image/png"
	"io"
)

// ErrKind is that of a file of a kind that the program cannot read, or no picture at all.
var ErrKind = errors.New("is not a picture that can be read")

// Options say how to decode. MaxPixels must be given.
type Options struct {
	// MaxPixels bounds width times height. Kinds that take twice the memory while they are decoded, JPEG in
	// several scans and sixteen bits a colour, may have half.
	MaxPixels int
	// JPEG, if not nil, decodes JPEG files of known size faster than package image does, to [height][width][4].
	// What it does not decode, package image does, so that nobody else decides whether a file is damaged. It is not
	// asked for files that lack Huffman tables: libjpeg puts the standard ones in their place, package image refuses.
	JPEG func(file []byte, width, height int) (rgba []uint8, ok bool)
}

// Picture is the pixels of a file: [Height][Width][4], colours not multiplied by alpha.
type Picture struct {
	RGBA          []uint8
	Width, Height int
}

// Decode reads a file. Errors are predicates: after the name of the picture they make a sentence.
func Decode(file []byte, options Options) (p Picture, err error) {
	// The size comes first: a few kilobytes can unfold to gigabytes.
	config, kind, err := image.DecodeConfig(bytes.NewReader(file))
	if errors.Is(err, image.ErrFormat) {
		return p, ErrKind
	} else if err != nil {
		return p, damaged(err)
	}
	var s scans
	if kind == "jpeg" {
		s = scansOf(file)
	}
	if err := bounded(config, s, options.MaxPixels); err != nil {
		return p, err
	}
	p.Width, p.Height = config.Width, config.Height
	ok := false
	if s.tabled && options.JPEG != nil {
		p.RGBA, ok = options.JPEG(file, p.Width, p.Height)
	}
	if !ok {
		decoded, _, err := image.Decode(bytes.NewReader(file))
		if err != nil {
			return p, damaged(err)
		}
		p.RGBA = rgbaOf(decoded, p.Width, p.Height)
	}
	if kind == "jpeg" {
		p = upright(p, orientation(file))
	}
	return p, nil
}

// The scans of a JPEG file, each of which may visit every pixel and take a small part of the file. A plain one needs one
// for each colour at most; programs that save progressive ones make ten.
const (
	maxPlainScans       = 4
	maxProgressiveScans = 100
)

// bounded refuses a picture that would take too much memory or time.
func bounded(config image.Config, s scans, most int) error {
	if config.Width < 1 || config.Height < 1 {
		return fmt.Errorf("is %dx%d pixels; want at least 1x1", config.Width, config.Height)
	}
	how, advice := "", ""
	switch config.ColorModel {
	case color.RGBA64Model, color.NRGBA64Model, color.Gray16Model: // grey with a transparent value becomes NRGBA64
		most, how, advice = most/2, " of sixteen bits a colour", ", or with eight"
	}
	maxScans := maxPlainScans
	if s.progressive { // its coefficients are all kept until the last scan, four bytes each
		maxScans = maxProgressiveScans
		most, how, advice = most/2, " of progressive JPEG", ", or as plain JPEG"
	}
	if s.count > maxScans {
		return fmt.Errorf("is JPEG of %d scans, more than %d; save it anew as plain JPEG", s.count, maxScans)
	}
	if config.Width > most/config.Height {
		return fmt.Errorf("is %dx%d pixels%s, more than %g million; save it smaller%s",
			config.Width, config.Height, how, float64(most)/1e6, advice)
	}
	return nil
}

func damaged(err error) error {
	if errors.Is(err, io.ErrUnexpectedEOF) || errors.Is(err, io.EOF) {
		return errors.New("ends in the middle of the picture; copy it again")
	}
	return fmt.Errorf("is damaged or of a kind that cannot be read (%w); copy it again, or save it anew as PNG", err)
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
