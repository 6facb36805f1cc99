//go:build js && wasm

package main

import (
	"encoding/binary"
	"math"

	"gdram/core"
	"gdram/core/glimpse"
)

// retina samples again, for showing, the patches that the network saw.
var retina = glimpse.NewSensor(core.ImageSize, core.Colours, core.GlimpseSize, core.Scales)

// appendReport lays out an answer for web/src/engine/report.js, little endian.
//
// First float32 numbers, for C classes and n looks:
//
//	C, n, label
//	logits [C], probabilities [C]
//	n times: x, y, weight, sigma x, sigma y, mean x, mean y, probabilities [C]
//
// then bytes, 8 bits a colour:
//
//	the picture as the network got it [ImageSize][ImageSize][Colours]
//	n times: the patches it saw [GlimpseSize][GlimpseSize][Scales][Colours]
func (m *model) appendReport(to []byte) []byte {
	r := m.result
	number := func(values ...float32) {
		for _, v := range values {
			to = binary.LittleEndian.AppendUint32(to, math.Float32bits(v))
		}
	}
	number(float32(len(r.Logits)), float32(len(r.Glimpses)), float32(r.Label))
	number(r.Logits...)
	number(r.Probabilities...)
	for i := range r.Glimpses {
		g := &r.Glimpses[i]
		number(g.X, g.Y, g.Weight, g.SigmaX, g.SigmaY, g.MeanX, g.MeanY)
		number(g.Probabilities...)
	}

	to = append(to, m.picture...)
	const channels = core.Scales * core.Colours
	var seen [core.GlimpseSize * core.GlimpseSize * channels]float32
	for i := range r.Glimpses {
		retina.Sample(seen[:], core.GlimpseSize*channels, channels, m.image, r.Glimpses[i].X, r.Glimpses[i].Y)
		for _, v := range seen {
			to = append(to, uint8(v*255+0.5))
		}
	}
	return to
}
