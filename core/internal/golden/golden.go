// Package golden reads the golden files: the numbers that the published PyTorch
// implementation computed for every layer, every glimpse and three training steps. Tests
// hold this implementation against them.
//
// The files lie in testdata and are part of the test binary, so that the tests run
// anywhere, also as WebAssembly. The environment variable GDRAM_FIXTURES names another
// folder to read instead, say with the files of another seed.
//
// It knows nothing of package core, so that every package below core can use it too.
package golden

import (
	"embed"
	"encoding/binary"
	"encoding/json"
	"fmt"
	"io/fs"
	"maps"
	"math"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"testing"
)

//go:embed testdata/*.safetensors
var committed embed.FS

// fileName takes apart, for instance, train_c100_s1_f64.safetensors: kind, classes, seed, precision.
var fileName = regexp.MustCompile(`^([a-z]+)(?:_c(\d+))?_s(\d+)(_f64)?\.safetensors$`)

// File is one golden file. Its accessors return copies and fail the test when the tensor is
// missing or of another type.
type File struct {
	Name    string // without folder and extension: train_c10_s1
	Classes int    // from the name; 0 where the name has none
	Seed    uint64 // from the name; the weights of the run are Weights(Classes, Seed)
	Meta    map[string]string

	t       testing.TB
	tensors map[string]tensor
	data    []byte
}

type tensor struct {
	DType   string `json:"dtype"`
	Shape   []int  `json:"shape"`
	Offsets [2]int `json:"data_offsets"` // from the end of the header
}

// Open returns all files of a kind in the order of their names: eval, train, units, glimpse or
// preprocess. It fails the test if there are none.
func Open(t testing.TB, kind string) []*File {
	t.Helper()
	files := Find(t, kind)
	if len(files) == 0 {
		_, where := source()
		t.Fatalf("golden: %s holds no file of kind %s; want one such as %s", where, kind, example[kind])
	}
	return files
}

// example is a name of each kind.
var example = map[string]string{
	"eval": "eval_c10_s1.safetensors", "train": "train_c10_s1.safetensors", "units": "units_s1.safetensors",
	"glimpse": "glimpse_s1.safetensors", "preprocess": "preprocess_s1.safetensors",
}

// Find is Open for kinds that a folder may lack: train_f64, the training runs in float64.
func Find(t testing.TB, kind string) []*File {
	t.Helper()
	folder, where := source()
	entries, err := fs.ReadDir(folder, ".")
	if err != nil {
		t.Fatalf("golden: cannot list %s: %v; set GDRAM_FIXTURES to a folder of golden files, or unset it", where, err)
	}
	var files []*File
	for _, e := range entries {
		m := fileName.FindStringSubmatch(e.Name())
		if m == nil || m[1]+m[4] != kind {
			continue
		}
		b, err := fs.ReadFile(folder, e.Name())
		if err != nil {
			t.Fatalf("golden: cannot read %s of %s: %v", e.Name(), where, err)
		}
		f, err := parse(b)
		if err != nil {
			t.Fatalf("golden: %s of %s: %v", e.Name(), where, err)
		}
		f.t = t
		f.Name = e.Name()[:len(e.Name())-len(".safetensors")]
		f.Classes, _ = strconv.Atoi(m[2])
		f.Seed, _ = strconv.ParseUint(m[3], 10, 64)
		files = append(files, f)
	}
	return files
}

// source is the folder of golden files. Tests run in the folders of their packages, so a relative
// GDRAM_FIXTURES is looked for from there upwards: it is found from where the tests were started.
func source() (folder fs.FS, where string) {
	if dir := os.Getenv("GDRAM_FIXTURES"); dir != "" {
		where = "GDRAM_FIXTURES=" + dir
		if here, err := os.Getwd(); err == nil && !filepath.IsAbs(dir) {
			for ; here != filepath.Dir(here); here = filepath.Dir(here) {
				if info, err := os.Stat(filepath.Join(here, dir)); err == nil && info.IsDir() {
					return os.DirFS(filepath.Join(here, dir)), where
				}
			}
		}
		return os.DirFS(dir), where
	}
	folder, err := fs.Sub(committed, "testdata")
	if err != nil {
		panic(err)
	}
	return folder, "the committed testdata"
}

// parse reads the safetensors layout: header length, JSON header, raw little-endian data.
func parse(b []byte) (*File, error) {
	if len(b) < 8 || binary.LittleEndian.Uint64(b) > uint64(len(b)-8) {
		return nil, fmt.Errorf("%d bytes end before the header does", len(b))
	}
	n := int(binary.LittleEndian.Uint64(b))
	var raw map[string]json.RawMessage
	if err := json.Unmarshal(b[8:8+n], &raw); err != nil {
		return nil, fmt.Errorf("the header is not JSON: %w", err)
	}
	f := &File{tensors: map[string]tensor{}, data: b[8+n:]}
	if m, ok := raw["__metadata__"]; ok {
		if err := json.Unmarshal(m, &f.Meta); err != nil {
			return nil, fmt.Errorf("__metadata__ is not a map of strings: %w", err)
		}
		delete(raw, "__metadata__")
	}
	for name, r := range raw {
		var x tensor
		if err := json.Unmarshal(r, &x); err != nil {
			return nil, fmt.Errorf("entry %s: %w", name, err)
		}
		want := size[x.DType]
		for _, d := range x.Shape {
			want *= d
		}
		if x.Offsets[0] < 0 || x.Offsets[1] > len(f.data) || x.Offsets[1]-x.Offsets[0] != want || size[x.DType] == 0 {
			return nil, fmt.Errorf("entry %s: %s%v does not fit offsets %v in %d bytes", name, x.DType, x.Shape, x.Offsets, len(f.data))
		}
		f.tensors[name] = x
	}
	return f, nil
}

// size is the number of bytes an element takes.
var size = map[string]int{"U8": 1, "I32": 4, "F32": 4, "I64": 8, "F64": 8}

// Pictures returns the bytes of a tensor [N][channels][rows][columns] as the network takes them: each picture
// [rows][columns][channels], in 0..1.
func (f *File) Pictures(name string) [][]float32 {
	f.t.Helper()
	bytes, shape := f.U8(name), f.Shape(name)
	channels, plane := shape[1], shape[2]*shape[3]
	pictures := make([][]float32, shape[0])
	for n := range pictures {
		pictures[n] = make([]float32, channels*plane)
		for c := range channels {
			for p := range plane {
				pictures[n][p*channels+c] = float32(bytes[(n*channels+c)*plane+p]) / 255
			}
		}
	}
	return pictures
}

// read copies a tensor out element by element: the file promises no alignment.
func read[T any](f *File, name, dtype string, element func([]byte) T) []T {
	f.t.Helper()
	x, ok := f.tensors[name]
	if !ok {
		f.t.Fatalf("golden: %s has no tensor %q", f.Name, name)
	}
	if x.DType != dtype {
		f.t.Fatalf("golden: %s: tensor %q is %s, want %s", f.Name, name, x.DType, dtype)
	}
	b := f.data[x.Offsets[0]:x.Offsets[1]]
	n := size[dtype]
	out := make([]T, len(b)/n)
	for i := range out {
		out[i] = element(b[i*n:])
	}
	return out
}

// F32 returns a float32 tensor, row-major.
func (f *File) F32(name string) []float32 {
	f.t.Helper()
	return read(f, name, "F32", func(b []byte) float32 { return math.Float32frombits(binary.LittleEndian.Uint32(b)) })
}

// F64 returns a float64 tensor, row-major.
func (f *File) F64(name string) []float64 {
	f.t.Helper()
	return read(f, name, "F64", func(b []byte) float64 { return math.Float64frombits(binary.LittleEndian.Uint64(b)) })
}

// I32 returns an int32 tensor, row-major.
func (f *File) I32(name string) []int32 {
	f.t.Helper()
	return read(f, name, "I32", func(b []byte) int32 { return int32(binary.LittleEndian.Uint32(b)) })
}

// I64 returns an int64 tensor, row-major.
func (f *File) I64(name string) []int64 {
	f.t.Helper()
	return read(f, name, "I64", func(b []byte) int64 { return int64(binary.LittleEndian.Uint64(b)) })
}

// U8 returns a byte tensor, row-major.
func (f *File) U8(name string) []uint8 {
	f.t.Helper()
	return read(f, name, "U8", func(b []byte) uint8 { return b[0] })
}

// Shape returns the shape of a tensor; it is empty for a scalar.
func (f *File) Shape(name string) []int {
	f.t.Helper()
	x, ok := f.tensors[name]
	if !ok {
		f.t.Fatalf("golden: %s has no tensor %q", f.Name, name)
	}
	return x.Shape
}

// Has reports whether the file holds the tensor.
func (f *File) Has(name string) bool {
	_, ok := f.tensors[name]
	return ok
}

// Names returns the names of all tensors, sorted.
func (f *File) Names() []string { return slices.Sorted(maps.Keys(f.tensors)) }
