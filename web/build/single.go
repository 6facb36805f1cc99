package main

import (
	"bytes"
	"crypto/sha256"
	"encoding/base64"
	"fmt"
	"html"
	"os"
	"strings"
)

// The places of index.html that depend on how the page is passed on.
const (
	styleLink  = `<link rel="stylesheet" href="web/dist/page.css">`
	scriptLink = `<script src="web/dist/page.js"></script>`
	policyHead = `<meta http-equiv="Content-Security-Policy" content="`
)

// writeSingle writes the page with all of dist in it. What dist delivers by scripts are blocks of data at its end,
// after the page itself has been painted.
func writeSingle(path string, files []file) error {
	page, err := os.ReadFile("index.html")
	if err != nil {
		return err
	}
	var style, script []byte
	var blocks bytes.Buffer
	for _, f := range files {
		switch f.name {
		case "page.css":
			style = f.data
		case "page.js":
			script = bytes.ReplaceAll(f.data, []byte("</script"), []byte(`<\/script`))
		default:
			fmt.Fprintf(&blocks, "<script type=\"text/plain\" id=\"data-%s\">%s</script>\n", html.EscapeString(strings.TrimSuffix(f.name, ".js")), f.text)
		}
	}
	text, err := replaceEach(string(page), [][2]string{
		{styleLink, "<style>" + string(style) + "</style>"},
		{scriptLink, "<script>" + string(script) + "</script>\n" + blocks.String()},
		// There is no server, so nothing is 'self': what runs is named by its hash.
		{"script-src 'self' 'wasm-unsafe-eval'; worker-src 'self' blob:; manifest-src 'self'; style-src 'self'; img-src 'self' data: blob:;",
			"script-src " + hash(script) + " 'wasm-unsafe-eval'; worker-src blob:; style-src " + hash(style) + "; img-src data: blob:;"},
	})
	if err != nil {
		return err
	}
	if err := replaceFile(path, []byte(text)); err != nil {
		return err
	}
	fmt.Printf("%-28s %10d %10d\n", path, len(text), len(gzipped([]byte(text))))
	return nil
}

// replaceEach replaces texts that occur once.
func replaceEach(page string, pairs [][2]string) (string, error) {
	for _, pair := range pairs {
		if strings.Count(page, pair[0]) != 1 {
			return "", fmt.Errorf("index.html has %d times %s; want it once, to be replaced", strings.Count(page, pair[0]), pair[0])
		}
		page = strings.Replace(page, pair[0], pair[1], 1)
	}
	return page, nil
}

// hash names an inline script or style for a Content-Security-Policy.
func hash(text []byte) string {
	sum := sha256.Sum256(text)
	return "'sha256-" + base64.StdEncoding.EncodeToString(sum[:]) + "'"
}
