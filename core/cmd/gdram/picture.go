package main

import (
	"context"
	"errors"
	"fmt"
	_ "image/gif"
	"io"
	"io/fs"
	"os"
	"path/filepath"

	_ "golang.org/x/image/bmp"
	_ "golang.org/x/image/webp"

	"gdram/core/pixels"
	"gdram/core/pixels/picture"
)

// The largest picture that is decoded, the same as in the page.
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
	decoded, err := picture.Decode(b, picture.Options{MaxPixels: maxPicturePixels})
	if errors.Is(err, picture.ErrKind) {
		return nil, fmt.Errorf("%s %w; want %s", path, err, pictureKinds)
	} else if err != nil {
		return nil, fmt.Errorf("%s %w", path, err)
	}
	prepared, err := pixels.FromRGBA(decoded.RGBA, decoded.Width, decoded.Height, gray)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", path, err)
	}
	return prepared, nil
}

// readPictureUntil is readPicture, but does not wait for a pipe that nobody writes to once c is done.
func readPictureUntil(c context.Context, path string, gray bool) ([]uint8, error) {
	var prepared []uint8
	var err error
	read := make(chan struct{})
	go func() {
		prepared, err = readPicture(path, gray)
		close(read)
	}()
	select {
	case <-read:
		return prepared, err
	case <-c.Done():
		return nil, c.Err()
	}
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
