package nn

// Conv3x3Forward is a 3x3 convolution, stride 1, zero padding 1:
//
//	y[n][i][j][k] = bias[k] + sum over u, v, c of x[n][i+u-1][j+v-1][c] * weight[k][c][u][v]
//
// x is [N][H][W][C], y [N][H][W][K], weight [K][C][3][3], bias [K].
func Conv3x3Forward(y, x, weight, bias []float32, N, H, W, C, K int) {
	for n := range N {
		for i := range H {
			for j := range W {
				for k := range K {
					sum := bias[k]
					for u := range 3 {
						for v := range 3 {
							row, column := i+u-1, j+v-1
							if row < 0 || row >= H || column < 0 || column >= W {
								continue
							}
							pixel := x[((n*H+row)*W+column)*C:][:C]
							for c := range C {
								sum += float32(pixel[c] * weight[((k*C+c)*3+u)*3+v])
							}
						}
					}
					y[((n*H+i)*W+j)*K+k] = sum
				}
			}
		}
	}
}

// Conv3x3Backward goes back through Conv3x3Forward: it writes dx [N][H][W][C] (nil when
// nobody needs it) and adds to dweight [K][C][3][3] and dbias [K]. Every product of the
// forward sum hands dy times the one factor to the gradient of the other.
func Conv3x3Backward(dx, dweight, dbias, dy, x, weight []float32, N, H, W, C, K int) {
	if dx != nil {
		clear(dx[:N*H*W*C])
	}
	for n := range N {
		for i := range H {
			for j := range W {
				for k := range K {
					d := dy[((n*H+i)*W+j)*K+k]
					dbias[k] += d
					for u := range 3 {
						for v := range 3 {
							row, column := i+u-1, j+v-1
							if row < 0 || row >= H || column < 0 || column >= W {
								continue
							}
							at := ((n*H+row)*W + column) * C
							for c := range C {
								w := ((k*C+c)*3+u)*3 + v
								dweight[w] += float32(d * x[at+c])
								if dx != nil {
									dx[at+c] += float32(d * weight[w])
								}
							}
						}
					}
				}
			}
		}
	}
}
