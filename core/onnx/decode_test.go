package onnx

import (
	"encoding/binary"
	"math"
	"testing"

	"github.com/stretchr/testify/require"
	"google.golang.org/protobuf/encoding/protowire"
)

// What a reader finds in a model, by the field numbers of onnx.proto, which are spelled out here and
// not taken from the writer.

type decoded struct {
	ir, opset       uint64
	metadata        map[string]string
	nodes           []decodedNode
	constants       map[string]tensor
	inputs, outputs map[string][]any // dimensions: int, or string if it is free
}

type decodedNode struct {
	op, name        string
	inputs, outputs []string
	ints            map[string][]int
	texts           map[string]string
}

// tensor is a constant or a value on the way: floats, or integers if whole is set.
type tensor struct {
	shape  []int
	floats []float32
	whole  []int64
}

// fields are those of one message: numbers as uint64, everything else as bytes.
type fields struct {
	t       *testing.T
	numbers map[protowire.Number][]uint64
	bytes   map[protowire.Number][][]byte
}

func decodeFields(t *testing.T, b []byte) fields {
	f := fields{t, map[protowire.Number][]uint64{}, map[protowire.Number][][]byte{}}
	for len(b) > 0 {
		field, kind, n := protowire.ConsumeTag(b)
		require.NoError(t, protowire.ParseError(n))
		b = b[n:]
		switch kind {
		case protowire.VarintType:
			v, n := protowire.ConsumeVarint(b)
			require.NoError(t, protowire.ParseError(n))
			f.numbers[field] = append(f.numbers[field], v)
			b = b[n:]
		case protowire.BytesType:
			v, n := protowire.ConsumeBytes(b)
			require.NoError(t, protowire.ParseError(n))
			f.bytes[field] = append(f.bytes[field], v)
			b = b[n:]
		default:
			require.Failf(t, "unexpected wire type", "field %d is of type %d", field, kind)
		}
	}
	return f
}

func (f fields) number(field protowire.Number) uint64 {
	f.t.Helper()
	require.Len(f.t, f.numbers[field], 1, "field %d", field)
	return f.numbers[field][0]
}

func (f fields) text(field protowire.Number) string { return string(f.message(field)) }

func (f fields) message(field protowire.Number) []byte {
	f.t.Helper()
	require.Len(f.t, f.bytes[field], 1, "field %d", field)
	return f.bytes[field][0]
}

func (f fields) texts(field protowire.Number) []string {
	var all []string
	for _, b := range f.bytes[field] {
		all = append(all, string(b))
	}
	return all
}

func (f fields) ints(field protowire.Number) []int {
	var all []int
	for _, v := range f.numbers[field] {
		all = append(all, int(v))
	}
	return all
}

func decode(t *testing.T, b []byte) decoded {
	model := decodeFields(t, b)
	graph := decodeFields(t, model.message(7))
	d := decoded{ir: model.number(1), opset: decodeFields(t, model.message(8)).number(2), metadata: map[string]string{},
		constants: map[string]tensor{}, inputs: map[string][]any{}, outputs: map[string][]any{}}
	for _, b := range model.bytes[14] {
		entry := decodeFields(t, b)
		d.metadata[entry.text(1)] = entry.text(2)
	}
	for _, b := range graph.bytes[1] {
		d.nodes = append(d.nodes, decodeNode(t, b))
	}
	for _, b := range graph.bytes[5] {
		f := decodeFields(t, b)
		require.NotContains(t, d.constants, f.text(8), "a constant is there once")
		d.constants[f.text(8)] = decodeTensor(t, f)
	}
	for _, b := range graph.bytes[11] {
		f := decodeFields(t, b)
		d.inputs[f.text(1)] = decodeType(t, f.message(2))
	}
	for _, b := range graph.bytes[12] {
		f := decodeFields(t, b)
		d.outputs[f.text(1)] = decodeType(t, f.message(2))
	}
	return d
}

func decodeNode(t *testing.T, b []byte) decodedNode {
	f := decodeFields(t, b)
	n := decodedNode{f.text(4), f.text(3), f.texts(1), f.texts(2), map[string][]int{}, map[string]string{}}
	for _, b := range f.bytes[5] {
		a := decodeFields(t, b)
		switch kind := a.number(20); kind {
		case 2:
			n.ints[a.text(1)] = []int{int(a.number(3))}
		case 3:
			n.texts[a.text(1)] = a.text(4)
		case 7:
			n.ints[a.text(1)] = a.ints(8)
		default:
			require.Failf(t, "unknown type of attribute", "%s of %s is of type %d", a.text(1), n.name, kind)
		}
	}
	return n
}

func decodeTensor(t *testing.T, f fields) tensor {
	x := tensor{shape: f.ints(1)}
	raw := f.message(9)
	switch kind := f.number(2); kind {
	case 1:
		require.Len(t, raw, 4*count(x.shape), f.text(8))
		x.floats = make([]float32, len(raw)/4)
		for i := range x.floats {
			x.floats[i] = math.Float32frombits(binary.LittleEndian.Uint32(raw[4*i:]))
		}
	case 7:
		require.Len(t, raw, 8*count(x.shape), f.text(8))
		for ; len(raw) > 0; raw = raw[8:] {
			x.whole = append(x.whole, int64(binary.LittleEndian.Uint64(raw)))
		}
	default:
		require.Failf(t, "unknown type of tensor", "%s is of type %d", f.text(8), kind)
	}
	return x
}

func decodeType(t *testing.T, b []byte) (dims []any) {
	of := decodeFields(t, decodeFields(t, b).message(1))
	require.Equal(t, uint64(1), of.number(1), "an input or output is of float32")
	for _, b := range decodeFields(t, of.message(2)).bytes[1] {
		d := decodeFields(t, b)
		if len(d.bytes) > 0 {
			dims = append(dims, d.text(2))
		} else {
			dims = append(dims, int(d.number(1)))
		}
	}
	return dims
}

func count(shape []int) int {
	n := 1
	for _, d := range shape {
		n *= d
	}
	return n
}
