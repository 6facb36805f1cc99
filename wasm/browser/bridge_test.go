//go:build js && wasm && !simd

package main

import (
	"encoding/binary"
	"math"
	"math/rand/v2"
	"slices"
	"testing"
	"unsafe"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"gdram/core"
	"gdram/core/checkpoint"
	"gdram/core/checkpoint/disk"
	"gdram/core/policy"
)

// give writes to the input as the page does, through the address.
func give(b []byte) { copy(unsafe.Slice((*byte)(input(int32(len(b)))), len(b)), b) }

// answered reads the answer as the page does.
func answered() []byte { return unsafe.Slice((*byte)(answerAddress()), answerSize()) }

// opening is the weights file that the page opens.
var opening []byte

func read(to unsafe.Pointer, begin, size int32) {
	copy(unsafe.Slice((*byte)(to), size), opening[begin:begin+size])
}

func openFile(b []byte) bool {
	opening = b
	return open(int32(len(b)))
}

// opened opens a weights file and returns the number of its model.
func opened(t *testing.T, meta checkpoint.Meta) int32 {
	t.Helper()
	require.True(t, openFile(weights(t, meta)), string(answered()))
	return int32(len(models)) - 1
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
	opened(t, checkpoint.Meta{Gray: true, Labels: []string{"a", "bé", "c", "d", "e", "f", "g", "h", "i", "j"}})
	got := answered()
	require.Greater(t, len(got), 12)
	assert.EqualValues(t, 10, binary.LittleEndian.Uint32(got))
	assert.EqualValues(t, 1, binary.LittleEndian.Uint32(got[4:]), "gray")
	assert.EqualValues(t, 10, binary.LittleEndian.Uint32(got[8:]), "labels")
	assert.Equal(t, "\x01\x00\x00\x00a\x03\x00\x00\x00bé\x01\x00\x00\x00c", string(got[12:12+5+7+5]))

	opened(t, checkpoint.Meta{})
	assert.Equal(t, []byte{10, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0}, answered(), "neither gray nor labels, nor a data set")

	opened(t, checkpoint.Meta{Dataset: "own", Extra: map[string]string{"key": "value"}})
	assert.Equal(t, "\x03\x00\x00\x00own\x03\x00\x00\x00key\x05\x00\x00\x00value", string(answered()[12:]))
}

// freeLook looks eight times where the policy says.
func freeLook(m int32) bool {
	give(nil)
	return look(m, 0, core.Steps, 0, 0, 0)
}

// TestLookAsAsked: what the page asks of a look is what core.Options say.
func TestLookAsAsked(t *testing.T) {
	m := opened(t, checkpoint.Meta{})
	rgba := make([]byte, 4*20*20)
	for i := range rgba {
		rgba[i] = uint8(i*i) | 3
	}
	give(rgba)
	require.True(t, prepare(m, 20, 20))
	is := func(want core.Options, why string) {
		t.Helper()
		got := slices.Clone(models[m].result.Glimpses)
		for i := range got {
			got[i].Probabilities = slices.Clone(got[i].Probabilities)
		}
		assert.Equal(t, models[m].classifier.Classify(models[m].image, want).Glimpses, got, why)
	}
	freeLook(m)
	is(core.Options{}, "as the policy says")
	give(nil)
	look(m, 0.1001, 5, 0, 0, 0)
	is(core.Options{Lead: 0.1001, MaxGlimpses: 5}, "early")
	look(m, 0, 8, 0.25, 7, 3)
	noise := make([][2]float32, core.Steps)
	for i := range noise {
		noise[i] = policy.Noise(7, 3, 0, i)
	}
	is(core.Options{Noise: noise, NoiseScale: 0.25}, "with noise")
	pin := binary.LittleEndian.AppendUint32([]byte{2, 0, 0, 0}, math.Float32bits(0.5))
	give(binary.LittleEndian.AppendUint32(pin, math.Float32bits(-0.25)))
	look(m, 0, 8, 0, 0, 0)
	is(core.Options{Pins: []core.Pin{{Step: 2, X: 0.5, Y: -0.25}}}, "where a person says")
	assert.EqualValues(t, 0.5, models[m].result.Glimpses[2].X)
}

func TestReleasedModelsAreGone(t *testing.T) {
	m := opened(t, checkpoint.Meta{})
	require.True(t, release(m))
	assert.False(t, freeLook(m))
	assert.Contains(t, string(answered()), "The network failed")
}

func TestClassifyReports(t *testing.T) {
	m := opened(t, checkpoint.Meta{})
	rgba := make([]byte, 4*40*30)
	for i := range rgba {
		rgba[i] = uint8(i * 7)
		if i%4 == 3 {
			rgba[i] = 255
		}
	}
	give(rgba)
	require.True(t, prepare(m, 40, 30), string(answered()))
	require.True(t, freeLook(m), string(answered()))
	require.True(t, report(m))
	got := answered()

	number := func(i int) float64 {
		return float64(math.Float32frombits(binary.LittleEndian.Uint32(got[4*i:])))
	}
	const classes, looks = 10, core.Steps
	numbers := 3 + 2*classes + looks*(7+classes)
	assert.Len(t, got, 4*numbers+core.ImageLen+looks*12*core.GlimpseSize*core.GlimpseSize)
	assert.EqualValues(t, classes, number(0))
	assert.EqualValues(t, looks, number(1))
	sum := 0.0
	for i := range classes {
		sum += number(3 + classes + i)
	}
	assert.InDelta(t, 1, sum, 1e-5, "probabilities")
	assert.EqualValues(t, 1, number(3+2*classes+2), "weight of the first look")
	last := 3 + 2*classes + (looks-1)*(7+classes) + 7
	for i := range classes {
		assert.EqualValues(t, number(3+classes+i), number(last+i), "the last look's answer is the answer")
	}

	give(rgba[:4*30*20])
	assert.True(t, prepare(m, 30, 20) && freeLook(m) && report(m), "another shape, in the buffers of the first")
}

func TestBadInputComesBackAsASentence(t *testing.T) {
	good := weights(t, checkpoint.Meta{})
	m := opened(t, checkpoint.Meta{})
	size := func(bytes, width, height int32) bool {
		give(make([]byte, bytes))
		return prepare(m, width, height)
	}
	for _, tc := range []struct {
		name string
		call func() bool
		want string
	}{
		{"no weights", func() bool { return openFile(nil) }, "weights"},
		{"foreign weights", func() bool { return openFile([]byte("\x89PNG\r\n\x1a\n and so on")) }, "not a safetensors file"},
		{"truncated weights", func() bool { return openFile(good[:len(good)/2]) }, "damaged"},
		{"too few bytes", func() bool { return size(4, 2, 2) }, "2x2"},
		{"no pixels", func() bool { return size(0, 0, 0) }, "0x0"},
		{"a panic: no such model", func() bool { return freeLook(m + 1) }, "The network failed"},
		{"a panic: a report before any look", func() bool { return report(opened(t, checkpoint.Meta{})) }, "The network failed"},
	} {
		t.Run(tc.name, func(t *testing.T) {
			require.False(t, tc.call())
			assert.Contains(t, string(answered()), tc.want)
		})
	}
	require.True(t, size(4, 1, 1), "the model survives all of it")
	assert.True(t, freeLook(m) && report(m))
}
