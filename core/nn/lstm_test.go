package nn

// cellWeights are the parameters of an LSTM cell as published, or their gradients.
type cellWeights struct {
	IH, HH         []float32 // [4*H][C] and [4*H][H]
	BiasIH, BiasHH []float32 // [4*H] each; both are added
}

// cellForward is the whole cell around LSTMForward, as the published numbers are about it:
//
//	gates = x·IH' + BiasIH + hPrev·HH' + BiasHH, then LSTMForward
//
// x is [N][C], hPrev, cPrev, h and c are [N][H], gates [N][4*H] is left for the way back.
// h may not be hPrev.
func cellForward(h, c, gates, x, hPrev, cPrev []float32, w cellWeights, N, C, H int) {
	for n := range N {
		for k := range 4 * H {
			sum := w.BiasIH[k] + w.BiasHH[k]
			for j := range C {
				sum += float32(x[n*C+j] * w.IH[k*C+j])
			}
			for j := range H {
				sum += float32(hPrev[n*H+j] * w.HH[k*H+j])
			}
			gates[n*4*H+k] = sum
		}
	}
	LSTMForward(gates, c, h, cPrev, N, H)
}

// cellBackward goes back through cellForward; gates, c as it left them, dh and dc as
// in LSTMBackward. It writes dx, dhPrev, dcPrev and the scratch dgates [N][4*H], and adds to dw.
func cellBackward(dx, dhPrev, dcPrev, dgates []float32, dw cellWeights, gates, c, x, hPrev, cPrev, dh, dc []float32, w cellWeights, N, C, H int) {
	LSTMBackward(dgates, dcPrev, gates, c, cPrev, dh, dc, N, H)
	LinearBackward(dx, dw.IH, dw.BiasIH, dgates, x, w.IH, N, C, 4*H)
	LinearBackward(dhPrev, dw.HH, dw.BiasHH, dgates, hPrev, w.HH, N, H, 4*H)
}
