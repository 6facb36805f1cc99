//go:build js && wasm

package main

import (
	"encoding/binary"
	"unsafe"

	"gdram/core"
	"gdram/core/checkpoint"
	"gdram/core/kernel"
	"gdram/core/pixels"
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

// input makes room for size bytes and returns their address.
//
//go:wasmexport input
func input(size int32) unsafe.Pointer {
	if cap(received) < int(size) {
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

// open decodes the weights file in the input. The models are numbered from 0 in the order in which they were
// opened. The answer, little endian, is what the file says of itself: the number of classes, 1 if it sees
// brightness only, else 0, and labels, none or one a class: its length and its UTF-8 bytes.
//
//go:wasmexport open
func open() (ok bool) {
	defer guard(&ok)
	params, meta, err := checkpoint.Decode(received)
	received = nil // megabytes that no picture needs
	if err != nil {
		return refuse(err)
	}
	models = append(models, &model{
		classifier: core.NewClassifier(params),
		gray:       meta.Gray,
		image:      make([]float32, core.ImageLen),
	})
	answer = binary.LittleEndian.AppendUint32(answer[:0], uint32(params.Classes))
	answer = append(answer, 0, 0, 0, 0)
	if meta.Gray {
		answer[4] = 1
	}
	for _, label := range meta.Labels {
		answer = binary.LittleEndian.AppendUint32(answer, uint32(len(label)))
		answer = append(answer, label...)
	}
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

// look looks at the prepared picture.
//
//go:wasmexport look
func look(number int32, fast bool) (ok bool) {
	defer guard(&ok)
	m := models[number]
	m.result = m.classifier.Classify(m.image, core.Options{Fast: fast})
	return true
}

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
