package kernel

// Dense is a fully connected layer in evaluation: Y = X·W + Bias, then ReLU if it says so; without a bias Y += X·W.
//
//	Y[i,j] = Bias[j] + Σ k<In  X[i,k] · W[k,j]     i<Rows, j<Out
//
//	X[i,k] at X[i*In + k]
//	W[k,j] at Weight[(j/16)*In*16 + k*16 + j%16]
//	Y[i,j] at Y[i*Out + j]
//
// Out is a multiple of 16.
type Dense struct {
	Rows, In, Out      int
	X, Weight, Bias, Y []float32
	ReLU               bool
}

// Run computes the layer.
func (d *Dense) Run() {
	if d.Rows == 0 {
		return
	}
	if d.Out%Panel != 0 || d.Out == 0 || d.In == 0 {
		panic("kernel: Dense: outputs must be a positive multiple of 16 and inputs positive")
	}
	_, _, _ = d.X[d.Rows*d.In-1], d.Weight[d.In*d.Out-1], d.Y[d.Rows*d.Out-1]
	if d.Bias != nil {
		_ = d.Bias[d.Out-1]
	}
	if fast {
		d.fast()
	} else {
		d.portable()
	}
}
