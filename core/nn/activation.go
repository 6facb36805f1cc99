package nn

import "gdram/core/kernel"

// Exp is e^x, within 0.51 units in the last place, the same bits on every processor.
// It overflows to +Inf above 88.72, reaches 0 below -103.97 and keeps NaN.
func Exp(x float32) float32 { return float32(kernel.Exp(x)) }

// Sigmoid is 1/(1 + e^-x), within 0.51 units in the last place.
func Sigmoid(x float32) float32 { return kernel.Sigmoid(x) }

// Tanh is (e^2x - 1)/(e^2x + 1), within 0.51 units in the last place.
func Tanh(x float32) float32 { return kernel.Tanh(x) }

// ReLUForward writes y = max(x, 0), elementwise; y may be x. NaN stays NaN.
func ReLUForward(y, x []float32) {
	_ = y[:len(x)]
	for i, v := range x {
		if v < 0 {
			v = 0
		}
		y[i] = v
	}
}

// ReLUBackward writes dx = dy where y > 0 and 0 elsewhere, so the slope at 0 is 0.
// dx may be dy; y may be the input instead of the output.
func ReLUBackward(dx, dy, y []float32) {
	_, _ = dx[:len(y)], dy[:len(y)]
	for i, v := range y {
		d := dy[i]
		if v <= 0 {
			d = 0
		}
		dx[i] = d
	}
}
