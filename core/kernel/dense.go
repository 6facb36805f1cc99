package kernel

// Dense is a fully connected layer in evaluation: Y = X·W + Bias, then ReLU if it says so; without a bias Y += X·W.
//
//	Y[i,j] = Bias[j] + Σ k<In  X[i,k] · W[k,j]     i<Rows, j<Out
//
//	X[i,k] at X[i*In + k]
//	W[k,j] at Weight[(j/16)*In*16 + k*16 + j%16]
//	Y[i,j] at Y[i*Out + j]
//
// Out is a multiple of 16. Halves, if there are any, are the weights once more, as Halve writes them: a single row is bound by how
// long they take to come. Out is then a multiple of HalvesOut.
type Dense struct {
	Rows, In, Out      int
	X, Weight, Bias, Y []float32
	Halves             []uint16
	ReLU               bool
}

// HalvesOut is how many outputs Dense takes at once from halves.
const HalvesOut = 8 * Panel

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
	if len(d.Halves) > 0 {
		if d.Out%HalvesOut != 0 {
			panic("kernel: Dense: with halves, outputs must be a multiple of 128")
		}
		_ = d.Halves[d.In*d.Out-1]
	}
	if fast {
		d.fast()
	} else {
		d.portable()
	}
}
