//go:build js && wasm

package main

import (
	"encoding/binary"
	"math"
	"unsafe"

	"gdram/core"
	"gdram/core/checkpoint"
	"gdram/core/kernel"
	"gdram/core/pixels"
	"gdram/core/policy"
)

// The page makes one call at a time. It asks input for room, writes there what it has, calls, and reads the
// answer before it calls again. Where a call fails, the answer is a sentence for the person at the page;
// no panic crosses.
var (
	received []byte // what the page wrote
	answer   []byte // what it reads
	models   []*model
)

// model is one opened weights file, ready to look.
type model struct {
	classifier *core.Classifier
	gray       bool
	picture    []uint8   // [ImageSize][ImageSize][Colours]
	image      []float32 // the same in 0..1: what the network gets
	result     *core.Result
}

// Larger buffers are not kept for the next call.
const keptBuffer = 1 << 20

// input makes room for size bytes and returns their address.
//
//go:wasmexport input
func input(size int32) unsafe.Pointer {
	if cap(received) < int(size) || cap(received) > keptBuffer {
		received = make([]byte, size)
	}
	received = received[:size]
	return unsafe.Pointer(unsafe.SliceData(received))
}

//go:wasmexport answerAddress
func answerAddress() unsafe.Pointer { return unsafe.Pointer(unsafe.SliceData(answer)) }

//go:wasmexport answerSize
func answerSize() int32 { return int32(len(answer)) }

// instructions answers with the name of those that the kernels use: relaxed SIMD, SIMD or scalar.
//
//go:wasmexport instructions
func instructions() { answer = append(answer[:0], kernel.Instructions()...) }

// file is the weights file that the page opens. It stays there and is read a piece at a time: memory of WebAssembly is never given back,
// and the first touch of it takes time that somebody waits.
type file struct {
	size  int
	piece []byte
}

func (f *file) Size() int { return f.size }

func (f *file) Slice(begin, end int) []byte {
	if end-begin > cap(f.piece) {
		f.piece = make([]byte, end-begin)
	}
	f.piece = f.piece[:end-begin]
	read(unsafe.Pointer(unsafe.SliceData(f.piece)), int32(begin), int32(end-begin))
	return f.piece
}

// open decodes the weights file of size bytes that read reads. The models are numbered from 0 in the order in which they were
// opened. The answer, little endian, is what the file says of itself: the number of classes, 1 if it sees
// brightness only, else 0, and the number of labels, none or one a class; then texts, each its length and its
// UTF-8 bytes: the labels, the data set, and the keys and values of all other metadata.
//
//go:wasmexport open
func open(size int32) (ok bool) {
	defer guard(&ok)
	classifier, meta, err := checkpoint.Classifier(&file{size: int(size)})
	if err != nil {
		return refuse(err)
	}
	models = append(models, &model{
		classifier: classifier,
		gray:       meta.Gray,
		image:      make([]float32, core.ImageLen),
	})
	answer = binary.LittleEndian.AppendUint32(answer[:0], uint32(classifier.Classes()))
	answer = append(answer, 0, 0, 0, 0)
	if meta.Gray {
		answer[4] = 1
	}
	answer = binary.LittleEndian.AppendUint32(answer, uint32(len(meta.Labels)))
	text := func(s string) {
		answer = binary.LittleEndian.AppendUint32(answer, uint32(len(s)))
		answer = append(answer, s...)
	}
	for _, label := range meta.Labels {
		text(label)
	}
	text(meta.Dataset)
	for key, value := range meta.Extra {
		text(key)
		text(value)
	}
	return true
}

// release gives up a model; its number is not used again.
//
//go:wasmexport release
func release(number int32) (ok bool) {
	defer guard(&ok)
	models[number] = nil
	return true
}

// prepare takes the picture in the input, 4*width*height bytes of RGBA, for a model to look at.
//
//go:wasmexport prepare
func prepare(number, width, height int32) (ok bool) {
	defer guard(&ok)
	m := models[number]
	picture, err := pixels.FromRGBA(received, int(width), int(height), m.gray)
	if err != nil {
		return refuse(err)
	}
	m.picture = picture
	pixels.ToFloat(m.image, picture)
	return true
}

// look looks at the prepared picture: until it leads by enough, see core.Enough, if lead is above 0; at most
// glimpses times; with the policy's noise times scale, if that is above 0, as draw number sample from the seed.
// The input holds the looks that the person chose, pinLength bytes each.
//
//go:wasmexport look
func look(number int32, lead float32, glimpses int32, scale float32, seed uint32, sample int32) (ok bool) {
	defer guard(&ok)
	m := models[number]
	options := core.Options{Lead: lead, MaxGlimpses: int(glimpses), Pins: pins[:0], NoiseScale: scale}
	for p := received; len(p) >= pinLength; p = p[pinLength:] {
		options.Pins = append(options.Pins, core.Pin{
			Step: int(binary.LittleEndian.Uint32(p)),
			X:    math.Float32frombits(binary.LittleEndian.Uint32(p[4:])),
			Y:    math.Float32frombits(binary.LittleEndian.Uint32(p[8:])),
		})
	}
	if scale > 0 {
		for i := range noise {
			noise[i] = policy.Noise(uint64(seed), int(sample), 0, i) // every picture is number 0, as on the command line
		}
		options.Noise = noise[:]
	}
	m.result = m.classifier.Classify(m.image, options)
	if !m.result.Finite() {
		answer = append(answer[:0], "the network's answer for this picture is not a number; its weights are damaged or not trained, so try others"...)
		return false
	}
	return true
}

// pinLength is the bytes of a look that a person chose, little endian: its step from 0, x and y.
const pinLength = 12

var (
	pins  [core.Steps]core.Pin
	noise [core.Steps][2]float32
)

// report answers with what the last look saw and thought; appendReport has the layout.
//
//go:wasmexport report
func report(number int32) (ok bool) {
	defer guard(&ok)
	answer = models[number].appendReport(answer[:0])
	return true
}

func refuse(err error) bool {
	answer = append(answer[:0], err.Error()...)
	return false
}

// guard, deferred, makes a panic a refusal.
func guard(ok *bool) {
	if recover() != nil {
		answer = append(answer[:0], "The network failed on this picture; reload the page and try another."...)
		*ok = false
	}
}
