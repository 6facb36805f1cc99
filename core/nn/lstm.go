package nn

import "gdram/core/kernel"

// LSTMForward is the pointwise half of an LSTM cell. On entry gates [N][4*H] holds the
// pre-activations x·Wih' + h·Whh' + both biases, in the published order input, forget, cell,
// output; on exit their activations, which LSTMBackward needs.
//
//	i, f, o = sigmoid(...), g = tanh(...)
//	c = f*cPrev + i*g
//	h = o*tanh(c)
//
// c, h and cPrev are [N][H], H hidden units; c may be cPrev.
func LSTMForward(gates, c, h, cPrev []float32, N, H int) {
	cells := kernel.LSTM{Gates: gates, C: c, H: h, CPrev: cPrev, Cells: N, Units: H}
	cells.Run()
}

// LSTMBackward goes back through LSTMForward. gates holds the activations it left, dh [N][H]
// the whole gradient of h, dc [N][H] the gradient that reaches c from the next step.
// It writes dgates [N][4*H], the gradient of the pre-activations, and dcPrev [N][H].
// dcPrev may be dc, dgates may be gates.
//
//	dc' = dc + dh*o*(1 - tanh(c)^2)
//	di = dc'*g, df = dc'*cPrev, dg = dc'*i, do = dh*tanh(c), each times the slope of its gate
//	dcPrev = dc'*f
func LSTMBackward(dgates, dcPrev, gates, c, cPrev, dh, dc []float32, N, H int) {
	for n := range N {
		row := gates[n*4*H : (n+1)*4*H] // [4][H]
		in, forget, cell, out := row[:H], row[H:][:H], row[2*H:][:H], row[3*H:][:H]
		dRow := dgates[n*4*H : (n+1)*4*H]
		dIn, dForget, dCell, dOut := dRow[:H], dRow[H:][:H], dRow[2*H:][:H], dRow[3*H:][:H]
		cRow, cPrevRow, dcPrevRow := c[n*H:][:H], cPrev[n*H:][:H], dcPrev[n*H:][:H]
		dhRow, dcRow := dh[n*H:][:H], dc[n*H:][:H]
		for u := range H {
			i, f, g, o := in[u], forget[u], cell[u], out[u]
			tanhC := Tanh(cRow[u])
			d := dcRow[u] + float32(float32(dhRow[u]*o)*(1-float32(tanhC*tanhC)))
			dIn[u] = d * g * (i * (1 - i))
			dForget[u] = d * cPrevRow[u] * (f * (1 - f))
			dCell[u] = d * i * (1 - float32(g*g))
			dOut[u] = dhRow[u] * tanhC * (o * (1 - o))
			dcPrevRow[u] = d * f
		}
	}
}
