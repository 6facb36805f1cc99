package checkpoint_test

import (
	"bytes"
	"encoding/binary"
	"encoding/json"
	"math"
	"math/rand/v2"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"gdram/core"
	"gdram/core/checkpoint"
	"gdram/core/checkpoint/disk"
	"gdram/core/internal/golden"
)

func formulaParams(classes int) *core.Params {
	p := core.NewParams(classes)
	for name, v := range golden.Weights(classes, 1) {
		copy(p.Tensor(name), v)
	}
	return p
}

var fullMeta = checkpoint.Meta{
	Dataset: "test",
	Labels:  []string{"plain", `"quoted" \ and <b>`, "Ähre", "𝄞", "\t", "6", "7", "8", "9", ""},
	Gray:    true,
	Extra:   map[string]string{"accuracy": "0.5", "note": "two\nlines"},
}

func TestRoundTripF32(t *testing.T) {
	for _, classes := range []int{2, 10, 100} {
		want := formulaParams(classes)
		want.Tensor("glimpse_net.fc_g.1.num_batches_tracked")[0] = 1234
		path := filepath.Join(t.TempDir(), "w.safetensors")
		meta := fullMeta
		if classes != 10 {
			meta.Labels = nil
		}
		require.NoError(t, disk.Save(path, want, meta, disk.F32))
		got, gotMeta, err := disk.Load(path)
		require.NoError(t, err)
		assert.Equal(t, classes, got.Classes)
		assert.True(t, equal(want.Flat, got.Flat), "%d classes", classes)
		assert.Equal(t, meta, gotMeta)
	}
}

func TestRoundTripF16(t *testing.T) {
	want := formulaParams(10)
	b, err := disk.Encode(want, checkpoint.Meta{}, disk.F16)
	require.NoError(t, err)
	assert.Less(t, len(b), 2*len(want.Flat)+20_000)
	got, meta, err := checkpoint.Decode(b)
	require.NoError(t, err)
	assert.Equal(t, checkpoint.Meta{}, meta)
	for i, w := range want.Flat {
		// Half a unit in the last of 11 places; below 2^-14 the places stop moving.
		tolerance := max(math.Abs(float64(w))*0x1p-11, 0x1p-25)
		if d := math.Abs(float64(w - got.Flat[i])); d > tolerance {
			t.Fatalf("number %d: %g became %g", i, w, got.Flat[i])
		}
	}
}

func TestEncodeIsRepeatable(t *testing.T) {
	a, err := disk.Encode(formulaParams(10), fullMeta, disk.F16)
	require.NoError(t, err)
	b, err := disk.Encode(formulaParams(10), fullMeta, disk.F16)
	require.NoError(t, err)
	assert.True(t, bytes.Equal(a, b))
}

func TestEncodeRefuses(t *testing.T) {
	const name = "class_net.fc.0.weight"
	for _, tc := range []struct {
		why   string
		value float32
		dtype disk.DType
		meta  checkpoint.Meta
		want  string
	}{
		{"NaN", float32(math.NaN()), disk.F32, checkpoint.Meta{}, name + " holds NaN at place 3"},
		{"infinity", float32(math.Inf(-1)), disk.F32, checkpoint.Meta{}, name + " holds -Inf"},
		{"too large", 70000, disk.F16, checkpoint.Meta{}, "beyond float16"},
		{"labels", 0, disk.F16, checkpoint.Meta{Labels: []string{"one"}}, "1 labels for 10 classes"},
		{"type", 0, "BF16", checkpoint.Meta{}, "want F32 or F16"},
	} {
		p := formulaParams(10)
		p.Tensor(name)[3] = tc.value
		path := filepath.Join(t.TempDir(), "w.safetensors")
		assert.ErrorContains(t, disk.Save(path, p, tc.meta, tc.dtype), tc.want, tc.why)
		left, err := os.ReadDir(filepath.Dir(path))
		require.NoError(t, err)
		assert.Empty(t, left, "%s: nothing may be left behind", tc.why)
	}
}

func TestSaveKeepsTheOldFileWhenItCannot(t *testing.T) {
	err := disk.Save(filepath.Join(t.TempDir(), "no", "such", "w.safetensors"), formulaParams(2), checkpoint.Meta{}, disk.F32)
	assert.ErrorContains(t, err, "cannot write")
}

func TestLoadRefusesAMissingFile(t *testing.T) {
	_, _, err := disk.Load(filepath.Join(t.TempDir(), "w.safetensors"))
	assert.ErrorContains(t, err, "w.safetensors")
}

// build lays out a file from a header given as JSON and any data.
func build(header string, data []byte) []byte {
	b := binary.LittleEndian.AppendUint64(nil, uint64(len(header)))
	return append(append(b, header...), data...)
}

// edited returns a valid file whose header went through edit.
func edited(t *testing.T, edit func(h map[string]any)) []byte {
	b, err := disk.Encode(formulaParams(10), fullMeta, disk.F16)
	require.NoError(t, err)
	n := binary.LittleEndian.Uint64(b)
	var h map[string]any
	require.NoError(t, json.Unmarshal(b[8:8+n], &h))
	edit(h)
	text, err := json.Marshal(h)
	require.NoError(t, err)
	return build(string(text), b[8+n:])
}

func TestDecodeRefuses(t *testing.T) {
	good, err := disk.Encode(formulaParams(10), fullMeta, disk.F32)
	require.NoError(t, err)
	headerLen := binary.LittleEndian.Uint64(good)
	spoilt := bytes.Clone(good)
	copy(spoilt[len(spoilt)-4:], []byte{0, 0, 0xc0, 0x7f}) // the last tensor, the baseline's bias
	tensor := func(h map[string]any, name string) map[string]any { return h[name].(map[string]any) }
	metadata := func(h map[string]any) map[string]any { return h["__metadata__"].(map[string]any) }

	for _, tc := range []struct {
		why  string
		b    []byte
		want string
	}{
		{"empty", nil, "end after 0 bytes"},
		{"cut before the header", good[:5], "end after 5 bytes"},
		{"cut in the header", good[:300], "within their header"},
		{"cut in the data", good[:len(good)-1], "bytes of data"},
		{"no data", good[:8+headerLen], "0 bytes of data"},
		{"something after it", append(bytes.Clone(good), 0), "bytes of data"},
		{"zip", []byte("PK\x03\x04 and so on"), "gdram convert"},
		{"pickle", []byte("\x80\x02\x8a\x0alF\x9c"), "gdram convert"},
		{"web page", []byte("<!DOCTYPE html>"), "not a safetensors file"},
		{"enormous header", binary.LittleEndian.AppendUint64(nil, 1<<63), "its header would take"},
		{"not JSON", build("hello", nil), `want "{"`},
		{"JSON of another form", build(`{"x":[1,2]}`, nil), "not a safetensors file"},
		{"not UTF-8", build("{\"\xff\":1}", nil), "not text"},
		{"half a header", build(`{"x":{"dtype":"F32"`, nil), "not a safetensors file"},
		{"nothing in it", build(`{}`, nil), "lack the tensor class_net.fc.2.bias"},
		{"a name twice", build(`{"x":{"dtype":"F32","shape":[],"data_offsets":[0,4]},"x":{"dtype":"F32","shape":[],"data_offsets":[0,4]}}`, make([]byte, 4)), "no name twice"},
		{"NaN", spoilt, "baseline_net.fc.1.bias holds NaN at place 0"},
		{"missing", edited(t, func(h map[string]any) {
			h["renamed"] = h["rnn1.lstm_cell.bias_hh"]
			delete(h, "rnn1.lstm_cell.bias_hh")
		}), "lack the tensor rnn1.lstm_cell.bias_hh"},
		{"unknown", edited(t, func(h map[string]any) {
			h["more"] = map[string]any{"dtype": "F32", "shape": []int{0}, "data_offsets": []int{0, 0}}
		}), "unknown tensor more"},
		{"wrong shape", edited(t, func(h map[string]any) { tensor(h, "rnn2.fc.weight")["shape"] = []int{576, 128} }), "rnn2.fc.weight has shape [576 128], want [128 576]"},
		{"wrong type", edited(t, func(h map[string]any) { tensor(h, "rnn2.fc.weight")["dtype"] = "BF16" }), "rnn2.fc.weight is of type BF16, want F32 or F16"},
		{"count as float", edited(t, func(h map[string]any) { tensor(h, "emission_net.fc.1.num_batches_tracked")["dtype"] = "F32" }), "want I64"},
		{"type of another size", edited(t, func(h map[string]any) { tensor(h, "rnn2.fc.weight")["dtype"] = "F32" }), "rnn2.fc.weight takes"},
		{"one class", edited(t, func(h map[string]any) { tensor(h, "class_net.fc.2.bias")["shape"] = []int{1} }), "2 classes or more"},
		{"very many classes", edited(t, func(h map[string]any) { tensor(h, "class_net.fc.2.bias")["shape"] = []int{900_000_000_000_000} }), "class_net.fc.2"},
		{"offsets that overlap", edited(t, func(h map[string]any) { tensor(h, "rnn2.fc.bias")["data_offsets"] = []int{0, 256} }), "want it to begin"},
		{"offsets backwards", edited(t, func(h map[string]any) { tensor(h, "rnn2.fc.bias")["data_offsets"] = []int{256, 0} }), "rnn2.fc.bias takes -256 bytes"},
		{"offsets negative", edited(t, func(h map[string]any) { tensor(h, "rnn2.fc.bias")["data_offsets"] = []int{-1, 0} }), "whole number"},
		{"labels too few", edited(t, func(h map[string]any) { metadata(h)["labels"] = `["a","b"]` }), "2 labels, want one for each of the 10"},
		{"labels no list", edited(t, func(h map[string]any) { metadata(h)["labels"] = "a,b" }), "labels"},
		{"other size", edited(t, func(h map[string]any) { metadata(h)["preprocessing"] = `{"size": 64, "gray": false}` }), "size 64, want 128"},
		{"other preprocessing", edited(t, func(h map[string]any) { metadata(h)["preprocessing"] = `{"mean": 1}` }), "preprocessing"},
	} {
		_, _, err := checkpoint.Decode(tc.b)
		if assert.Error(t, err, tc.why) {
			assert.Contains(t, err.Error(), tc.want, tc.why)
			assert.NotContains(t, err.Error(), "\n", tc.why)
		}
	}
}

// TestFileDecodesAsItIsAsked: a classifier from a file is that from all its tensors, to the bit.
func TestFileDecodesAsItIsAsked(t *testing.T) {
	rng := rand.New(rand.NewPCG(3, 4))
	image := make([]float32, core.ImageLen)
	for i := range image {
		image[i] = rng.Float32()
	}
	for _, dtype := range []disk.DType{disk.F16, disk.F32} {
		b, err := disk.Encode(formulaParams(100), checkpoint.Meta{Gray: true}, dtype)
		require.NoError(t, err)
		params, want, err := checkpoint.Decode(b)
		require.NoError(t, err)
		file, meta, err := checkpoint.Open(checkpoint.Bytes(b))
		require.NoError(t, err)
		assert.Equal(t, want, meta)
		assert.Equal(t, 100, file.Classes)
		ofAll, ofFile := core.NewClassifier(params), core.NewClassifierOf(file.Classes, file)
		require.NoError(t, file.Err())
		assert.Equal(t, ofAll.Classify(image, core.Options{}), ofFile.Classify(image, core.Options{}))
		classifier, meta, err := checkpoint.Classifier(checkpoint.Bytes(b))
		require.NoError(t, err)
		assert.Equal(t, want, meta)
		assert.Equal(t, ofAll.Classify(image, core.Options{}), classifier.Classify(image, core.Options{}))
	}
	assert.Panics(t, func() { new(checkpoint.File).Tensor("no such") })
}

// TestFileFindsWhatIsNotSound, in tensors that evaluation uses and in such as it does not.
func TestFileFindsWhatIsNotSound(t *testing.T) {
	for name, v := range map[string]float32{
		"glimpse_net.fc_g.4.weight": float32(math.NaN()), "glimpse_net.fc_gg.bias": float32(math.Inf(1)),
		"baseline_net.fc.0.weight": float32(math.Inf(-1)), "emission_net.fc.1.running_var": -1,
	} {
		b, err := disk.Encode(formulaParams(10), checkpoint.Meta{}, disk.F32)
		require.NoError(t, err)
		n := binary.LittleEndian.Uint64(b)
		var header map[string]struct {
			Offsets []int `json:"data_offsets"`
		}
		require.NoError(t, json.Unmarshal(b[8:8+n], &header))
		binary.LittleEndian.PutUint32(b[8+int(n)+header[name].Offsets[0]+4*2:], math.Float32bits(v))
		_, _, want := checkpoint.Decode(b)
		require.ErrorContains(t, want, name)
		file, _, err := checkpoint.Open(checkpoint.Bytes(b))
		require.NoError(t, err)
		assert.Equal(t, want, file.Err(), "before anything is read")
		core.NewClassifierOf(10, file)
		assert.Equal(t, want, file.Err(), "after a classifier has read it")
		_, _, err = checkpoint.Classifier(checkpoint.Bytes(b))
		assert.Equal(t, want, err)
	}
}

func TestDecodeTakesForeignFiles(t *testing.T) {
	b := edited(t, func(h map[string]any) { delete(h, "__metadata__") })
	p, meta, err := checkpoint.Decode(b)
	require.NoError(t, err)
	assert.Equal(t, 10, p.Classes)
	assert.Equal(t, checkpoint.Meta{}, meta)
}

// Whatever happens to a header, Decode answers without panicking.
func TestDecodeSurvivesDamage(t *testing.T) {
	good, err := disk.Encode(formulaParams(2), checkpoint.Meta{Gray: true}, disk.F16)
	require.NoError(t, err)
	n := int(binary.LittleEndian.Uint64(good))
	rng := rand.New(rand.NewPCG(1, 1))
	for range 300 {
		b := bytes.Clone(good)
		for range 1 + rng.IntN(4) {
			b[rng.IntN(8+n)] = byte(rng.Uint32())
		}
		checkpoint.Decode(b)
		checkpoint.Decode(b[:rng.IntN(8+n)])
	}
}

// A small file must not cost much memory, whatever sizes it names.
func TestDecodeAllocatesLittleForLittle(t *testing.T) {
	classes := func(n string) []byte {
		return build(`{"class_net.fc.2.bias":{"dtype":"F32","shape":[`+n+`],"data_offsets":[0,0]}}`, nil)
	}
	for _, b := range [][]byte{
		classes("10"), classes("900000000000000"),
		build(`{"x":`+strings.Repeat(`{"shape":`, 1000), nil),
		build(`{"x":{"shape":[`+strings.Repeat("1,", 50_000), nil),
		build(`{"__metadata__":{"labels":"`+strings.Repeat(`[`, 50_000)+`"}}`, nil),
	} {
		var before, after runtime.MemStats
		runtime.ReadMemStats(&before)
		_, _, err := checkpoint.Decode(b)
		runtime.ReadMemStats(&after)
		assert.Error(t, err)
		assert.Less(t, after.TotalAlloc-before.TotalAlloc, uint64(40*len(b)+200_000))
	}
}

func equal(a, b []float32) bool {
	if len(a) != len(b) {
		return false
	}
	for i := range a {
		if math.Float32bits(a[i]) != math.Float32bits(b[i]) {
			return false
		}
	}
	return true
}
