package core

import (
	"math"
	"math/rand/v2"
	"slices"
	"strings"
)

// Kind says what a tensor of the state dict is for.
type Kind uint8

const (
	Weight      Kind = iota // weight or bias of a conv, linear or LSTM layer: trained
	Scale                   // batch norm gamma: trained
	Shift                   // batch norm beta: trained
	RunningMean             // batch norm running mean: measured
	RunningVar              // batch norm running variance: measured
	Batches                 // batches seen by a batch norm; an integer, I64 in files
)

// Trained reports whether the optimiser moves tensors of this kind.
func (k Kind) Trained() bool { return k <= Shift }

// Spec describes one tensor of the published state dict.
type Spec struct {
	Name  string
	Shape []int // as published: conv [out][in][3][3], linear [out][in]; empty for a scalar
	Kind  Kind
	FanIn int // for Weight: a fresh tensor is uniform in ±1/sqrt(FanIn)
}

// Len is the number of elements.
func (s Spec) Len() int {
	n := 1
	for _, d := range s.Shape {
		n *= d
	}
	return n
}

// Rows is the first dimension; a scalar is one row.
func (s Spec) Rows() int {
	if len(s.Shape) == 0 {
		return 1
	}
	return s.Shape[0]
}

// parts are the layers of the published state dict, in its order. They are data because the page downloads them:
// as calls they weighed ten times as much. perClass stands for the number of classes.
var parts = []struct {
	name  string
	kind  partKind
	fanIn int
	shape []int
}{
	{"glimpse_net.fc_g.0", biased, 9 * glimpseChannels, []int{conv1Channels, glimpseChannels, 3, 3}},
	{"glimpse_net.fc_g.1", normed, 0, []int{conv1Channels}},
	{"glimpse_net.fc_g.4", biased, 9 * conv1Channels, []int{conv2Channels, conv1Channels, 3, 3}},
	{"glimpse_net.fc_g.5", normed, 0, []int{conv2Channels}},
	{"glimpse_net.fc_l.0", biased, 2, []int{Hidden, 2}},
	{"glimpse_net.fc_gg", biased, flatLen, []int{Hidden, flatLen}},
	{"glimpse_net.fc_lg", biased, Hidden, []int{Hidden, Hidden}},
	{"rnn1.lstm_cell", lstmCell, Hidden, []int{gates, Hidden}},
	{"rnn2.lstm_cell", lstmCell, Hidden, []int{gates, Hidden}},
	{"rnn2.context_net1.0", biased, 9 * Colours, []int{contextChannels, Colours, 3, 3}},
	{"rnn2.context_net2.0", biased, 9 * contextChannels, []int{contextChannels, contextChannels, 3, 3}},
	{"rnn2.fc", biased, contextFlat, []int{Hidden, contextFlat}},
	{"class_net.fc.0", biased, Hidden, []int{classWidth, Hidden}},
	{"class_net.fc.2", biased, classWidth, []int{perClass, classWidth}},
	{"emission_net.fc.0", biased, Hidden, []int{emissionWidth, Hidden}},
	{"emission_net.fc.1", normed, 0, []int{emissionWidth}},
	{"emission_net.mu_net.0", biased, emissionWidth, []int{2, emissionWidth}},
	{"emission_net.logvar_net.0", biased, emissionWidth, []int{2, emissionWidth}},
	{"baseline_net.fc.0", biased, 2 * Hidden, []int{baselineWidth, 2 * Hidden}},
	{"baseline_net.fc.1", biased, baselineWidth, []int{1, baselineWidth}},
}

const perClass = -1

// partKind says which tensors a part consists of; tensors lists them.
type partKind uint8

const (
	biased partKind = iota
	normed
	lstmCell
)

var tensors = [...][]struct {
	suffix     string
	kind       Kind
	dimensions int // how many of the part's it has, from the first on
}{
	biased: {{".weight", Weight, 4}, {".bias", Weight, 1}},
	normed: {{".weight", Scale, 1}, {".bias", Shift, 1}, {".running_mean", RunningMean, 1},
		{".running_var", RunningVar, 1}, {".num_batches_tracked", Batches, 0}},
	lstmCell: {{".weight_ih", Weight, 2}, {".weight_hh", Weight, 2}, {".bias_ih", Weight, 1}, {".bias_hh", Weight, 1}},
}

// Specs lists the 53 tensors of the published state dict, in its order.
func Specs(classes int) []Spec {
	var specs []Spec
	for _, part := range parts {
		shape := slices.Clone(part.shape)
		if shape[0] == perClass {
			shape[0] = classes
		}
		for _, t := range tensors[part.kind] {
			n := min(t.dimensions, len(shape))
			specs = append(specs, Spec{part.name + t.suffix, shape[:n:n], t.kind, part.fanIn})
		}
	}
	return specs
}

// Params holds every tensor of the state dict as a named view over one flat slice, in the
// published order. Gradients and optimiser moments are Params of the same shape.
//
// A count of batches is kept as a float32 too, exact to 16,777,216; it serves nobody but
// readers of the file.
type Params struct {
	Classes int
	Specs   []Spec
	Flat    []float32

	views  map[string][]float32
	rows   map[string]int
	layers map[string]Layer
}

// Layer is the weight and bias of a conv, linear or batch norm layer.
type Layer struct{ Weight, Bias []float32 }

// Tensors is where a network finds its weights, under their published names: Params, or a file that is decoded as it is read.
type Tensors interface {
	Tensor(name string) []float32
	// Rows are some of a tensor's, rows being its first dimension. They stand until the next are asked for.
	Rows(name string, from, to int) []float32
}

// NewParams allocates zeroed parameters for a model of the given number of classes (2 or more).
func NewParams(classes int) *Params {
	if classes < 2 {
		panic("core: NewParams: want 2 classes or more")
	}
	p := &Params{Classes: classes, Specs: Specs(classes), views: map[string][]float32{}, rows: map[string]int{}, layers: map[string]Layer{}}
	total := 0
	for _, s := range p.Specs {
		total += s.Len()
	}
	p.Flat = floats(total)
	at := 0
	for _, s := range p.Specs {
		p.views[s.Name] = p.Flat[at : at+s.Len() : at+s.Len()]
		p.rows[s.Name] = s.Rows()
		at += s.Len()
	}
	for _, s := range p.Specs {
		if name, ok := strings.CutSuffix(s.Name, ".weight"); ok {
			p.layers[name] = Layer{p.views[s.Name], p.views[name+".bias"]}
		}
	}
	return p
}

// Layer returns the weight and bias of the named layer, allocating nothing.
func (p *Params) Layer(name string) Layer {
	l, ok := p.layers[name]
	if !ok {
		panic("core: no layer named " + name)
	}
	return l
}

// Tensor returns the view of the named tensor. An unknown name is a programmer's error.
func (p *Params) Tensor(name string) []float32 {
	v, ok := p.views[name]
	if !ok {
		panic("core: no tensor named " + name)
	}
	return v
}

// Rows returns the view of some rows of the named tensor, allocating nothing.
func (p *Params) Rows(name string, from, to int) []float32 {
	v, rows := p.Tensor(name), p.rows[name]
	row := len(v) / rows
	return v[from*row : to*row]
}

// Clone returns a deep copy.
func (p *Params) Clone() *Params {
	q := NewParams(p.Classes)
	copy(q.Flat, p.Flat)
	return q
}

// Count is the number of trained numbers: 1,134,799 for 10 classes.
func (p *Params) Count() int {
	n := 0
	for _, s := range p.Specs {
		if s.Kind.Trained() {
			n += s.Len()
		}
	}
	return n
}

// Initialize fills p as PyTorch initialises the published model: weights and biases uniform
// in ±1/sqrt(fan in), batch norms the identity.
func (p *Params) Initialize(rng *rand.Rand) {
	for _, s := range p.Specs {
		v := p.views[s.Name]
		switch s.Kind {
		case Weight:
			bound := 1 / math.Sqrt(float64(s.FanIn))
			for i := range v {
				v[i] = float32(float64((2*rng.Float64() - 1) * bound))
			}
		case Scale, RunningVar:
			for i := range v {
				v[i] = 1
			}
		default:
			clear(v)
		}
	}
}
