//go:build js && wasm

package main

import (
	"strconv"
	"syscall/js"
	"time"

	"gdram/core"
	"gdram/core/checkpoint"
	"gdram/core/pixels"
)

// bridge answers the page's calls. The page makes them one at a time.
type bridge struct {
	models map[string]*model
	rgba   []byte // the picture as it came, kept between calls
	report []byte // the answer as it goes, kept between calls
}

// model is one opened weights file, ready to look.
type model struct {
	classifier *core.Classifier
	gray       bool
	image      []float32 // what the network gets: [ImageSize][ImageSize][Colours], 0..1
}

func newBridge() *bridge {
	return &bridge{models: map[string]*model{}}
}

// guarded makes f callable from JavaScript. A panic inside becomes a sentence.
func guarded(f func(args []js.Value) any) js.Func {
	return js.FuncOf(func(_ js.Value, args []js.Value) (answer any) {
		defer func() {
			if recover() != nil {
				answer = "The network failed on this picture; reload the page and try another."
			}
		}()
		return f(args)
	})
}

// open(name string, weights Uint8Array) decodes a weights file and keeps the model under
// name, in place of any earlier one. It looks once at an empty picture, because the first
// looks run in the browser's baseline compiler and would be several times slower.
func (b *bridge) open(args []js.Value) any {
	name := args[0].String()
	weights := make([]byte, args[1].Length())
	js.CopyBytesToGo(weights, args[1])
	params, meta, err := checkpoint.Decode(weights)
	if err != nil {
		return err.Error()
	}
	m := &model{
		classifier: core.NewClassifier(params),
		gray:       meta.Gray,
		image:      make([]float32, core.ImageLen),
	}
	m.classifier.Classify(m.image, core.Options{})
	b.models[name] = m

	labels := make([]any, params.Classes)
	for i := range labels {
		labels[i] = strconv.Itoa(i)
		if i < len(meta.Labels) {
			labels[i] = meta.Labels[i]
		}
	}
	return map[string]any{"classes": params.Classes, "labels": labels, "gray": meta.Gray}
}

// classify(name string, rgba Uint8Array, width, height int, fast bool) looks at a picture
// of 4*width*height bytes and answers with a report.
func (b *bridge) classify(args []js.Value) any {
	m := b.models[args[0].String()]
	if m == nil {
		return "No model named " + args[0].String() + " is open; choose a model first."
	}
	if n := args[1].Length(); cap(b.rgba) < n {
		b.rgba = make([]byte, n)
	} else {
		b.rgba = b.rgba[:n]
	}
	js.CopyBytesToGo(b.rgba, args[1])

	start := time.Now()
	picture, err := pixels.FromRGBA(b.rgba, args[2].Int(), args[3].Int(), m.gray)
	if err != nil {
		return err.Error()
	}
	pixels.ToFloat(m.image, picture)
	prepared := time.Now()
	result := m.classifier.Classify(m.image, core.Options{Fast: args[4].Bool()})
	looked := time.Now()

	b.report = appendReport(b.report[:0], result, picture, m.image,
		prepared.Sub(start), looked.Sub(prepared))
	answer := js.Global().Get("Uint8Array").New(len(b.report))
	js.CopyBytesToJS(answer, b.report)
	return answer
}
