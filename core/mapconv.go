package core

import "gdram/core/kernel"

// mapConv is the way back of a 3x3 convolution by tiles of 6x6, whose in are that one's outputs: 64 products of transformed
// tiles with transformed filters. A map of the second convolution is one tile, of the first four. Points lie pointStride apart.
//
// The way there keeps to winogradConv: with four times its error a pooling window takes another pixel now and then, and
// then the gradients are no longer the published implementation's. Here, behind the pooling, the error changes no choice.
type mapConv struct {
	in, out int
	filter  []float32 // [64][out/16, rounded up][in][16], past out 0
}

func newMapConv(in, out int) mapConv {
	return mapConv{in, out, floats(kernel.MapPoints * pointStride(in, pad(out)))}
}

// load turns and transforms the filters of one panel of outputs, from the published weights [in][out][3][3]. scratch holds their taps.
func (w *mapConv) load(panel int, weight, scratch []float32) {
	channels := w.in * kernel.Panel
	taps := scratch[:9*channels]
	outs := min(kernel.Panel, w.out-panel*kernel.Panel)
	if outs < kernel.Panel {
		clear(taps)
	}
	for i := range w.in {
		for o := range outs {
			g := (*[9]float32)(weight[(i*w.out+panel*kernel.Panel+o)*9:])
			for tap, v := range g {
				taps[(8-tap)*channels+i*kernel.Panel+o] = v
			}
		}
	}
	stride := pointStride(w.in, pad(w.out))
	t := kernel.Tiles{Src: taps, SrcRow: 3 * channels, SrcPixel: channels,
		Dst: w.filter[panel*channels:], DstRow: 8 * stride, DstPixel: stride, DstPanel: kernel.Panel, Channels: channels}
	t.MapFilter()
}

// mapScratch holds the points of some maps: [64][maps][channels].
func mapScratch(maps, channels int) []float32 {
	return floats(kernel.MapPoints * pointStride(maps, channels))
}

// mapInput transforms zero-padded maps x, xStride apart, into points, stride apart.
func mapInput(points []float32, stride int, x []float32, xStride, channels, maps int) {
	t := kernel.Tiles{SrcRow: pool1Padded * channels, SrcPixel: channels,
		DstRow: 8 * stride, DstPixel: stride, DstPanel: kernel.Panel, Channels: channels,
		Src: x, SrcNext: xStride, Dst: points, DstNext: channels, Count: maps}
	t.MapInput()
}

// product computes one of the points of some maps from the same of their inputs, of the layout of mapScratch both. Points are
// products of all pictures of a batch, because the filters are larger than what a processor's core has of caches.
func (w *mapConv) product(p int, products, points []float32, maps int) {
	g := kernel.Gemm{Rows: maps, Columns: w.out, K: w.in,
		A: points[p*pointStride(maps, w.in):], ARow: w.in, ACol: 1,
		B: w.filter[p*pointStride(w.in, w.out):], BPanel: w.in * kernel.Panel, BRow: kernel.Panel,
		C: products[p*pointStride(maps, w.out):], CRow: w.out}
	g.Run()
}

// mapOutput transforms products, the points stride apart, into maps y, yStride apart.
func mapOutput(y []float32, yStride int, products []float32, stride, channels, maps int) {
	t := kernel.Tiles{SrcRow: 8 * stride, SrcPixel: stride,
		DstRow: pool1Size * channels, DstPixel: channels, DstPanel: kernel.Panel, Channels: channels,
		Src: products, SrcNext: channels, Dst: y, DstNext: yStride, Count: maps}
	t.MapOutput()
}

// mapFilterGradient brings the gradient of a panel's transformed filters, [64][in][out], back to the published weights,
// [out][in][3][3]. scratch holds 9·16 numbers.
func mapFilterGradient(dWeight, dFilter []float32, panel, in, out int, scratch []float32) {
	stride := pointStride(in, out)
	t := kernel.Tiles{SrcRow: 8 * stride, SrcPixel: stride,
		Dst: scratch, DstRow: 3 * kernel.Panel, DstPixel: kernel.Panel, Channels: kernel.Panel}
	for i := range in {
		t.Src = dFilter[i*out+panel*kernel.Panel:]
		t.MapFilterGradient()
		for o := range kernel.Panel {
			dg := (*[9]float32)(dWeight[((panel*kernel.Panel+o)*in+i)*9:])
			for tap := range dg {
				dg[tap] = scratch[tap*kernel.Panel+o]
			}
		}
	}
}
