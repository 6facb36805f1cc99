// Package disk keeps weights in files.
package disk

import (
	"bytes"
	"encoding/binary"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"math"
	"os"
	"path/filepath"
	"strings"

	"github.com/x448/float16"

	"gdram/core"
	"gdram/core/checkpoint"
)

// DType is the type of the floats in a file.
type DType string

const (
	F32 DType = "F32" // exact
	F16 DType = "F16" // half the size, 11 significant bits
)

// MaxFile bounds what ReadFile reads, in bytes: the largest sensible model takes a hundredth of it.
const MaxFile = 1 << 30

// Load reads a safetensors file of weights. Errors are sentences that begin with the path.
func Load(path string) (*core.Params, checkpoint.Meta, error) {
	b, err := ReadFile(path)
	if err != nil {
		return nil, checkpoint.Meta{}, err
	}
	p, meta, err := checkpoint.Decode(b)
	if err != nil {
		return nil, checkpoint.Meta{}, fmt.Errorf("%s: %w", path, err)
	}
	return p, meta, nil
}

// ReadFile reads a file of weights of any format. It refuses what is far too large to be one.
func ReadFile(path string) ([]byte, error) {
	f, err := os.Open(path)
	if err != nil {
		return nil, fmt.Errorf("cannot read weights: %w", err)
	}
	defer f.Close()
	b, err := io.ReadAll(io.LimitReader(f, MaxFile+1))
	if err != nil {
		return nil, fmt.Errorf("cannot read weights: %w", err)
	}
	if len(b) > MaxFile {
		return nil, fmt.Errorf("%s: the file is larger than 1 GiB; want weights, which take a few megabytes", path)
	}
	return b, nil
}

// Save writes weights to path as safetensors. The file appears whole or not at all.
func Save(path string, p *core.Params, meta checkpoint.Meta, dtype DType) error {
	b, err := Encode(p, meta, dtype)
	if err != nil {
		return fmt.Errorf("%s: %w", path, err)
	}
	return WriteFile(path, b)
}

// entry is a tensor in the header.
type entry struct {
	DType   DType  `json:"dtype"`
	Shape   []int  `json:"shape"`
	Offsets [2]int `json:"data_offsets"`
}

// Encode lays weights out as safetensors: the same bytes for the same weights. It refuses
// weights that are not sound or, for F16, beyond its range of ±65504.
//
// The one safetensors library for Go takes the scalars of the state dict for empty
// tensors, and the format is a header and the numbers.
func Encode(p *core.Params, meta checkpoint.Meta, dtype DType) ([]byte, error) {
	if dtype != F32 && dtype != F16 {
		return nil, fmt.Errorf("unknown type %q of weights; want F32 or F16", dtype)
	}
	if err := checkpoint.Sound(p); err != nil {
		return nil, err
	}
	metadata, err := Metadata(meta, p.Classes)
	if err != nil {
		return nil, err
	}
	// Eight-byte numbers first, so that all tensors are aligned in the file.
	specs := make([]core.Spec, 0, len(p.Specs))
	for _, counts := range []bool{true, false} {
		for _, s := range p.Specs {
			if (s.Kind == core.Batches) == counts {
				specs = append(specs, s)
			}
		}
	}
	header := map[string]any{"__metadata__": metadata}
	var data []byte
	for _, s := range specs {
		e := entry{DType: dtype, Shape: s.Shape}
		if e.Shape == nil {
			e.Shape = []int{} // null is not a shape
		}
		e.Offsets[0] = len(data)
		for _, v := range p.Tensor(s.Name) {
			switch {
			case s.Kind == core.Batches:
				e.DType = "I64"
				data = binary.LittleEndian.AppendUint64(data, uint64(int64(v)))
			case dtype == F32:
				data = binary.LittleEndian.AppendUint32(data, math.Float32bits(v))
			default:
				h := float16.Fromfloat32(v)
				if h.IsInf(0) {
					return nil, fmt.Errorf("the tensor %s holds %g, beyond float16; save it as float32", s.Name, v)
				}
				data = binary.LittleEndian.AppendUint16(data, h.Bits())
			}
		}
		e.Offsets[1] = len(data)
		header[s.Name] = e
	}
	text, err := json.Marshal(header)
	if err != nil {
		return nil, err
	}
	text = append(text, bytes.Repeat([]byte(" "), (8-len(text)%8)%8)...)
	if len(text) > checkpoint.MaxHeader {
		return nil, fmt.Errorf("the metadata takes %d bytes, want at most %d; shorten it", len(text), checkpoint.MaxHeader)
	}
	b := binary.LittleEndian.AppendUint64(nil, uint64(len(text)))
	return append(append(b, text...), data...), nil
}

// Metadata returns what meta says as keys and values for a file of weights.
func Metadata(meta checkpoint.Meta, classes int) (map[string]string, error) {
	m := map[string]string{}
	for key, value := range meta.Extra {
		m[key] = value
	}
	m[checkpoint.KeyFormat] = "pt"
	if meta.Dataset != "" {
		m[checkpoint.KeyDataset] = meta.Dataset
	}
	if len(meta.Labels) > 0 {
		if len(meta.Labels) != classes {
			return nil, fmt.Errorf("%d labels for %d classes; want one for each", len(meta.Labels), classes)
		}
		labels, err := json.Marshal(meta.Labels)
		if err != nil {
			return nil, err
		}
		m[checkpoint.KeyLabels] = string(labels)
	}
	m[checkpoint.KeyPreprocessing] = fmt.Sprintf(`{"size":%d,"gray":%t}`, core.ImageSize, meta.Gray)
	return m, nil
}

// Fast is where fast mode stops looking, chosen on validation pictures: the Lead of core.Options.
type Fast struct {
	Lead float64 `json:"lead"` // above 0, up to 1
}

// ReadFast returns what metadata says of fast mode, the zero value where it says nothing.
func ReadFast(meta checkpoint.Meta) (fast Fast, err error) {
	text, ok := meta.Extra[checkpoint.KeyFast]
	if !ok {
		return fast, nil
	}
	if err := json.Unmarshal([]byte(text), &fast); err != nil || !fast.Valid() {
		return Fast{}, fmt.Errorf("the metadata has %s %q; want a lead above 0, up to 1, as in {\"lead\":0.5}", checkpoint.KeyFast, text)
	}
	return fast, nil
}

// Valid reports whether it is in its range.
func (f Fast) Valid() bool {
	return float32(f.Lead) > 0 && f.Lead <= 1
}

// Options is how fast mode looks: as the weights say or, where they say nothing, as published.
func (f Fast) Options() core.Options {
	return core.Options{Fast: f == Fast{}, Lead: float32(f.Lead)}
}

// Note puts it into metadata.
func (f Fast) Note(meta *checkpoint.Meta) {
	if meta.Extra == nil {
		meta.Extra = map[string]string{}
	}
	meta.Extra[checkpoint.KeyFast] = fmt.Sprintf(`{"lead":%.4g}`, f.Lead)
}

// part is how the name of a file ends while WriteFile writes it.
const part = ".part"

// IsPart reports whether WriteFile gave a file this name while it wrote the file called whole; a process that is
// killed leaves it behind.
func IsPart(name, whole string) bool {
	return strings.HasPrefix(name, whole+".") && strings.HasSuffix(name, part)
}

// WriteFile writes b to path through a file beside it that is renamed at the end, so that
// whoever reads path at any moment, even after a crash, finds the old bytes or the new.
func WriteFile(path string, b []byte) (err error) {
	defer func() {
		if err != nil {
			err = fmt.Errorf("cannot write %s: %w", path, cause(err))
		}
	}()
	f, err := os.CreateTemp(filepath.Dir(path), filepath.Base(path)+".*"+part)
	if err != nil {
		return err
	}
	defer func() {
		if err != nil {
			f.Close()
			os.Remove(f.Name())
		}
	}()
	if _, err := f.Write(b); err != nil {
		return err
	}
	if err := f.Chmod(0o644); err != nil {
		return err
	}
	if err := f.Sync(); err != nil {
		return err
	}
	if err := f.Close(); err != nil {
		return err
	}
	return os.Rename(f.Name(), path)
}

// cause leaves out of an error the name of the file beside it, which nobody asked for and which is gone.
func cause(err error) error {
	if at := new(fs.PathError); errors.As(err, &at) {
		return at.Err
	}
	if link := new(os.LinkError); errors.As(err, &link) {
		return link.Err
	}
	return err
}
