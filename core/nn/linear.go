package nn

// LinearForward writes y = x·weight' + bias.
//
//	y[n][k] = bias[k] + sum over c of x[n][c] * weight[k][c]
//
// y is [N][K], x [N][C], weight [K][C], bias [K].
func LinearForward(y, x, weight, bias []float32, N, C, K int) {
	for n := range N {
		for k := range K {
			sum := bias[k]
			for c := range C {
				sum += float32(x[n*C+c] * weight[k*C+c])
			}
			y[n*K+k] = sum
		}
	}
}

// LinearBackward goes back through LinearForward: it writes dx [N][C] (nil when nobody needs
// it) and adds to dweight [K][C] and dbias [K].
//
//	dx[n][c]       = sum over k of dy[n][k] * weight[k][c]
//	dweight[k][c] += sum over n of dy[n][k] * x[n][c]
//	dbias[k]      += sum over n of dy[n][k]
func LinearBackward(dx, dweight, dbias, dy, x, weight []float32, N, C, K int) {
	if dx != nil {
		clear(dx[:N*C])
		for n := range N {
			for k := range K {
				d := dy[n*K+k]
				for c := range C {
					dx[n*C+c] += float32(d * weight[k*C+c])
				}
			}
		}
	}
	for n := range N {
		for k := range K {
			d := dy[n*K+k]
			dbias[k] += d
			for c := range C {
				dweight[k*C+c] += float32(d * x[n*C+c])
			}
		}
	}
}
