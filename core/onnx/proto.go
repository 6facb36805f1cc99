package onnx

import (
	"encoding/binary"
	"math"

	"google.golang.org/protobuf/encoding/protowire"
)

// The fields of the messages of onnx.proto that are written here, IR version 8.
const (
	modelIRVersion   = 1
	modelProducer    = 2
	modelGraph       = 7
	modelOpsetImport = 8
	modelMetadata    = 14

	opsetVersion = 2

	entryKey   = 1 // StringStringEntryProto
	entryValue = 2

	graphNode        = 1
	graphName        = 2
	graphInitializer = 5
	graphDoc         = 10
	graphInput       = 11
	graphOutput      = 12

	nodeInput     = 1
	nodeOutput    = 2
	nodeName      = 3
	nodeOp        = 4
	nodeAttribute = 5

	attributeName = 1
	attributeInt  = 3
	attributeText = 4
	attributeInts = 8
	attributeType = 20

	tensorDims = 1
	tensorType = 2
	tensorName = 8
	tensorRaw  = 9 // little-endian

	valueName  = 1
	valueType  = 2
	typeTensor = 1 // TypeProto
	elemType   = 1 // TypeProto.Tensor
	elemShape  = 2
	shapeDim   = 1
	dimValue   = 1
	dimParam   = 2
)

// Values of AttributeProto.type and of TensorProto.data_type.
const (
	typeInt  = 2
	typeText = 3
	typeInts = 7

	dataFloat = 1
	dataInt64 = 7
)

// message is a protocol buffer being written, field by field.
type message []byte

func (m *message) int(field protowire.Number, v int) {
	*m = protowire.AppendTag(*m, field, protowire.VarintType)
	*m = protowire.AppendVarint(*m, uint64(v))
}

func (m *message) text(field protowire.Number, s string) {
	*m = protowire.AppendTag(*m, field, protowire.BytesType)
	*m = protowire.AppendString(*m, s)
}

// bytes writes bytes, or a message within this one.
func (m *message) bytes(field protowire.Number, b []byte) {
	*m = protowire.AppendTag(*m, field, protowire.BytesType)
	*m = protowire.AppendBytes(*m, b)
}

// attribute is one setting of a node; value is an int, a string or []int.
type attribute struct {
	name  string
	value any
}

func (a attribute) encode() (m message) {
	m.text(attributeName, a.name)
	switch v := a.value.(type) {
	case int:
		m.int(attributeInt, v)
		m.int(attributeType, typeInt)
	case string:
		m.text(attributeText, v)
		m.int(attributeType, typeText)
	case []int:
		for _, i := range v {
			m.int(attributeInts, i)
		}
		m.int(attributeType, typeInts)
	default:
		panic("onnx: an attribute is an int, a string or []int")
	}
	return m
}

// encodeTensor lays out a constant; data is []float32 or []int64. A shape of nil is a scalar.
func encodeTensor(name string, shape []int, data any) (m message) {
	for _, d := range shape {
		m.int(tensorDims, d)
	}
	var raw []byte
	switch data := data.(type) {
	case []float32:
		m.int(tensorType, dataFloat)
		raw = make([]byte, 0, 4*len(data))
		for _, v := range data {
			raw = binary.LittleEndian.AppendUint32(raw, math.Float32bits(v))
		}
	case []int64:
		m.int(tensorType, dataInt64)
		for _, v := range data {
			raw = binary.LittleEndian.AppendUint64(raw, uint64(v))
		}
	default:
		panic("onnx: a tensor holds float32 or int64")
	}
	m.text(tensorName, name)
	m.bytes(tensorRaw, raw)
	return m
}

// encodeValue declares an input or output of floats whose first dimension, the number of pictures,
// is left open.
func encodeValue(name string, shape ...int) message {
	var batch, dims, tensor, kind, m message
	batch.text(dimParam, "N")
	dims.bytes(shapeDim, batch)
	for _, d := range shape {
		var dim message
		dim.int(dimValue, d)
		dims.bytes(shapeDim, dim)
	}
	tensor.int(elemType, dataFloat)
	tensor.bytes(elemShape, dims)
	kind.bytes(typeTensor, tensor)
	m.text(valueName, name)
	m.bytes(valueType, kind)
	return m
}
