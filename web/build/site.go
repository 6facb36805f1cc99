package main

import (
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"image"
	"image/color"
	"image/draw"
	"image/png"
	"os"
	"path/filepath"

	"github.com/evanw/esbuild/pkg/api"
)

// writeSite writes the page as a folder that any server may serve: with a manifest, so that browsers offer to install it, and a
// service worker that keeps all of it for when there is no network.
func writeSite(folder string, files []file) error {
	page, err := os.ReadFile("index.html")
	if err != nil {
		return err
	}
	text, err := replaceEach(string(page), [][2]string{{styleLink, `<link rel="manifest" href="manifest.webmanifest">` + "\n" +
		`<link rel="apple-touch-icon" href="icon-192.png">` + "\n" + styleLink}})
	if err != nil {
		return err
	}
	manifest, err := json.MarshalIndent(map[string]any{
		"name": "Watch a network look", "short_name": "gdram", "start_url": ".", "display": "standalone",
		"description":      "A small neural network classifies a picture through a few glimpses and shows where it looked.",
		"background_color": "#fbfaf7", "theme_color": "#fbfaf7",
		"icons": []map[string]string{
			{"src": "icon-192.png", "sizes": "192x192", "type": "image/png"},
			{"src": "icon-512.png", "sizes": "512x512", "type": "image/png"},
		},
	}, "", "  ")
	if err != nil {
		return err
	}
	// They are written in this order: the page after what it loads, and last the service worker, which makes browsers fetch it all anew.
	site := []file{{name: "manifest.webmanifest", data: manifest}}
	for _, size := range []int{192, 512} {
		site = append(site, file{name: fmt.Sprintf("icon-%d.png", size), data: icon(size)})
	}
	for _, f := range files {
		site = append(site, file{name: "web/dist/" + f.name, data: f.data})
	}
	site = append(site, file{name: "index.html", data: []byte(text)})

	// Another build is another version, which replaces the one that was kept.
	var names []string
	sum := sha256.New()
	for _, f := range site {
		names = append(names, f.name)
		fmt.Fprintf(sum, "%s %d\n", f.name, len(f.data))
		sum.Write(f.data)
	}
	list, err := json.Marshal(map[string]any{"version": hex.EncodeToString(sum.Sum(nil))[:16], "files": names})
	if err != nil {
		return err
	}
	worker, err := esbuild(source+"/sw.js", map[string]string{"virtual:site": "export default " + string(list)}, api.FormatIIFE, "")
	if err != nil {
		return err
	}
	for _, f := range append(site, file{name: "sw.js", data: worker}) {
		if err := replaceFile(filepath.Join(folder, filepath.FromSlash(f.name)), f.data); err != nil {
			return err
		}
	}
	if err := removeOthers(filepath.Join(folder, filepath.FromSlash(dist)), files); err != nil {
		return err
	}
	fmt.Printf("%-28s to be served\n", folder)
	return nil
}

// icon paints the patches of a look, as PNG.
func icon(size int) []byte {
	to := image.NewRGBA(image.Rect(0, 0, size, size))
	fill := func(share float64, c color.Color) {
		inset := int(float64(size) * (1 - share) / 2)
		draw.Draw(to, to.Bounds().Inset(inset), image.NewUniform(c), image.Point{}, draw.Src)
	}
	paper := color.RGBA{0xfb, 0xfa, 0xf7, 0xff}
	fill(1, paper)
	for _, square := range []struct {
		outer, inner float64
		c            color.RGBA
	}{
		{0.8, 0.75, color.RGBA{0xef, 0xc4, 0xae, 0xff}},
		{0.5, 0.44, color.RGBA{0xde, 0x86, 0x5a, 0xff}},
		{0.22, 0, color.RGBA{0xd2, 0x57, 0x1b, 0xff}},
	} {
		fill(square.outer, square.c)
		if square.inner > 0 {
			fill(square.inner, paper)
		}
	}
	var b bytes.Buffer
	if err := png.Encode(&b, to); err != nil {
		panic(err) // into memory, of a size that is right
	}
	return b.Bytes()
}
