package nn

import "math"

const (
	// Epsilon is added to the variance before its root is taken, as published.
	Epsilon = 1e-5
	// Momentum is the share of the newest batch in the running statistics.
	Momentum = 0.1
)

// Batch norm sees a feature map as N*H*W rows of C channels: N below counts rows.

// BatchNormTrain normalises every channel by the mean and variance of this batch:
//
//	mean = sum(x)/N,  var = sum((x-mean)^2)/N,  invStd = 1/sqrt(var + Epsilon)
//	y = (x-mean)*invStd*weight + bias
//
// and moves the running statistics towards it, the variance unbiased:
//
//	runningMean = (1-Momentum)*runningMean + Momentum*mean
//	runningVar  = (1-Momentum)*runningVar  + Momentum*var*N/(N-1)
//
// x and y are [N][C] and may be the same; the rest is [C]. mean and invStd are written for
// BatchNormBackward. One row has no variance: N below 2 panics.
func BatchNormTrain(y, x, weight, bias, mean, invStd, runningMean, runningVar []float32, N, C int) {
	if N < 2 {
		panic("nn: BatchNormTrain: one row has no variance; train with a batch of 2 or more")
	}
	for c := range C {
		// Two passes in float64: E[x^2] - mean^2 loses digits where the mean is large.
		var sum, squares float64
		for n := range N {
			sum += float64(x[n*C+c])
		}
		mu := sum / float64(N)
		for n := range N {
			d := float64(x[n*C+c]) - mu
			squares += float64(d * d)
		}
		mean[c] = float32(mu)
		invStd[c] = float32(1 / math.Sqrt(squares/float64(N)+Epsilon))
		runningMean[c] = follow(runningMean[c], mu)
		runningVar[c] = follow(runningVar[c], squares/float64(N-1))
	}
	normalise(y, x, weight, bias, mean, invStd, N, C)
}

func follow(running float32, batch float64) float32 {
	return float32(float64((1-Momentum)*float64(running)) + float64(Momentum*batch))
}

func normalise(y, x, weight, bias, mean, invStd []float32, N, C int) {
	for n := range N {
		for c := range C { // [N][C]
			y[n*C+c] = float32((x[n*C+c]-mean[c])*invStd[c]*weight[c]) + bias[c]
		}
	}
}

// BatchNormBackward goes back through BatchNormTrain, whose mean and invStd it takes. It
// writes dx [N][C], which may be dy, and adds to dweight and dbias [C]. With the normalised
// xhat = (x-mean)*invStd,
//
//	dbias   += sum(dy)
//	dweight += sum(dy*xhat)
//	dx       = weight*invStd * (dy - sum(dy)/N - xhat*sum(dy*xhat)/N)
//
// because the mean and the variance depend on x too.
func BatchNormBackward(dx, dweight, dbias, dy, x, weight, mean, invStd []float32, N, C int) {
	for c := range C {
		var sum, dot float64
		for n := range N {
			xhat := (x[n*C+c] - mean[c]) * invStd[c]
			sum += float64(dy[n*C+c])
			dot += float64(float64(dy[n*C+c]) * float64(xhat))
		}
		dbias[c] += float32(sum)
		dweight[c] += float32(dot)
		meanDy, meanDot := float32(sum/float64(N)), float32(dot/float64(N))
		scale := weight[c] * invStd[c]
		for n := range N {
			xhat := (x[n*C+c] - mean[c]) * invStd[c]
			dx[n*C+c] = scale * (dy[n*C+c] - meanDy - float32(xhat*meanDot))
		}
	}
}

// BatchNormEval normalises by the running statistics:
//
//	y = (x-runningMean)/sqrt(runningVar + Epsilon)*weight + bias
//
// x and y are [N][C] and may be the same; the rest is [C].
func BatchNormEval(y, x, weight, bias, runningMean, runningVar []float32, N, C int) {
	for c := range C {
		invStd := inverse(runningVar[c])
		for n := range N {
			y[n*C+c] = float32((x[n*C+c]-runningMean[c])*invStd*weight[c]) + bias[c]
		}
	}
}

// BatchNormEvalBackward goes back through BatchNormEval, where the statistics are constants:
// it writes dx = dy*weight*invStd, which may be dy, and adds to dweight and dbias.
func BatchNormEvalBackward(dx, dweight, dbias, dy, x, weight, runningMean, runningVar []float32, N, C int) {
	for c := range C {
		invStd := inverse(runningVar[c])
		var sum, dot float64
		for n := range N {
			d := dy[n*C+c]
			sum += float64(d)
			dot += float64(float64(d) * float64((x[n*C+c]-runningMean[c])*invStd))
			dx[n*C+c] = d * (weight[c] * invStd)
		}
		dbias[c] += float32(sum)
		dweight[c] += float32(dot)
	}
}

func inverse(variance float32) float32 {
	return float32(1 / math.Sqrt(float64(variance)+Epsilon))
}
