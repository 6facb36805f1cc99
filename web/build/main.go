// Command build makes web/dist, everything that index.html loads, from web/src, wasm/browser,
// the kernels of core/kernel, weights and web/samples. It needs only Go. Run it in the top folder:
//
//	go run ./web/build
//	go run ./web/build -offline FILE    instead: the whole page as one file (single.go)
//	go run ./web/build -site FOLDER     or as a folder to serve, which can be installed (site.go)
//	go run ./web/build -package FOLDER  or the engine as an npm package (package.go)
//
// The page must work when opened from the file system, where a browser refuses fetch,
// module scripts and workers by address. So all of dist is classic scripts: the page's code with
// the worker's code in it as text and the kernels, and one script for each thing to load (engine,
// weights, samples) that hands it over as text. Code is packed by gzip, then base64, because the other way
// round a server's gzip would leave it a third larger. Weights are base64 alone: as float16 they hardly shrink, and
// unpacking them takes longer than all that the network does with its first picture. The same sources give the same bytes.
package main

import (
	"bytes"
	"compress/gzip"
	"encoding/base64"
	"encoding/json"
	"errors"
	"flag"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"sort"
	"strings"

	"github.com/evanw/esbuild/pkg/api"

	"gdram/core/checkpoint"
)

const (
	source  = "web/src"
	kernels = "core/kernel"
	dist    = "web/dist"
	samples = "web/samples"
	weights = "weights"
)

func main() {
	var to outputs
	flag.StringVar(&to.offline, "offline", "", "write the whole page to this file")
	flag.StringVar(&to.site, "site", "", "write the page to this folder, to be served")
	flag.StringVar(&to.packed, "package", "", "write the npm package to this folder")
	flag.Parse()
	if err := build(to); err != nil {
		fmt.Fprintln(os.Stderr, "build:", err)
		os.Exit(1)
	}
}

// outputs are what is written in place of dist, where any is named.
type outputs struct{ offline, site, packed string }

// file is one script or style sheet of dist.
type file struct {
	name string
	data []byte
	text string // what the script delivers, if it does
}

func build(to outputs) error {
	if _, err := os.Stat(source); err != nil {
		return fmt.Errorf("no folder %s here; run it in the top folder of the project", source)
	}
	engine, err := compile()
	if err != nil {
		return err
	}
	models, err := filepath.Glob(filepath.Join(weights, "*.safetensors"))
	if err != nil {
		return err
	}
	if len(models) == 0 {
		return fmt.Errorf("no %s/*.safetensors, so the page would have no network; restore the weights with git", weights)
	}
	sort.Strings(models)

	var files []file
	var known []model
	for _, path := range models {
		data, err := os.ReadFile(path)
		if err != nil {
			return err
		}
		name := strings.TrimSuffix(filepath.Base(path), ".safetensors")
		parts := 0
		pieces := (len(data) + partSize - 1) / partSize
		for part := range slices.Chunk(data, (len(data)+pieces-1)/pieces) {
			parts++
			files = append(files, delivery(fmt.Sprintf("weights-%s-%d", name, parts), base64.StdEncoding.EncodeToString(part)))
		}
		_, meta, err := checkpoint.Decode(data)
		if err != nil {
			return fmt.Errorf("%s: %w", path, err)
		}
		known = append(known, model{Name: name, Bytes: len(data), Parts: parts, Labels: meta.Labels})
	}
	pictures, err := gallery(known)
	if err != nil {
		return err
	}
	page, err := bundle(known)
	if err != nil {
		return err
	}
	files = append(files, page...)
	files = append(files, delivery("engine", pack(engine)), delivery("samples", pictures))
	sort.Slice(files, func(i, j int) bool { return files[i].name < files[j].name })
	if to == (outputs{}) {
		if err := replaceFolder(dist, files); err != nil {
			return err
		}
		report(files)
	}
	if to.offline != "" {
		if err := writeSingle(to.offline, files); err != nil {
			return err
		}
	}
	if to.site != "" {
		if err := writeSite(to.site, files); err != nil {
			return err
		}
	}
	if to.packed != "" {
		return writePackage(to.packed, engine, models)
	}
	return nil
}

// kernelNames are the vector kernels, in the order in which compileKernels of web/src/engine/kernels.js wants them.
var kernelNames = []string{"simd", "simd_relaxed"}

// model is what the page knows of a weights file before it loads it.
type model struct {
	Name  string `json:"name"`
	Bytes int    `json:"bytes"`
	Parts int    `json:"parts"` // scripts that deliver it

	Labels []string `json:"labels"`
}

// partSize is what one of those scripts delivers at most, and all but the last the same: a page from the file system may not watch a file as it
// comes, so it counts parts. Each takes the page's thread some milliseconds, which the first answer waits for.
const partSize = 600 << 10

// sample is a picture of the gallery; web/samples/MODEL/LABEL-NUMBER.png, the number being its
// place in the test set.
type sample struct {
	Model  string `json:"model"`
	Label  string `json:"label"`
	Number string `json:"number"`
	PNG    string `json:"png"` // base64
}

// compile builds the engine and returns the wasm binary.
func compile() ([]byte, error) {
	folder, err := os.MkdirTemp("", "gdram")
	if err != nil {
		return nil, err
	}
	defer os.RemoveAll(folder)
	out := filepath.Join(folder, "engine.wasm")
	command := exec.Command("go", "run", "./web/build/engine", "./wasm/browser", out)
	command.Stderr = os.Stderr
	if err := command.Run(); err != nil {
		return nil, fmt.Errorf("compiling ./wasm/browser: %w", err)
	}
	return os.ReadFile(out)
}

// gallery collects the samples of the models there are, as a JSON list.
func gallery(models []model) (string, error) {
	list := []sample{}
	for _, m := range models {
		paths, err := filepath.Glob(filepath.Join(samples, m.Name, "*.png"))
		if err != nil {
			return "", err
		}
		for _, path := range paths {
			label, number, ok := strings.Cut(strings.TrimSuffix(filepath.Base(path), ".png"), "-")
			if !ok {
				return "", fmt.Errorf("%s: want a name like horse-13.png, the label and the place in the test set", path)
			}
			data, err := os.ReadFile(path)
			if err != nil {
				return "", err
			}
			list = append(list, sample{m.Name, label, number, base64.StdEncoding.EncodeToString(data)})
		}
	}
	text, err := json.Marshal(list)
	return string(text), err
}

// bundle makes page.js and page.css.
func bundle(models []model) ([]file, error) {
	list, err := json.Marshal(models)
	if err != nil {
		return nil, err
	}
	virtual, err := engineModules()
	if err != nil {
		return nil, err
	}
	virtual["virtual:models"] = "export default " + string(list)
	script, err := esbuild(source+"/main.js", virtual, api.FormatIIFE, "")
	if err != nil {
		return nil, err
	}
	style, err := esbuild(source+"/page.css", virtual, api.FormatDefault, "")
	if err != nil {
		return nil, err
	}
	return []file{{name: "page.js", data: script}, {name: "page.css", data: style}}, nil
}

// engineModules makes the modules that whatever starts the engine is bundled with: the text of its worker, and the kernels.
func engineModules() (map[string]string, error) {
	script, err := esbuild(source+"/engine/worker.js", nil, api.FormatIIFE, "")
	if err != nil {
		return nil, err
	}
	var versions []string
	for _, name := range kernelNames {
		data, err := os.ReadFile(filepath.Join(kernels, name+".wasm"))
		if err != nil {
			return nil, err
		}
		versions = append(versions, base64.StdEncoding.EncodeToString(data))
	}
	made := map[string]string{}
	for name, value := range map[string]any{"virtual:worker": string(script), "virtual:kernels": versions} {
		text, err := json.Marshal(value)
		if err != nil {
			return nil, err
		}
		made[name] = "export default " + string(text)
	}
	return made, nil
}

// esbuild bundles one entry point into one script or style sheet; a classic script's exports become the global
// of the given name, if there is one. Modules named
// virtual:... are made by this program; virtual:wasm_exec is Go's own glue, taken from the
// Go that compiled the engine because the two must match.
func esbuild(entry string, virtual map[string]string, format api.Format, global string) ([]byte, error) {
	goroot, err := exec.Command("go", "env", "GOROOT").Output()
	if err != nil {
		return nil, fmt.Errorf("go env GOROOT: %w", err)
	}
	glue := filepath.Join(strings.TrimSpace(string(goroot)), "lib", "wasm", "wasm_exec.js")
	made := api.Plugin{Name: "virtual", Setup: func(b api.PluginBuild) {
		b.OnResolve(api.OnResolveOptions{Filter: "^virtual:"}, func(args api.OnResolveArgs) (api.OnResolveResult, error) {
			if args.Path == "virtual:wasm_exec" {
				return api.OnResolveResult{Path: glue}, nil
			}
			return api.OnResolveResult{Path: args.Path, Namespace: "virtual"}, nil
		})
		b.OnLoad(api.OnLoadOptions{Filter: ".*", Namespace: "virtual"}, func(args api.OnLoadArgs) (api.OnLoadResult, error) {
			text, ok := virtual[args.Path]
			if !ok {
				return api.OnLoadResult{}, fmt.Errorf("no module %s is made for this entry point", args.Path)
			}
			return api.OnLoadResult{Contents: &text, Loader: api.LoaderJS}, nil
		})
	}}
	banner := map[string]string{}
	if strings.HasSuffix(entry, ".js") {
		banner["js"] = "/* With wasm_exec.js, Copyright 2018 The Go Authors, BSD licence, https://go.dev/LICENSE */"
	}
	result := api.Build(api.BuildOptions{
		EntryPoints:       []string{entry},
		Bundle:            true,
		Format:            format,
		GlobalName:        global,
		Target:            api.ES2022,
		Charset:           api.CharsetUTF8,
		Banner:            banner,
		MinifyWhitespace:  true,
		MinifySyntax:      true,
		MinifyIdentifiers: true,
		Plugins:           []api.Plugin{made},
		LogLevel:          api.LogLevelWarning,
	})
	if len(result.Errors) > 0 {
		return nil, errors.New(api.FormatMessages(result.Errors, api.FormatMessagesOptions{Kind: api.ErrorMessage})[0])
	}
	return result.OutputFiles[0].Contents, nil
}

// pack makes the text that loadPacked of web/src/assets.js takes.
func pack(data []byte) string { return base64.StdEncoding.EncodeToString(gzipped(data)) }

// delivery is a script that hands a text to web/src/assets.js, as a comment: browsers skip those, where they take a string apart
// letter by letter.
func delivery(name, text string) file {
	if strings.Contains(text, "*/") {
		panic("build: the text of " + name + " would end its comment") // base64 and the JSON of gallery do not
	}
	return file{name + ".js", []byte(fmt.Sprintf("gdramDeliver(%q,()=>{/*%s*/})\n", name, text)), text}
}

// replaceFolder writes every file, then removes what an earlier build left.
func replaceFolder(folder string, files []file) error {
	for _, f := range files {
		if err := replaceFile(filepath.Join(folder, f.name), f.data); err != nil {
			return err
		}
	}
	return removeOthers(folder, files)
}

// removeOthers leaves of a folder's files only those that are given. Folders in it are others' and stay.
func removeOthers(folder string, files []file) error {
	keep := map[string]bool{}
	for _, f := range files {
		keep[f.name] = true
	}
	entries, err := os.ReadDir(folder)
	if err != nil {
		return err
	}
	for _, entry := range entries {
		if !entry.IsDir() && !keep[entry.Name()] {
			if err := os.Remove(filepath.Join(folder, entry.Name())); err != nil {
				return err
			}
		}
	}
	return nil
}

// replaceFile writes a file aside and renames it, so that a page which is just loading gets the old one or the new.
func replaceFile(path string, data []byte) error {
	if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
		return err
	}
	aside := filepath.Join(filepath.Dir(path), "."+filepath.Base(path)+".new")
	if err := os.WriteFile(aside, data, 0o644); err != nil {
		return err
	}
	return os.Rename(aside, path)
}

func report(files []file) {
	fmt.Printf("%-28s %10s %10s\n", dist, "bytes", "gzip")
	for _, f := range files {
		fmt.Printf("%-28s %10d %10d\n", "  "+f.name, len(f.data), len(gzipped(f.data)))
	}
}

func gzipped(data []byte) []byte {
	var to bytes.Buffer
	w, err := gzip.NewWriterLevel(&to, gzip.BestCompression)
	if err != nil {
		panic(err) // the level is a constant
	}
	w.Write(data) // into memory: cannot fail
	w.Close()
	return to.Bytes()
}
