// Command pictures makes what the tests and measurements of the Worker send, from a sample of the page: a
// photograph's size and grain, as JPEG and PNG. The same pictures every time:
//
//	go run ./web/worker/test/pictures FOLDER
package main

import (
	"image"
	"image/color"
	"image/jpeg"
	"image/png"
	"io"
	"log"
	"math/rand/v2"
	"os"
	"path/filepath"

	"golang.org/x/image/draw"
)

const sample = "web/samples/cifar10/dog-16.png"

func main() {
	f, err := os.Open(sample)
	check(err)
	defer f.Close()
	dog, err := png.Decode(f)
	check(err)

	photo := image.NewRGBA(image.Rect(0, 0, 640, 480))
	draw.CatmullRom.Scale(photo, photo.Rect, dog, dog.Bounds(), draw.Src, nil)
	random := rand.New(rand.NewPCG(1, 2))
	for i := range 640 * 480 {
		c := photo.RGBAAt(i%640, i/640)
		grain := 6 * random.NormFloat64()
		with := func(v uint8) uint8 { return uint8(min(max(float64(v)+grain, 0), 255)) }
		photo.SetRGBA(i%640, i/640, color.RGBA{with(c.R), with(c.G), with(c.B), 255})
	}
	write("photo.jpg", func(w io.Writer) error { return jpeg.Encode(w, photo, &jpeg.Options{Quality: 85}) })
	write("photo.png", func(w io.Writer) error { return png.Encode(w, photo) })
	write("large.jpg", func(w io.Writer) error { return jpeg.Encode(w, image.NewGray(image.Rect(0, 0, 4000, 3000)), nil) })
}

func write(name string, encode func(io.Writer) error) {
	check(os.MkdirAll(os.Args[1], 0o755))
	f, err := os.Create(filepath.Join(os.Args[1], name))
	check(err)
	check(encode(f))
	check(f.Close())
}

func check(err error) {
	if err != nil {
		log.Fatal(err)
	}
}
