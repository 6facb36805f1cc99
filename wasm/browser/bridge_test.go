//go:build js && wasm

package main

import (
	"encoding/binary"
	"math"
	"math/rand/v2"
	"syscall/js"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"gdram/core"
	"gdram/core/checkpoint"
	"gdram/core/checkpoint/disk"
)

// call passes JavaScript values through f as the page does.
func call(f func([]js.Value) any, args ...any) js.Value {
	fn := guarded(f)
	defer fn.Release()
	return fn.Invoke(args...)
}

func bytesOf(b []byte) js.Value {
	array := js.Global().Get("Uint8Array").New(len(b))
	js.CopyBytesToJS(array, b)
	return array
}

func weights(t *testing.T, meta checkpoint.Meta) []byte {
	t.Helper()
	p := core.NewParams(10)
	p.Initialize(rand.New(rand.NewPCG(1, 2)))
	b, err := disk.Encode(p, meta, disk.F16)
	require.NoError(t, err)
	return b
}

func TestOpenTellsWhatTheWeightsKnow(t *testing.T) {
	labels := []string{"a", "b", "c", "d", "e", "f", "g", "h", "i", "j"}
	b := newBridge()
	got := call(b.open, "m", bytesOf(weights(t, checkpoint.Meta{Gray: true, Labels: labels})))
	require.Equal(t, js.TypeObject, got.Type(), got.String())
	assert.Equal(t, 10, got.Get("classes").Int())
	assert.True(t, got.Get("gray").Bool())
	assert.Equal(t, "j", got.Get("labels").Index(9).String())

	got = call(b.open, "plain", bytesOf(weights(t, checkpoint.Meta{})))
	assert.False(t, got.Get("gray").Bool())
	assert.Equal(t, "9", got.Get("labels").Index(9).String(), "no labels: numbers stand in")
}

func TestClassifyReports(t *testing.T) {
	b := newBridge()
	call(b.open, "m", bytesOf(weights(t, checkpoint.Meta{})))
	rgba := make([]byte, 4*40*30)
	for i := range rgba {
		rgba[i] = uint8(i * 7)
		if i%4 == 3 {
			rgba[i] = 255
		}
	}
	got := call(b.classify, "m", bytesOf(rgba), 40, 30, false)
	require.Equal(t, js.TypeObject, got.Type(), got.String())
	report := make([]byte, got.Length())
	js.CopyBytesToGo(report, got)

	number := func(i int) float64 {
		return float64(math.Float32frombits(binary.LittleEndian.Uint32(report[4*i:])))
	}
	const classes, looks = 10, core.Steps
	numbers := 5 + 2*classes + looks*(5+classes)
	assert.Len(t, report, 4*numbers+core.ImageLen+looks*12*core.GlimpseSize*core.GlimpseSize)
	assert.EqualValues(t, classes, number(0))
	assert.EqualValues(t, looks, number(1))
	sum := 0.0
	for i := range classes {
		sum += number(5 + classes + i)
	}
	assert.InDelta(t, 1, sum, 1e-5, "probabilities")
	assert.EqualValues(t, 1, number(5+2*classes+2), "weight of the first look")
	last := 5 + 2*classes + (looks-1)*(5+classes) + 5
	for i := range classes {
		assert.EqualValues(t, number(5+classes+i), number(last+i), "the last look's answer is the answer")
	}

	again := call(b.classify, "m", bytesOf(rgba[:4*30*40]), 30, 40, true)
	assert.Equal(t, js.TypeObject, again.Type(), "another shape, in the buffers of the first")
}

func TestBadInputComesBackAsASentence(t *testing.T) {
	b := newBridge()
	good := weights(t, checkpoint.Meta{})
	call(b.open, "m", bytesOf(good))
	tests := []struct {
		name string
		got  js.Value
		want string
	}{
		{"no weights", call(b.open, "x", bytesOf(nil)), "weights"},
		{"foreign weights", call(b.open, "x", bytesOf([]byte("\x89PNG\r\n\x1a\n and so on"))), "not a safetensors file"},
		{"truncated weights", call(b.open, "x", bytesOf(good[:len(good)/2])), "damaged"},
		{"a model never opened", call(b.classify, "x", bytesOf(make([]byte, 4)), 1, 1, false), "No model named x is open"},
		{"too few bytes", call(b.classify, "m", bytesOf(make([]byte, 4)), 2, 2, false), "2x2"},
		{"no pixels", call(b.classify, "m", bytesOf(nil), 0, 0, false), "0x0"},
		{"a panic: too few arguments", call(b.classify), "The network failed"},
		{"a panic: no bytes at all", call(b.open, "m", 7), "The network failed"},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			require.Equal(t, js.TypeString, test.got.Type())
			assert.Contains(t, test.got.String(), test.want)
		})
	}
	after := call(b.classify, "m", bytesOf(make([]byte, 4)), 1, 1, false)
	assert.Equal(t, js.TypeObject, after.Type(), "the model survives all of it")
}
