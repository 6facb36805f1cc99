package nn

// MaxPoolForward keeps the largest of every 2x2 window, stride 2:
//
//	y[n][i][j][c] = max of x[n][2i..2i+1][2j..2j+1][c]
//
// x is [N][H][W][C], y [N][H/2][W/2][C]; the last row or column of an odd map is dropped.
func MaxPoolForward(y, x []float32, N, H, W, C int) {
	for n := range N {
		for i := range H / 2 {
			for j := range W / 2 {
				for c := range C {
					y[((n*(H/2)+i)*(W/2)+j)*C+c] = x[largest(x, n, i, j, c, H, W, C)]
				}
			}
		}
	}
}

// MaxPoolBackward goes back through MaxPoolForward: it writes dx [N][H][W][C], all 0 but
// where a window had its maximum. Among equals the first in row-major order takes it.
func MaxPoolBackward(dx, dy, x []float32, N, H, W, C int) {
	clear(dx[:N*H*W*C])
	for n := range N {
		for i := range H / 2 {
			for j := range W / 2 {
				for c := range C {
					dx[largest(x, n, i, j, c, H, W, C)] = dy[((n*(H/2)+i)*(W/2)+j)*C+c]
				}
			}
		}
	}
}

// largest returns the index in x of the first maximum of window (i, j).
func largest(x []float32, n, i, j, c, H, W, C int) int {
	first := ((n*H+2*i)*W+2*j)*C + c
	best := first
	for _, at := range [...]int{first + C, first + W*C, first + W*C + C} {
		if x[at] > x[best] {
			best = at
		}
	}
	return best
}
