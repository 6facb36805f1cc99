// Package checkpoint decodes weights: safetensors with the tensors of the published state
// dict under their published names, as float32 or float16, and with what is needed to use
// them in the metadata.
//
// The page links this package, so it imports neither os, fmt, encoding/json nor any
// library (os alone would add 76 KB to the compressed page). Writing, and everything with
// paths, is in package disk beside it; reading PyTorch's own files in package pytorch.
package checkpoint

import (
	"encoding/binary"
	"errors"
	"math"
	"slices"
	"strconv"
	"strings"

	"gdram/core"
	"gdram/core/kernel"
)

// Meta is what a file of weights says about itself. All of it may be absent, as it is from
// files that others wrote.
type Meta struct {
	Dataset string            // name of the data set it learnt from
	Labels  []string          // one for each class, or none
	Gray    bool              // pictures are to be turned grey
	Extra   map[string]string // anything else, under its key
}

// The keys of the metadata that Meta has fields for, and the one that readers of PyTorch
// weights expect. Values are strings; two of them hold JSON.
const (
	KeyFormat        = "format"        // "pt"
	KeyDataset       = "dataset"       // plain
	KeyLabels        = "labels"        // ["airplane", ...]
	KeyPreprocessing = "preprocessing" // {"size": 128, "gray": false}
)

// KeyFast is a key of Meta.Extra, as the page has no use for it: where fast mode stops looking, as JSON,
// {"lead":0.75}. Package disk reads and writes it.
const KeyFast = "fast"

// MaxHeader bounds the header in bytes; ours take some 8,000.
const MaxHeader = 1 << 20

// classBias is the tensor whose length is the number of classes.
const classBias = "class_net.fc.2.bias"

// Source is where the bytes of a file are: in memory, as Bytes, or where they are fetched from as they are asked for.
type Source interface {
	Size() int
	// Slice is some of the bytes. They stand until the next are asked for.
	Slice(begin, end int) []byte
}

// Bytes are a file in memory.
type Bytes []byte

func (b Bytes) Size() int                   { return len(b) }
func (b Bytes) Slice(begin, end int) []byte { return b[begin:end] }

// File is a file of weights whose tensors are decoded when they are asked for: all of them at once would be twice what the file takes.
type File struct {
	Classes int

	specs   []core.Spec
	tensors map[string]*entry
	source  Source
	data    int // where the tensors begin
	rows    []float32
}

// Open reads the header of a safetensors file. The file must hold exactly the tensors of core.Specs, floats as F32 or F16, counts as
// I64. It allocates only for a file that fits. The caller asks Err whether the numbers are sound. Errors are sentences without the
// name of the file.
func Open(source Source) (*File, Meta, error) {
	h, data, err := readHeader(source)
	if err != nil {
		return nil, Meta{}, err
	}
	bias, ok := h.tensors[classBias]
	if !ok {
		return nil, Meta{}, errors.New("the weights lack the tensor " + classBias + "; this is not a file of this network")
	}
	if len(bias.shape) != 1 || bias.shape[0] < 2 {
		return nil, Meta{}, errors.New("the tensor " + classBias + " has shape " + shapeString(bias.shape) +
			", want one dimension of 2 classes or more")
	}
	classes := bias.shape[0]
	specs := core.Specs(classes)
	if err := check(h.tensors, specs); err != nil {
		return nil, Meta{}, err
	}
	if err := contiguous(h.tensors, specs, source.Size()-data); err != nil {
		return nil, Meta{}, err
	}
	meta, err := parseMeta(h.metadata, classes)
	if err != nil {
		return nil, Meta{}, err
	}
	return &File{Classes: classes, specs: specs, tensors: h.tensors, source: source, data: data}, meta, nil
}

// Decode is Open and every tensor of the file, which must be sound.
func Decode(b []byte) (*core.Params, Meta, error) {
	f, meta, err := Open(Bytes(b))
	if err != nil {
		return nil, Meta{}, err
	}
	p := core.NewParams(f.Classes)
	for _, s := range f.specs {
		f.decode(p.Tensor(s.Name), f.entry(s.Name), 0)
	}
	if err := f.Err(); err != nil {
		return nil, Meta{}, err
	}
	return p, meta, nil
}

// Classifier is Open and a classifier of the file's tensors, which must be sound.
func Classifier(source Source) (*core.Classifier, Meta, error) {
	f, meta, err := Open(source)
	if err != nil {
		return nil, Meta{}, err
	}
	c := core.NewClassifierOf(f.Classes, f)
	if err := f.Err(); err != nil {
		return nil, Meta{}, err
	}
	return c, meta, nil
}

// Tensor decodes the named tensor; see core.Tensors. An unknown name is a programmer's error.
func (f *File) Tensor(name string) []float32 {
	x := f.entry(name)
	v := make([]float32, x.spec().Len())
	f.decode(v, x, 0)
	return v
}

// Rows decodes some rows of the named tensor.
func (f *File) Rows(name string, from, to int) []float32 {
	x := f.entry(name)
	row := x.spec().Len() / x.spec().Rows()
	n := (to - from) * row
	if n > cap(f.rows) {
		f.rows = make([]float32, n)
	}
	v := f.rows[:n]
	f.decode(v, x, from*row)
	return v
}

// spec has the entry's shape.
func (x *entry) spec() core.Spec { return core.Spec{Shape: x.shape} }

func (f *File) entry(name string) *entry {
	x, ok := f.tensors[name]
	if !ok {
		panic("checkpoint: no tensor named " + name)
	}
	return x
}

// Err decodes what nobody asked for yet and returns what Sound does of all.
func (f *File) Err() error {
	const some = 16
	for _, s := range f.specs {
		x, rows := f.entry(s.Name), s.Rows()
		row := s.Len() / rows
		for at := x.finite / row; at < rows && x.finite == at*row; at += some {
			f.Rows(s.Name, at, min(at+some, rows))
		}
		if x.finite == s.Len() && s.Kind != core.RunningVar {
			continue
		}
		if err := sound(s, f.Tensor(s.Name)); err != nil {
			return err
		}
	}
	return nil
}

// decode fills v with the numbers of a tensor from number at on.
func (f *File) decode(v []float32, x *entry, at int) {
	size := sizeOf(x.dtype)
	begin := f.data + x.begin + at*size
	raw := f.source.Slice(begin, begin+len(v)*size)
	switch x.dtype {
	case "F32":
		for i := range v {
			v[i] = math.Float32frombits(binary.LittleEndian.Uint32(raw[4*i:]))
		}
	case "F16":
		kernel.Halves(v, raw)
	case "I64":
		for i := range v {
			v[i] = float32(int64(binary.LittleEndian.Uint64(raw[8*i:])))
		}
	}
	if x.finite == at && finite(v) {
		x.finite += len(v)
	}
}

// Sound returns an error that names the first tensor that nothing could be computed with: one that is not finite, or
// holds a negative variance.
func Sound(p *core.Params) error {
	for _, s := range p.Specs {
		if err := sound(s, p.Tensor(s.Name)); err != nil {
			return err
		}
	}
	return nil
}

func sound(s core.Spec, v []float32) error {
	if err := isFinite(s.Name, v); err != nil {
		return err
	}
	if s.Kind == core.RunningVar && slices.Min(v) < 0 {
		return errors.New("the tensor " + s.Name + " holds a negative variance; the weights are spoilt, take an earlier file")
	}
	return nil
}

// Finite returns an error that names the first tensor with a NaN or an infinity.
func Finite(p *core.Params) error {
	for _, s := range p.Specs {
		if err := isFinite(s.Name, p.Tensor(s.Name)); err != nil {
			return err
		}
	}
	return nil
}

func isFinite(name string, v []float32) error {
	if finite(v) {
		return nil
	}
	for i, v := range v {
		if v-v != 0 { // NaN for both NaN and infinities
			what := "NaN"
			if v > 0 {
				what = "+Inf"
			} else if v < 0 {
				what = "-Inf"
			}
			return errors.New("the tensor " + name + " holds " + what +
				" at place " + strconv.Itoa(i) + "; the weights are spoilt, take an earlier file")
		}
	}
	return nil
}

// finite takes eight at a time, as the page waits for it in code that is not optimised yet.
func finite(v []float32) bool {
	var sum float32
	for ; len(v) >= 8; v = v[8:] {
		sum += v[0] - v[0] + v[1] - v[1] + v[2] - v[2] + v[3] - v[3] + v[4] - v[4] + v[5] - v[5] + v[6] - v[6] + v[7] - v[7]
	}
	for _, x := range v {
		sum += x - x
	}
	return sum == 0 // NaN otherwise
}

// readHeader also says where the data begin.
func readHeader(source Source) (header, int, error) {
	size := source.Size()
	b := source.Slice(0, min(8, size))
	if IsPyTorch(b) {
		return header{}, 0, errors.New("this is a PyTorch file, not safetensors; turn it into one with: gdram convert")
	}
	if size < 8 {
		return header{}, 0, errors.New("the weights end after " + strconv.Itoa(size) + " bytes, before their header; copy the file again")
	}
	n := binary.LittleEndian.Uint64(b)
	if n > MaxHeader {
		return header{}, 0, errors.New("this is not a safetensors file of this network: its header would take " +
			strconv.FormatUint(n, 10) + " bytes, want at most " + strconv.Itoa(MaxHeader))
	}
	if n > uint64(size-8) {
		return header{}, 0, errors.New("the weights end after " + strconv.Itoa(size) + " bytes, within their header of " +
			strconv.FormatUint(n, 10) + "; copy the file again")
	}
	data := 8 + int(n)
	h, err := parseHeader(source.Slice(8, data))
	if err != nil {
		return header{}, 0, errors.New("this is not a safetensors file: " + err.Error())
	}
	return h, data, nil
}

// IsPyTorch reports whether a file begins as one that PyTorch wrote: a zip archive or a pickle. A header's length may
// happen to start with a pickle's two bytes, but of such a length the upper four are zero.
func IsPyTorch(b []byte) bool {
	return strings.HasPrefix(string(b[:min(4, len(b))]), "PK\x03\x04") ||
		len(b) > 1 && b[0] == 0x80 && b[1] <= 5 && (len(b) < 8 || b[4]|b[5]|b[6]|b[7] != 0)
}

// contiguous checks that the tensors, those of the specs, fill the data, each byte once.
func contiguous(tensors map[string]*entry, specs []core.Spec, size int) error {
	type span struct {
		name       string
		begin, end int
	}
	spans := make([]span, len(specs))
	for i := range specs {
		x := tensors[specs[i].Name]
		spans[i] = span{specs[i].Name, x.begin, x.end}
		// They are 53, most often all but in order; package slices would bring five sorts.
		for ; i > 0 && (spans[i].begin < spans[i-1].begin || spans[i].begin == spans[i-1].begin && spans[i].end < spans[i-1].end); i-- {
			spans[i], spans[i-1] = spans[i-1], spans[i]
		}
	}
	at := 0
	for _, s := range spans {
		if s.begin != at || s.end < s.begin {
			return errors.New("the tensor " + s.name + " lies at bytes " + strconv.Itoa(s.begin) + " to " + strconv.Itoa(s.end) +
				", want it to begin at " + strconv.Itoa(at) + "; the header is damaged, copy the file again")
		}
		at = s.end
	}
	if at != size {
		return errors.New("the weights hold " + strconv.Itoa(size) + " bytes of data, want " + strconv.Itoa(at) +
			"; the file is damaged, copy it again")
	}
	return nil
}

// sizeOf is the bytes of a number of a type, 0 for types that nothing here has.
func sizeOf(dtype string) int {
	switch dtype {
	case "F32":
		return 4
	case "F16":
		return 2
	case "I64":
		return 8
	}
	return 0
}

// check compares the header with the tensors that the network has.
func check(tensors map[string]*entry, specs []core.Spec) error {
	known := make(map[string]bool, len(specs))
	for _, s := range specs {
		known[s.Name] = true
		x, ok := tensors[s.Name]
		if !ok {
			return errors.New("the weights lack the tensor " + s.Name + "; this is not a file of this network")
		}
		if !slices.Equal(x.shape, s.Shape) {
			return errors.New("the tensor " + s.Name + " has shape " + shapeString(x.shape) + ", want " + shapeString(s.Shape) +
				"; this is not a file of this network")
		}
		size, types := sizeOf(x.dtype), "F32 or F16"
		if s.Kind == core.Batches {
			types = "I64"
		}
		if size == 0 || (x.dtype == "I64") != (s.Kind == core.Batches) {
			return errors.New("the tensor " + s.Name + " is of type " + x.dtype + ", want " + types)
		}
		if want := size * s.Len(); x.end-x.begin != want {
			return errors.New("the tensor " + s.Name + " takes " + strconv.Itoa(x.end-x.begin) + " bytes, want " +
				strconv.Itoa(want) + "; the header is damaged, copy the file again")
		}
	}
	for name := range tensors {
		if !known[name] {
			return errors.New("the weights hold an unknown tensor " + name + "; this is not a file of this network")
		}
	}
	return nil
}

func shapeString(shape []int) string {
	s := make([]string, len(shape))
	for i, d := range shape {
		s[i] = strconv.Itoa(d)
	}
	return "[" + strings.Join(s, " ") + "]"
}
