package onnx

import (
	"math"
	"slices"
	"testing"

	"github.com/stretchr/testify/require"
)

// run carries a model out as the operators' specification says, slowly. What it does not know, or
// finds set differently from what it does, fails the test.
func (d decoded) run(t *testing.T, inputs map[string]tensor) map[string]tensor {
	values := map[string]tensor{}
	for _, from := range []map[string]tensor{d.constants, inputs} {
		for name, x := range from {
			values[name] = x
		}
	}
	for _, n := range d.nodes {
		var in []tensor
		for _, name := range n.inputs {
			require.Contains(t, values, name, "what %s reads", n.name)
			in = append(in, values[name])
		}
		operator, ok := operators[n.op]
		require.True(t, ok, "operator %s of %s", n.op, n.name)
		out := operator(t, n, in)
		require.Len(t, out, len(n.outputs), n.name)
		for i, name := range n.outputs {
			require.NotContains(t, values, name, "a name is given once")
			values[name] = out[i]
		}
	}
	return values
}

type operator func(t *testing.T, n decodedNode, in []tensor) []tensor

var operators = map[string]operator{
	"Relu":    pointwise(func(x float64) float64 { return max(0, x) }),
	"Tanh":    pointwise(math.Tanh),
	"Exp":     pointwise(math.Exp),
	"Sigmoid": pointwise(func(x float64) float64 { return 1 / (1 + math.Exp(-x)) }),

	"Add": pairwise(func(a, b float32) float32 { return a + b }),
	"Mul": pairwise(func(a, b float32) float32 { return a * b }),
	"Div": pairwise(func(a, b float32) float32 { return a / b }),
	"Sum": pairwise(func(a, b float32) float32 { return a + b }),

	"Clip": func(t *testing.T, n decodedNode, in []tensor) []tensor {
		least, most := float64(in[1].floats[0]), float64(in[2].floats[0])
		return pointwise(func(x float64) float64 { return min(max(x, least), most) })(t, n, in[:1])
	},
	"Reshape": func(t *testing.T, n decodedNode, in []tensor) []tensor {
		var shape []int
		for i, d := range in[1].whole {
			if d == 0 {
				d = int64(in[0].shape[i])
			}
			shape = append(shape, int(d))
		}
		require.Equal(t, len(in[0].floats), count(shape), n.name)
		return []tensor{{shape: shape, floats: in[0].floats}}
	},
	"Flatten": func(t *testing.T, n decodedNode, in []tensor) []tensor {
		require.Equal(t, []int{1}, n.ints["axis"], n.name)
		return []tensor{{shape: []int{in[0].shape[0], count(in[0].shape[1:])}, floats: in[0].floats}}
	},
	"Pad": func(t *testing.T, n decodedNode, in []tensor) []tensor {
		require.Equal(t, []int64{0, 1, 0, 0}, in[1].whole, "%s: one column before", n.name)
		rows, columns := in[0].shape[0], in[0].shape[1]
		out := tensor{shape: []int{rows, columns + 1}}
		for r := range rows {
			out.floats = append(out.floats, in[2].floats[0])
			out.floats = append(out.floats, in[0].floats[r*columns:(r+1)*columns]...)
		}
		return []tensor{out}
	},
	"ReduceSum": func(t *testing.T, n decodedNode, in []tensor) []tensor {
		require.Equal(t, []int64{1}, in[1].whole, n.name)
		rows, columns := in[0].shape[0], in[0].shape[1]
		out := tensor{shape: []int{rows, 1}, floats: make([]float32, rows)}
		for i, v := range in[0].floats {
			out.floats[i/columns] += v
		}
		return []tensor{out}
	},
	"Concat": func(t *testing.T, n decodedNode, in []tensor) []tensor {
		require.Equal(t, []int{1}, n.ints["axis"], n.name)
		out := tensor{shape: []int{in[0].shape[0], 0}}
		for r := range in[0].shape[0] {
			for _, x := range in {
				require.Equal(t, 2, len(x.shape), n.name)
				out.floats = append(out.floats, x.floats[r*x.shape[1]:(r+1)*x.shape[1]]...)
			}
		}
		out.shape[1] = len(out.floats) / out.shape[0]
		return []tensor{out}
	},
	"Split": func(t *testing.T, n decodedNode, in []tensor) []tensor {
		require.Equal(t, []int{1}, n.ints["axis"], n.name)
		parts := make([]tensor, len(n.outputs))
		width := in[0].shape[1] / len(parts)
		for i := range parts {
			parts[i].shape = []int{in[0].shape[0], width}
			for r := range in[0].shape[0] {
				parts[i].floats = append(parts[i].floats, in[0].floats[r*in[0].shape[1]+i*width:][:width]...)
			}
		}
		return parts
	},
	"Gather":     gather,
	"Gemm":       gemm,
	"Conv":       conv3x3,
	"MaxPool":    maxPool2x2,
	"GridSample": gridSample,
}

func pointwise(f func(float64) float64) operator {
	return func(t *testing.T, n decodedNode, in []tensor) []tensor {
		require.Len(t, in, 1, n.name)
		out := tensor{shape: in[0].shape, floats: make([]float32, len(in[0].floats))}
		for i, v := range in[0].floats {
			out.floats[i] = float32(f(float64(v)))
		}
		return []tensor{out}
	}
}

// pairwise repeats what has one element along a dimension, or lacks it in front.
func pairwise(f func(a, b float32) float32) operator {
	return func(t *testing.T, n decodedNode, in []tensor) []tensor {
		sum := in[0]
		for _, x := range in[1:] {
			rank := max(len(sum.shape), len(x.shape))
			a, b := stretched(sum, rank), stretched(x, rank)
			shape := make([]int, rank)
			for i := range shape {
				shape[i] = max(a.shape[i], b.shape[i])
				require.True(t, (a.shape[i] == shape[i] || a.shape[i] == 1) && (b.shape[i] == shape[i] || b.shape[i] == 1),
					"%s: %v and %v", n.name, sum.shape, x.shape)
			}
			out := tensor{shape: shape, floats: make([]float32, count(shape))}
			for i := range out.floats {
				out.floats[i] = f(a.at(i, shape), b.at(i, shape))
			}
			sum = out
		}
		return []tensor{sum}
	}
}

func stretched(x tensor, rank int) tensor {
	x.shape = append(slices.Repeat([]int{1}, rank-len(x.shape)), x.shape...)
	return x
}

// at is the element of x for flat index i of a tensor of the given shape.
func (x tensor) at(i int, shape []int) float32 {
	index, stride := 0, 1
	for d := len(shape) - 1; d >= 0; d-- {
		if x.shape[d] > 1 {
			index += i % shape[d] * stride
		}
		stride *= x.shape[d]
		i /= shape[d]
	}
	return x.floats[index]
}

func gather(t *testing.T, n decodedNode, in []tensor) []tensor {
	axis := n.ints["axis"][0]
	shape := slices.Clone(in[0].shape)
	from, inner := shape[axis], count(shape[axis+1:])
	shape[axis] = len(in[1].whole)
	out := tensor{shape: shape}
	for outer := range count(shape[:axis]) {
		for _, i := range in[1].whole {
			out.floats = append(out.floats, in[0].floats[(outer*from+int(i))*inner:][:inner]...)
		}
	}
	return []tensor{out}
}

// gemm is a·bᵀ + c, c being one number, one row or one for each row of a. b may be as it is.
func gemm(t *testing.T, n decodedNode, in []tensor) []tensor {
	a, b := in[0], in[1]
	rows, depth, columns := a.shape[0], a.shape[1], b.shape[1]
	element := func(k, c int) float32 { return b.floats[k*columns+c] }
	bDepth := b.shape[0]
	if slices.Equal(n.ints["transB"], []int{1}) {
		columns, bDepth = b.shape[0], b.shape[1]
		element = func(k, c int) float32 { return b.floats[c*depth+k] }
	}
	require.Equal(t, depth, bDepth, n.name)
	shape := []int{rows, columns}
	bias := stretched(in[2], 2)
	out := tensor{shape: shape, floats: make([]float32, rows*columns)}
	for r := range rows {
		for c := range columns {
			sum := float64(bias.at(r*columns+c, shape))
			for k := range depth {
				sum += float64(a.floats[r*depth+k]) * float64(element(k, c))
			}
			out.floats[r*columns+c] = float32(sum)
		}
	}
	return []tensor{out}
}

func conv3x3(t *testing.T, n decodedNode, in []tensor) []tensor {
	require.Equal(t, map[string][]int{"kernel_shape": {3, 3}, "pads": {1, 1, 1, 1}}, n.ints, n.name)
	x, weight, bias := in[0], in[1], in[2]
	maps, channels, height, width := x.shape[0], x.shape[1], x.shape[2], x.shape[3]
	outputs := weight.shape[0]
	require.Equal(t, []int{outputs, channels, 3, 3}, weight.shape, n.name)
	y := tensor{shape: []int{maps, outputs, height, width}}
	for m := range maps {
		for o := range outputs {
			plane := slices.Repeat([]float32{bias.floats[o]}, height*width)
			for c := range channels {
				from := x.floats[(m*channels+c)*height*width:][:height*width]
				for tap, w := range weight.floats[(o*channels+c)*9:][:9] {
					dy, dx := tap/3-1, tap%3-1
					for row := max(0, -dy); row < min(height, height-dy); row++ {
						for column := max(0, -dx); column < min(width, width-dx); column++ {
							plane[row*width+column] += w * from[(row+dy)*width+column+dx]
						}
					}
				}
			}
			y.floats = append(y.floats, plane...)
		}
	}
	return []tensor{y}
}

func maxPool2x2(t *testing.T, n decodedNode, in []tensor) []tensor {
	require.Equal(t, map[string][]int{"kernel_shape": {2, 2}, "strides": {2, 2}}, n.ints, n.name)
	x := in[0]
	height, width := x.shape[2], x.shape[3]
	y := tensor{shape: []int{x.shape[0], x.shape[1], height / 2, width / 2}}
	for plane := range x.shape[0] * x.shape[1] {
		for row := range height / 2 {
			for column := range width / 2 {
				v := x.floats[plane*height*width+2*row*width+2*column:]
				y.floats = append(y.floats, max(v[0], v[1], v[width], v[width+1]))
			}
		}
	}
	return []tensor{y}
}

func gridSample(t *testing.T, n decodedNode, in []tensor) []tensor {
	require.Equal(t, map[string]string{"mode": "bilinear", "padding_mode": "zeros"}, n.texts, n.name)
	require.Equal(t, map[string][]int{"align_corners": {0}}, n.ints, n.name)
	x, grid := in[0], in[1]
	channels, height, width := x.shape[1], x.shape[2], x.shape[3]
	require.Equal(t, x.shape[0], grid.shape[0], n.name)
	points := grid.shape[1] * grid.shape[2]
	y := tensor{shape: []int{x.shape[0], channels, grid.shape[1], grid.shape[2]}}
	for m := range x.shape[0] {
		for c := range channels {
			plane := x.floats[(m*channels+c)*height*width:][:height*width]
			at := func(row, column int) float64 {
				if row < 0 || row >= height || column < 0 || column >= width {
					return 0
				}
				return float64(plane[row*width+column])
			}
			for p := range points {
				g := grid.floats[(m*points+p)*2:]
				px := ((float64(g[0])+1)*float64(width) - 1) / 2
				py := ((float64(g[1])+1)*float64(height) - 1) / 2
				left, top := math.Floor(px), math.Floor(py)
				column, row, fx, fy := int(left), int(top), px-left, py-top
				v := (1-fy)*((1-fx)*at(row, column)+fx*at(row, column+1)) + fy*((1-fx)*at(row+1, column)+fx*at(row+1, column+1))
				y.floats = append(y.floats, float32(v))
			}
		}
	}
	return []tensor{y}
}
