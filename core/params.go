package core

import (
	"math"
	"math/rand/v2"
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
	Shape []int // as published: conv [out][in][3][3], linear [out][in]; nil for a scalar
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

// Specs lists the 53 tensors of the published state dict, in its order.
func Specs(classes int) []Spec {
	var specs []Spec
	add := func(name string, kind Kind, fanIn int, shape ...int) {
		specs = append(specs, Spec{name, shape, kind, fanIn})
	}
	layer := func(name string, fanIn int, shape ...int) {
		add(name+".weight", Weight, fanIn, shape...)
		add(name+".bias", Weight, fanIn, shape[0])
	}
	batchNorm := func(name string, n int) {
		add(name+".weight", Scale, 0, n)
		add(name+".bias", Shift, 0, n)
		add(name+".running_mean", RunningMean, 0, n)
		add(name+".running_var", RunningVar, 0, n)
		add(name+".num_batches_tracked", Batches, 0)
	}
	lstm := func(name string) {
		add(name+".weight_ih", Weight, Hidden, gates, Hidden)
		add(name+".weight_hh", Weight, Hidden, gates, Hidden)
		add(name+".bias_ih", Weight, Hidden, gates)
		add(name+".bias_hh", Weight, Hidden, gates)
	}
	layer("glimpse_net.fc_g.0", 9*glimpseChannels, conv1Channels, glimpseChannels, 3, 3)
	batchNorm("glimpse_net.fc_g.1", conv1Channels)
	layer("glimpse_net.fc_g.4", 9*conv1Channels, conv2Channels, conv1Channels, 3, 3)
	batchNorm("glimpse_net.fc_g.5", conv2Channels)
	layer("glimpse_net.fc_l.0", 2, Hidden, 2)
	layer("glimpse_net.fc_gg", flatLen, Hidden, flatLen)
	layer("glimpse_net.fc_lg", Hidden, Hidden, Hidden)
	lstm("rnn1.lstm_cell")
	lstm("rnn2.lstm_cell")
	layer("rnn2.context_net1.0", 9*Colours, contextChannels, Colours, 3, 3)
	layer("rnn2.context_net2.0", 9*contextChannels, contextChannels, contextChannels, 3, 3)
	layer("rnn2.fc", contextFlat, Hidden, contextFlat)
	layer("class_net.fc.0", Hidden, classWidth, Hidden)
	layer("class_net.fc.2", classWidth, classes, classWidth)
	layer("emission_net.fc.0", Hidden, emissionWidth, Hidden)
	batchNorm("emission_net.fc.1", emissionWidth)
	layer("emission_net.mu_net.0", emissionWidth, 2, emissionWidth)
	layer("emission_net.logvar_net.0", emissionWidth, 2, emissionWidth)
	layer("baseline_net.fc.0", 2*Hidden, baselineWidth, 2*Hidden)
	layer("baseline_net.fc.1", baselineWidth, 1, baselineWidth)
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
	layers map[string]Layer
}

// Layer is the weight and bias of a conv, linear or batch norm layer.
type Layer struct{ Weight, Bias []float32 }

// NewParams allocates zeroed parameters for a model of the given number of classes (2 or more).
func NewParams(classes int) *Params {
	if classes < 2 {
		panic("core: NewParams: want 2 classes or more")
	}
	p := &Params{Classes: classes, Specs: Specs(classes), views: map[string][]float32{}, layers: map[string]Layer{}}
	total := 0
	for _, s := range p.Specs {
		total += s.Len()
	}
	p.Flat = make([]float32, total)
	at := 0
	for _, s := range p.Specs {
		p.views[s.Name] = p.Flat[at : at+s.Len() : at+s.Len()]
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
