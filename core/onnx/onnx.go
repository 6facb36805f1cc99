// Package onnx writes the network as an ONNX model, so that other engines can run it. It is a full look
// in evaluation: eight glimpses one after the other, no early stop.
//
//	image [N][3][128][128] ──► logits    [N][classes]  weighted mean of the step logits
//	red, green, blue, 0..1     locations [N][8][2]     places (x, y) in -1..1
//	                           weights   [N][8]        of the glimpses, 0..1
//
// It needs operator set 16, the first with GridSample. N is free. Nodes are named by what they do, such as
// step3/lstm1/gates, and weights by the published tensor, if they are just that.
//
// The graph computes what package core does in the same order of steps, with three changes that leave the
// result alone to rounding: batch norms are folded into the layers before them, the two biases of an LSTM
// are added up, and what nobody reads is left out, such as the policy after the last glimpse.
package onnx

import (
	"fmt"
	"maps"
	"math"
	"slices"

	"gdram/core"
	"gdram/core/glimpse"
	"gdram/core/nn"
	"gdram/core/policy"
)

const (
	irVersion = 8 // the one that came with operator set 16
	opset     = 16
)

// Encode returns the model as a file; the same bytes for the same weights. The metadata go along as
// they are.
func Encode(p *core.Params, metadata map[string]string) []byte {
	e := exporter{graph: graph{shared: map[string]bool{}}, p: p, shapes: map[string][]int{}}
	for _, s := range p.Specs {
		e.shapes[s.Name] = s.Shape
	}
	e.network()
	g := e.body
	g.text(graphName, "gdram")
	g.text(graphDoc, "Gaussian RAM (Shim & Kim, 2020): eight glimpses of a picture and what is in it. "+
		"image: RGB in 0..1. locations: (x, y), -1 is left or top. weights: what each glimpse counts in logits.")
	g.bytes(graphInput, encodeValue("image", core.Colours, core.ImageSize, core.ImageSize))
	g.bytes(graphOutput, encodeValue("logits", p.Classes))
	g.bytes(graphOutput, encodeValue("locations", core.Steps, 2))
	g.bytes(graphOutput, encodeValue("weights", core.Steps))

	var model, set message
	model.int(modelIRVersion, irVersion)
	model.text(modelProducer, "gdram")
	model.bytes(modelGraph, g)
	set.int(opsetVersion, opset)
	model.bytes(modelOpsetImport, set)
	for _, key := range slices.Sorted(maps.Keys(metadata)) {
		var entry message
		entry.text(entryKey, key)
		entry.text(entryValue, metadata[key])
		model.bytes(modelMetadata, entry)
	}
	return model
}

// exporter writes the network of p into a graph.
type exporter struct {
	graph
	p      *core.Params
	shapes map[string][]int
}

// state is h and c of an LSTM, [N][128]. An empty name is a state of zeros.
type state struct{ h, c string }

func (e *exporter) network() {
	var lstm1, lstm2 state
	var places, weights, votes []string

	e.scope = "start/"
	lstm2.h = e.context()
	place := e.within("place", e.mu(e.emission(lstm2.h)))
	for i := range core.Steps {
		if i > 0 { // still in the scope of the look before
			lstm2 = e.lstm("lstm2/", "rnn2.lstm_cell", lstm1.h, lstm2)
			emission := e.emission(lstm2.h)
			place = e.next(place, e.mu(emission))
			weights = append(weights, e.weight(e.std(emission)))
		}
		places = append(places, place)

		e.scope = fmt.Sprintf("step%d/", i)
		feature := e.feature(e.glimpse(place), place)
		lstm1 = e.lstm("lstm1/", "rnn1.lstm_cell", feature, lstm1)
		hidden := e.node("Relu", "class/relu", []string{e.linear("class/fc1", lstm1.h, "class_net.fc.0")})
		vote := e.linear("class/fc2", hidden, "class_net.fc.2")
		if i > 0 {
			vote = e.node("Mul", "vote", []string{vote, weights[i-1]})
		}
		votes = append(votes, vote)
	}

	e.scope = "answer/"
	later := e.node("Concat", "later_weights", weights, attribute{"axis", 1})
	flat := e.node("Concat", "places", places, attribute{"axis", 1})
	sum := e.node("Sum", "votes", votes)
	e.scope = ""
	// The first glimpse weighs 1.
	all := e.node("Pad", "weights", []string{later, e.integers("answer/first_place", 0, 1, 0, 0), e.scalar("one", 1)})
	e.node("Reshape", "locations", []string{flat, e.integers("answer/shape", 0, core.Steps, 2)})
	total := e.node("ReduceSum", "answer/total", []string{all, e.integers("columns", 1)})
	e.node("Div", "logits", []string{sum, total})
}

// context looks at the picture as a whole and returns the first h of the second LSTM.
func (e *exporter) context() string {
	picked := make([]int64, core.GlimpseSize)
	for i := range picked {
		picked[i] = int64(i * core.ImageSize / core.GlimpseSize)
	}
	indices := e.integers("context/picked", picked...)
	rows := e.node("Gather", "context/rows", []string{"image", indices}, attribute{"axis", 2})
	x := e.node("Gather", "context/thumbnail", []string{rows, indices}, attribute{"axis", 3})
	for i, layer := range []string{"rnn2.context_net1.0", "rnn2.context_net2.0"} {
		x = e.convolution(fmt.Sprintf("context/%d/", i+1), x, e.tensor(layer+".weight"), e.tensor(layer+".bias"))
	}
	return e.linear("context/fc", e.flatten("context/flat", x), "rnn2.fc")
}

// emission is the hidden layer of the policy, which sees h.
func (e *exporter) emission(h string) string {
	weight, bias := e.folded("emission_net.fc.0", "emission_net.fc.1")
	fc := e.node("Gemm", "emission/fc", []string{h,
		e.constant("emission_net.fc.0.folded.weight", e.shapes["emission_net.fc.0.weight"], weight),
		e.constant("emission_net.fc.0.folded.bias", []int{len(bias)}, bias)}, attribute{"transB", 1})
	return e.node("Relu", "emission/relu", []string{fc})
}

// mu is where the policy wants to look next, [N][2].
func (e *exporter) mu(emission string) string {
	return e.node("Tanh", "emission/mu", []string{e.linear("emission/mu_fc", emission, "emission_net.mu_net.0")})
}

// std is how widely it would look around there, [N][2].
func (e *exporter) std(emission string) string {
	v := e.node("Tanh", "emission/logvar", []string{e.linear("emission/logvar_fc", emission, "emission_net.logvar_net.0")})
	return e.node("Exp", "emission/std", []string{e.node("Mul", "emission/half", []string{v, e.scalar("half", 0.5)})})
}

// next moves place by the policy's mu.
func (e *exporter) next(place, mu string) string {
	move := e.node("Mul", "move", []string{mu, e.scalar("policy/move_scale", policy.MoveScale)})
	return e.within("next", e.node("Add", "target", []string{place, move}))
}

func (e *exporter) within(name, place string) string {
	return e.node("Clip", name, []string{place,
		e.scalar("policy/lowest", -policy.Limit), e.scalar("policy/highest", policy.Limit)})
}

// weight is what the next look counts, [N][1]. In std it is linear:
//
//	1 - (mean(std) - min)/(max - min)
func (e *exporter) weight(std string) string {
	const slope = -1 / (policy.SigmaMax - policy.SigmaMin)
	return e.node("Gemm", "weight", []string{std,
		e.constant("policy/weight_slope", []int{2, 1}, []float32{slope / 2, slope / 2}),
		e.scalar("policy/weight_offset", 1-slope*policy.SigmaMin)})
}

// glimpse samples the four patches around place, [N][12][12][12]. One GridSample takes them all, one
// below the other; so channels come out as colour*4 + scale where the published ones are scale*3 + colour.
func (e *exporter) glimpse(place string) string {
	const size, scales = core.GlimpseSize, core.Scales
	sensor := glimpse.NewSensor(core.ImageSize, core.Colours, size, scales)
	grid := make([]float32, 0, scales*size*size*2)
	for k := range scales {
		for i := range size {
			for j := range size {
				x, y := sensor.Grid(k, i, j, 0, 0)
				grid = append(grid, x, y)
			}
		}
	}
	centre := e.node("Reshape", "glimpse/centre", []string{place, e.integers("sensor/centre_shape", 0, 1, 1, 2)})
	points := e.node("Add", "glimpse/points", []string{centre, e.constant("sensor/grid", []int{1, scales * size, size, 2}, grid)})
	column := e.node("GridSample", "glimpse/column", []string{"image", points},
		attribute{"mode", "bilinear"}, attribute{"padding_mode", "zeros"}, attribute{"align_corners", 0})
	return e.node("Reshape", "glimpse/patches", []string{column, e.integers("sensor/shape", 0, scales*core.Colours, size, size)})
}

// feature is what is seen, times where, [N][128].
func (e *exporter) feature(patches, place string) string {
	weight, bias := e.folded("glimpse_net.fc_g.0", "glimpse_net.fc_g.1")
	shape := e.shapes["glimpse_net.fc_g.0.weight"]
	x := e.convolution("what/1/", patches,
		e.constant("glimpse_net.fc_g.0.folded.weight", shape, byColour(weight)),
		e.constant("glimpse_net.fc_g.0.folded.bias", shape[:1], bias))
	weight, bias = e.folded("glimpse_net.fc_g.4", "glimpse_net.fc_g.5")
	shape = e.shapes["glimpse_net.fc_g.4.weight"]
	x = e.convolution("what/2/", x,
		e.constant("glimpse_net.fc_g.4.folded.weight", shape, weight),
		e.constant("glimpse_net.fc_g.4.folded.bias", shape[:1], bias))
	what := e.linear("what/fc", e.flatten("what/flat", x), "glimpse_net.fc_gg")
	placed := e.node("Relu", "where/relu", []string{e.linear("where/fc1", place, "glimpse_net.fc_l.0")})
	where := e.linear("where/fc2", placed, "glimpse_net.fc_lg")
	return e.node("Relu", "feature", []string{e.node("Mul", "what_where", []string{what, where})})
}

// byColour reorders the input channels of a 3x3 convolution from scale*3 + colour to colour*4 + scale.
func byColour(weight []float32) []float32 {
	const channels = core.Scales * core.Colours
	to := make([]float32, 0, len(weight))
	for from := weight; len(from) > 0; from = from[channels*9:] {
		for colour := range core.Colours {
			for scale := range core.Scales {
				to = append(to, from[(scale*core.Colours+colour)*9:][:9]...)
			}
		}
	}
	return to
}

// lstm is one step of an LSTM cell.
func (e *exporter) lstm(name, layer, x string, s state) state {
	ih, hh := e.p.Tensor(layer+".bias_ih"), e.p.Tensor(layer+".bias_hh")
	bias := make([]float32, len(ih))
	for i := range bias {
		bias[i] = ih[i] + hh[i]
	}
	gates := e.node("Gemm", name+"input", []string{x, e.tensor(layer + ".weight_ih"),
		e.constant(layer+".bias", []int{len(bias)}, bias)}, attribute{"transB", 1})
	if s.h != "" {
		gates = e.node("Gemm", name+"gates", []string{s.h, e.tensor(layer + ".weight_hh"), gates}, attribute{"transB", 1})
	}
	parts := e.nodes("Split", name+"split", []string{gates}, []string{"i", "f", "g", "o"}, attribute{"axis", 1})
	in := e.node("Sigmoid", name+"i", parts[:1])
	cell := e.node("Tanh", name+"g", parts[2:3])
	out := e.node("Sigmoid", name+"o", parts[3:])
	c := e.node("Mul", name+"write", []string{in, cell})
	if s.c != "" {
		keep := e.node("Mul", name+"keep", []string{e.node("Sigmoid", name+"f", parts[1:2]), s.c})
		c = e.node("Add", name+"c", []string{keep, c})
	}
	return state{h: e.node("Mul", name+"h", []string{out, e.node("Tanh", name+"tanh_c", []string{c})}), c: c}
}

// convolution is a 3x3 convolution that keeps the size, ReLU, and a 2x2 maximum.
func (e *exporter) convolution(name, x, weight, bias string) string {
	x = e.node("Conv", name+"conv", []string{x, weight, bias}, attribute{"kernel_shape", []int{3, 3}}, attribute{"pads", []int{1, 1, 1, 1}})
	x = e.node("Relu", name+"relu", []string{x})
	return e.node("MaxPool", name+"pool", []string{x}, attribute{"kernel_shape", []int{2, 2}}, attribute{"strides", []int{2, 2}})
}

// linear is a fully connected layer as published: y = x·Wᵀ + b.
func (e *exporter) linear(name, x, layer string) string {
	return e.node("Gemm", name, []string{x, e.tensor(layer + ".weight"), e.tensor(layer + ".bias")}, attribute{"transB", 1})
}

func (e *exporter) flatten(name, x string) string {
	return e.node("Flatten", name, []string{x}, attribute{"axis", 1})
}

// folded returns the weight and bias of a layer that does what it and the batch norm after it do:
//
//	gamma·(W·x + b - mean)/sqrt(var + eps) + beta
func (e *exporter) folded(layer, norm string) (weight, bias []float32) {
	from := e.p.Layer(layer)
	gamma, beta := e.p.Tensor(norm+".weight"), e.p.Tensor(norm+".bias")
	mean, variance := e.p.Tensor(norm+".running_mean"), e.p.Tensor(norm+".running_var")
	weight, bias = make([]float32, len(from.Weight)), make([]float32, len(gamma))
	fan := len(weight) / len(bias)
	for o := range bias {
		scale := float64(gamma[o]) / math.Sqrt(float64(variance[o])+nn.Epsilon)
		for i := o * fan; i < (o+1)*fan; i++ {
			weight[i] = float32(scale * float64(from.Weight[i]))
		}
		bias[o] = float32(float64(beta[o]) + float64(scale*(float64(from.Bias[o])-float64(mean[o]))))
	}
	return weight, bias
}

// tensor adds a published tensor as it is.
func (e *exporter) tensor(name string) string {
	return e.constant(name, e.shapes[name], e.p.Tensor(name))
}

func (e *exporter) scalar(name string, v float32) string {
	return e.constant(name, nil, []float32{v})
}

func (e *exporter) integers(name string, v ...int64) string {
	return e.constant(name, []int{len(v)}, v)
}
