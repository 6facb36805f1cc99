//go:build js && wasm

package main

import (
	"encoding/binary"
	"math"
	"math/rand/v2"
	"testing"
	"unsafe"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"gdram/core"
	"gdram/core/checkpoint"
	"gdram/core/checkpoint/disk"
)

// give writes to the input as the page does, through the address.
func give(b []byte) { copy(unsafe.Slice((*byte)(input(int32(len(b)))), len(b)), b) }

// answered reads the answer as the page does.
func answered() []byte { return unsafe.Slice((*byte)(answerAddress()), answerSize()) }

// opened opens a weights file and returns the number of its model.
func opened(t *testing.T, meta checkpoint.Meta) int32 {
	t.Helper()
	give(weights(t, meta))
	require.True(t, open(), string(answered()))
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
	require.Greater(t, len(got), 8)
	assert.EqualValues(t, 10, binary.LittleEndian.Uint32(got))
	assert.EqualValues(t, 1, binary.LittleEndian.Uint32(got[4:]), "gray")
	assert.Equal(t, "\x01\x00\x00\x00a\x03\x00\x00\x00bé\x01\x00\x00\x00c", string(got[8:8+5+7+5]))

	opened(t, checkpoint.Meta{})
	assert.Equal(t, []byte{10, 0, 0, 0, 0, 0, 0, 0}, answered(), "neither gray nor labels")
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
	require.True(t, look(m, false), string(answered()))
	require.True(t, report(m))
	got := answered()

	number := func(i int) float64 {
		return float64(math.Float32frombits(binary.LittleEndian.Uint32(got[4*i:])))
	}
	const classes, looks = 10, core.Steps
	numbers := 3 + 2*classes + looks*(5+classes)
	assert.Len(t, got, 4*numbers+core.ImageLen+looks*12*core.GlimpseSize*core.GlimpseSize)
	assert.EqualValues(t, classes, number(0))
	assert.EqualValues(t, looks, number(1))
	sum := 0.0
	for i := range classes {
		sum += number(3 + classes + i)
	}
	assert.InDelta(t, 1, sum, 1e-5, "probabilities")
	assert.EqualValues(t, 1, number(3+2*classes+2), "weight of the first look")
	last := 3 + 2*classes + (looks-1)*(5+classes) + 5
	for i := range classes {
		assert.EqualValues(t, number(3+classes+i), number(last+i), "the last look's answer is the answer")
	}

	give(rgba[:4*30*20])
	assert.True(t, prepare(m, 30, 20) && look(m, true) && report(m), "another shape, in the buffers of the first")
}

func TestBadInputComesBackAsASentence(t *testing.T) {
	good := weights(t, checkpoint.Meta{})
	m := opened(t, checkpoint.Meta{})
	size := func(bytes, width, height int32) bool {
		give(make([]byte, bytes))
		return prepare(m, width, height)
	}
	file := func(b []byte) bool {
		give(b)
		return open()
	}
	for _, tc := range []struct {
		name string
		call func() bool
		want string
	}{
		{"no weights", func() bool { return file(nil) }, "weights"},
		{"foreign weights", func() bool { return file([]byte("\x89PNG\r\n\x1a\n and so on")) }, "not a safetensors file"},
		{"truncated weights", func() bool { return file(good[:len(good)/2]) }, "damaged"},
		{"too few bytes", func() bool { return size(4, 2, 2) }, "2x2"},
		{"no pixels", func() bool { return size(0, 0, 0) }, "0x0"},
		{"a panic: no such model", func() bool { return look(m+1, false) }, "The network failed"},
		{"a panic: a report before any look", func() bool { return report(opened(t, checkpoint.Meta{})) }, "The network failed"},
	} {
		t.Run(tc.name, func(t *testing.T) {
			require.False(t, tc.call())
			assert.Contains(t, string(answered()), tc.want)
		})
	}
	require.True(t, size(4, 1, 1), "the model survives all of it")
	assert.True(t, look(m, false) && report(m))
}
