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

// File is a file of weights whose tensors are decoded when they are asked for: all of them at once would be twice what the file takes.
type File struct {
	Classes int

	specs   []core.Spec
	tensors map[string]entry
	data    []byte
	large   []float32
	finite  map[string]bool // what was decoded, and is finite
}

// Open reads the header of a safetensors file. The file must hold exactly the tensors of core.Specs, floats as F32 or F16, counts as
// I64. It allocates only for a file that fits. The caller asks Err whether the numbers are sound. Errors are sentences without the
// name of the file.
func Open(b []byte) (*File, Meta, error) {
	h, data, err := split(b)
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
	if err := contiguous(h.tensors, len(data)); err != nil {
		return nil, Meta{}, err
	}
	meta, err := parseMeta(h.metadata, classes)
	if err != nil {
		return nil, Meta{}, err
	}
	return &File{Classes: classes, specs: specs, tensors: h.tensors, data: data, finite: map[string]bool{}}, meta, nil
}

// Decode is Open and every tensor of the file, which must be sound.
func Decode(b []byte) (*core.Params, Meta, error) {
	f, meta, err := Open(b)
	if err != nil {
		return nil, Meta{}, err
	}
	p := core.NewParams(f.Classes)
	for _, s := range f.specs {
		f.decode(p.Tensor(s.Name), s.Name)
	}
	if err := Sound(p); err != nil {
		return nil, Meta{}, err
	}
	return p, meta, nil
}

// Classifier is Open and a classifier of the file's tensors, which must be sound.
func Classifier(b []byte) (*core.Classifier, Meta, error) {
	f, meta, err := Open(b)
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
	n := 1
	for _, d := range f.tensors[name].shape {
		n *= d
	}
	var v []float32
	if n < core.LargeTensor {
		v = make([]float32, n)
	} else {
		if n > cap(f.large) {
			f.large = make([]float32, f.largest())
		}
		v = f.large[:n]
	}
	f.decode(v, name)
	f.finite[name] = finite(v)
	return v
}

// Layer is Tensor of a weight and a bias.
func (f *File) Layer(name string) core.Layer {
	return core.Layer{Weight: f.Tensor(name + ".weight"), Bias: f.Tensor(name + ".bias")}
}

func (f *File) largest() int {
	n := 0
	for i := range f.specs {
		n = max(n, f.specs[i].Len())
	}
	return n
}

// Err decodes what nobody asked for yet and returns what Sound does of all.
func (f *File) Err() error {
	for _, s := range f.specs {
		if f.finite[s.Name] && s.Kind != core.RunningVar {
			continue
		}
		if err := sound(s, f.Tensor(s.Name)); err != nil {
			return err
		}
	}
	return nil
}

func (f *File) decode(v []float32, name string) {
	x, ok := f.tensors[name]
	if !ok {
		panic("checkpoint: no tensor named " + name)
	}
	raw := f.data[x.begin:x.end]
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

// split separates header and data.
func split(b []byte) (header, []byte, error) {
	if IsPyTorch(b) {
		return header{}, nil, errors.New("this is a PyTorch file, not safetensors; turn it into one with: gdram convert")
	}
	if len(b) < 8 {
		return header{}, nil, errors.New("the weights end after " + strconv.Itoa(len(b)) + " bytes, before their header; copy the file again")
	}
	n := binary.LittleEndian.Uint64(b)
	if n > MaxHeader {
		return header{}, nil, errors.New("this is not a safetensors file of this network: its header would take " +
			strconv.FormatUint(n, 10) + " bytes, want at most " + strconv.Itoa(MaxHeader))
	}
	if n > uint64(len(b)-8) {
		return header{}, nil, errors.New("the weights end after " + strconv.Itoa(len(b)) + " bytes, within their header of " +
			strconv.FormatUint(n, 10) + "; copy the file again")
	}
	h, err := parseHeader(b[8 : 8+n])
	if err != nil {
		return header{}, nil, errors.New("this is not a safetensors file: " + err.Error())
	}
	return h, b[8+n:], nil
}

// IsPyTorch reports whether a file begins as one that PyTorch wrote: a zip archive or a pickle. A header's length may
// happen to start with a pickle's two bytes, but of such a length the upper four are zero.
func IsPyTorch(b []byte) bool {
	return strings.HasPrefix(string(b[:min(4, len(b))]), "PK\x03\x04") ||
		len(b) > 1 && b[0] == 0x80 && b[1] <= 5 && (len(b) < 8 || b[4]|b[5]|b[6]|b[7] != 0)
}

// contiguous checks that the tensors, those of the network, fill the data, each byte once.
func contiguous(tensors map[string]entry, size int) error {
	type span struct {
		name       string
		begin, end int
	}
	spans := make([]span, 0, len(tensors))
	for name, x := range tensors {
		spans = append(spans, span{name, x.begin, x.end})
	}
	at := 0
	for i := range spans {
		for j := i + 1; j < len(spans); j++ { // they are 53; package slices would bring five sorts
			if a, b := &spans[i], &spans[j]; b.begin < a.begin || b.begin == a.begin && b.end < a.end {
				*a, *b = *b, *a
			}
		}
		s := spans[i]
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

// check compares the header with the tensors that the network has.
func check(tensors map[string]entry, specs []core.Spec) error {
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
		want := 0
		switch {
		case s.Kind == core.Batches && x.dtype == "I64":
			want = 8
		case s.Kind != core.Batches && x.dtype == "F32":
			want = 4
		case s.Kind != core.Batches && x.dtype == "F16":
			want = 2
		case s.Kind == core.Batches:
			return errors.New("the tensor " + s.Name + " is of type " + x.dtype + ", want I64")
		default:
			return errors.New("the tensor " + s.Name + " is of type " + x.dtype + ", want F32 or F16")
		}
		if x.end-x.begin != want*s.Len() {
			return errors.New("the tensor " + s.Name + " takes " + strconv.Itoa(x.end-x.begin) + " bytes, want " +
				strconv.Itoa(want*s.Len()) + "; the header is damaged, copy the file again")
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
