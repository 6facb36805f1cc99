package pytorch

import (
	"archive/zip"
	"bytes"
	"encoding/binary"
	"math"
	"math/rand/v2"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"gdram/core"
	"gdram/core/internal/golden"
)

// file describes a .pth file for the test to write as torch.save does.
type file struct {
	classes int
	device  string   // "cpu"
	wrapper []string // keys around the state dict
	prefix  string   // before every name
	reverse bool     // names in the opposite order
	double  bool     // float64 instead of float32

	edit func(name string, shape []int) (string, []int) // spoils a tensor; "" drops it
	nan  string                                         // tensor that gets a NaN
	sign float32                                        // of running variances; 0 for 1
}

// written is what a file is made of: the pickle and the storages in order.
type written struct {
	program  []byte
	storages [][]byte
	counts   []int // numbers in each
}

// write builds the pickle program: protocol 2, the opcodes torch.save uses.
func (f file) write(legacy bool) written {
	var p pickler
	var w written
	weights := golden.Weights(f.classes, 1)
	list := golden.Tensors(f.classes)
	if f.reverse {
		slices.Reverse(list)
	}
	p.raw("\x80\x02")
	for _, key := range f.wrapper {
		p.raw("}(")
		p.text("epoch")
		p.int(3)
		p.text("optimizer") // an object of a class nobody here knows
		p.raw("cnumpy.core\nscalar\n)R")
		p.text(key)
	}
	p.raw("ccollections\nOrderedDict\n)R(")
	for _, t := range list {
		name, shape := t.Name, t.Shape
		if f.edit != nil {
			if name, shape = f.edit(name, shape); name == "" {
				continue
			}
		}
		kind := "FloatStorage"
		var b []byte
		for _, v := range weights[t.Name] {
			if t.Name == f.nan {
				v = float32(math.NaN())
			}
			if f.sign != 0 && strings.HasSuffix(t.Name, ".running_var") {
				v *= f.sign
			}
			switch {
			case t.Shape == nil:
				kind = "LongStorage"
				b = binary.LittleEndian.AppendUint64(b, 7)
			case f.double:
				kind = "DoubleStorage"
				b = binary.LittleEndian.AppendUint64(b, math.Float64bits(float64(v)))
			default:
				b = binary.LittleEndian.AppendUint32(b, math.Float32bits(v))
			}
		}
		p.text(f.prefix + name)
		p.raw("ctorch._utils\n_rebuild_tensor_v2\n((")
		p.text("storage")
		p.raw("ctorch\n" + kind + "\n")
		p.text(strconv.Itoa(len(w.storages)))
		p.text(f.device)
		p.int(len(weights[t.Name]))
		if legacy {
			p.raw("N")
		}
		p.raw("tQ")
		p.int(0)
		p.ints(shape)
		strides, n := make([]int, len(shape)), 1
		for i := len(shape) - 1; i >= 0; i-- {
			strides[i] = n
			n *= shape[i]
		}
		p.ints(strides)
		p.raw("\x89ccollections\nOrderedDict\n)RtR")
		w.storages = append(w.storages, b)
		w.counts = append(w.counts, len(weights[t.Name]))
	}
	p.raw("u")
	p.raw("}") // the attributes of the dict, _metadata, as PyTorch adds them
	p.text("_metadata")
	p.raw("}sb")
	for range f.wrapper {
		p.raw("u")
	}
	p.raw(".")
	w.program = p.b
	return w
}

func (f file) zip(t *testing.T) []byte { return f.packed(t, zip.Store) }

func (f file) packed(t *testing.T, method uint16) []byte { return f.archive(t, method, "") }

func (f file) ordered(t *testing.T, byteorder string) []byte {
	return f.archive(t, zip.Store, byteorder)
}

func (f file) archive(t *testing.T, method uint16, byteorder string) []byte {
	w := f.write(false)
	var b bytes.Buffer
	z := zip.NewWriter(&b)
	add := func(name string, content []byte) {
		e, err := z.CreateHeader(&zip.FileHeader{Name: "archive/" + name, Method: method})
		require.NoError(t, err)
		_, err = e.Write(content)
		require.NoError(t, err)
	}
	add("data.pkl", w.program)
	for i, s := range w.storages {
		add("data/"+strconv.Itoa(i), s)
	}
	add("version", []byte("3\n"))
	if byteorder != "" {
		add("byteorder", []byte(byteorder))
	}
	require.NoError(t, z.Close())
	return b.Bytes()
}

func (f file) legacy(*testing.T) []byte {
	w := f.write(true)
	b := []byte("\x80\x02\x8a\x0a\x6c\xfc\x9c\x46\xf9\x20\x6a\xa8\x50\x19." + "\x80\x02M\xe9\x03." + "\x80\x02}.")
	b = append(b, w.program...)
	keys := pickler{[]byte("\x80\x02](")}
	for i := range w.storages {
		keys.text(strconv.Itoa(i))
	}
	keys.raw("e.")
	b = append(b, keys.b...)
	for i, s := range w.storages {
		b = binary.LittleEndian.AppendUint64(b, uint64(w.counts[i]))
		b = append(b, s...)
	}
	return b
}

// pickler writes the few opcodes of protocol 2 that a state dict needs.
type pickler struct{ b []byte }

func (p *pickler) raw(s string) { p.b = append(p.b, s...) }

func (p *pickler) text(s string) {
	p.b = binary.LittleEndian.AppendUint32(append(p.b, 'X'), uint32(len(s)))
	p.raw(s)
}

func (p *pickler) int(n int) { p.b = binary.LittleEndian.AppendUint32(append(p.b, 'J'), uint32(n)) }

func (p *pickler) ints(list []int) {
	p.raw("(")
	for _, n := range list {
		p.int(n)
	}
	p.raw("t")
}

func TestImport(t *testing.T) {
	for _, tc := range []struct {
		why string
		file
	}{
		{"as published", file{classes: 10, device: "cpu"}},
		{"100 classes", file{classes: 100, device: "cpu"}},
		{"saved on an accelerator", file{classes: 10, device: "cuda:0"}},
		{"keys backwards", file{classes: 10, device: "cpu", reverse: true}},
		{"DataParallel", file{classes: 10, device: "cuda:1", prefix: "module."}},
		{"a trainer's file", file{classes: 10, device: "cpu", wrapper: []string{"state_dict"}}},
		{"another trainer's file", file{classes: 10, device: "cpu", wrapper: []string{"model"}, prefix: "module."}},
		{"float64", file{classes: 10, device: "cpu", double: true}},
	} {
		for format, b := range map[string][]byte{"zip": tc.zip(t), "legacy": tc.legacy(t)} {
			p, err := Decode(b)
			require.NoError(t, err, "%s, %s", tc.why, format)
			requireFormula(t, p, tc.classes, 7)
		}
	}
}

// requireFormula checks that p holds the formula weights of seed 1 and the batch counts.
func requireFormula(t *testing.T, p *core.Params, classes int, batches float32) {
	t.Helper()
	require.Equal(t, classes, p.Classes)
	for name, want := range golden.Weights(classes, 1) {
		if len(want) == 1 && want[0] == 0 {
			want = []float32{batches}
		}
		require.Equal(t, want, p.Tensor(name), name)
	}
}

// The files that PyTorch itself wrote are too large to keep; GDRAM_PTH names their folder.
func TestImportRealFiles(t *testing.T) {
	folder := os.Getenv("GDRAM_PTH")
	if folder == "" {
		t.Skip("GDRAM_PTH names no folder with .pth files of the formula weights, seed 1; TestImport reads files of the same layout")
	}
	paths, err := filepath.Glob(filepath.Join(folder, "*.pth"))
	require.NoError(t, err)
	require.NotEmpty(t, paths)
	for _, path := range paths {
		b, err := os.ReadFile(path)
		require.NoError(t, err)
		p, err := Decode(b)
		require.NoError(t, err)
		requireFormula(t, p, p.Classes, 0)
	}
}

func TestImportRefuses(t *testing.T) {
	good := file{classes: 10, device: "cpu"}
	with := func(edit func(name string, shape []int) (string, []int)) file {
		return file{classes: 10, device: "cpu", edit: edit}
	}
	for _, tc := range []struct {
		why, want string
		file
	}{
		{"missing", "lack the tensor rnn1.lstm_cell.bias_hh", with(func(name string, shape []int) (string, []int) {
			if name == "rnn1.lstm_cell.bias_hh" {
				return "", nil
			}
			return name, shape
		})},
		{"renamed", "lack the tensor class_net.fc.2.bias", with(func(name string, shape []int) (string, []int) {
			return "x." + name, shape
		})},
		{"wrong shape", "rnn2.fc.weight has shape [576 128], want [128 576]", with(func(name string, shape []int) (string, []int) {
			if name == "rnn2.fc.weight" {
				return name, []int{576, 128}
			}
			return name, shape
		})},
		{"very many classes", "class_net.fc.2.weight has shape", with(func(name string, shape []int) (string, []int) {
			if name == "class_net.fc.2.bias" {
				return name, []int{1 << 30}
			}
			return name, shape
		})},
		{"a negative variance", "glimpse_net.fc_g.1.running_var holds a negative variance", file{classes: 10, device: "cpu", sign: -1}},
		{"NaN", "rnn2.fc.bias holds NaN", file{classes: 10, device: "cpu", nan: "rnn2.fc.bias"}},
	} {
		for format, b := range map[string][]byte{"zip": tc.zip(t), "legacy": tc.legacy(t)} {
			_, err := Decode(b)
			assert.ErrorContains(t, err, tc.want, "%s, %s", tc.why, format)
		}
	}

	flipped := good.zip(t)
	flipped[len(flipped)/2] ^= 1
	legacy := good.legacy(t)
	_, err := Decode(good.ordered(t, "little"))
	assert.NoError(t, err)
	for _, tc := range []struct {
		why  string
		b    []byte
		want string
	}{
		{"empty", nil, "neither as a zip archive nor"},
		{"foreign", []byte("hello"), "neither as a zip archive nor"},
		{"only the start of a zip", []byte("PK\x03\x04"), "zip"},
		{"a bit flipped in a zip", flipped, "checksum"},
		{"a zip that unfolds", good.packed(t, zip.Deflate), "record data.pkl is compressed"},
		{"legacy without storages", legacy[:10_000], "ends"},
		{"legacy cut short by a byte", legacy[:len(legacy)-1], "ends within storage"},
		{"a list that holds itself", []byte("\x80\x02\x8a\x0a\x6c\xfc\x9c\x46\xf9\x20\x6a\xa8\x50\x19.\x80\x02]q\x00h\x00a."), "its protocol is not 1001"},
		{"the highest byte first", good.ordered(t, "big"), "begin with the highest byte"},
		{"a pickle of something else", []byte("\x80\x02\x8a\x0a\x6c\xfc\x9c\x46\xf9\x20\x6a\xa8\x50\x19.\x80\x02M\xe9\x03.\x80\x02}.\x80\x02K\x05.\x80\x02]."), "no state dict"},
	} {
		_, err := Decode(tc.b)
		assert.ErrorContains(t, err, tc.want, tc.why)
	}
}

func TestImportSurvivesDamage(t *testing.T) {
	zipped, legacy := file{classes: 2, device: "cpu"}.zip(t), file{classes: 2, device: "cpu"}.legacy(t)
	rng := rand.New(rand.NewPCG(1, 1))
	for range 100 {
		for _, good := range [][]byte{zipped, legacy} {
			b := bytes.Clone(good)
			b[rng.IntN(12_000)] ^= 1 << rng.IntN(8) // in the pickle
			Decode(b)
			Decode(good[:rng.IntN(len(good))])
		}
	}
}
