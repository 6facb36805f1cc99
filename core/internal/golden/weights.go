package golden

import "math"

// Tensor is one entry of the published state dict and the rule for its formula weights.
type Tensor struct {
	Name  string
	Shape []int // nil for a scalar
	kind  kind
	fanIn int
	gain  float64
}

type kind uint8

const (
	uniform kind = iota // ±gain/sqrt(fan in)
	around1             // 1 ± 0.1, batch norm weight
	around0             // 0 ± 0.1, batch norm bias and running mean
	spread1             // 1 ± 0.5, batch norm running variance
	zero                // num_batches_tracked
)

// Len is the number of elements.
func (t Tensor) Len() int {
	n := 1
	for _, d := range t.Shape {
		n *= d
	}
	return n
}

// Tensors lists the state dict in its published order, which numbers the streams of random
// numbers. The gains make the fixture model look around and keep it well conditioned.
func Tensors(classes int) []Tensor {
	var list []Tensor
	add := func(name string, k kind, fanIn int, gain float64, shape ...int) {
		list = append(list, Tensor{name, shape, k, fanIn, gain})
	}
	layer := func(name string, gain float64, shape ...int) {
		fanIn := 1
		for _, d := range shape[1:] {
			fanIn *= d
		}
		add(name+".weight", uniform, fanIn, gain, shape...)
		add(name+".bias", uniform, fanIn, gain, shape[0])
	}
	batchNorm := func(name string, n int) {
		add(name+".weight", around1, 0, 0, n)
		add(name+".bias", around0, 0, 0, n)
		add(name+".running_mean", around0, 0, 0, n)
		add(name+".running_var", spread1, 0, 0, n)
		add(name+".num_batches_tracked", zero, 0, 0)
	}
	lstm := func(name string, gain float64) {
		add(name+".weight_ih", uniform, 128, gain, 512, 128)
		add(name+".weight_hh", uniform, 128, gain, 512, 128)
		add(name+".bias_ih", uniform, 128, gain, 512)
		add(name+".bias_hh", uniform, 128, gain, 512)
	}
	layer("glimpse_net.fc_g.0", 2, 128, 12, 3, 3)
	batchNorm("glimpse_net.fc_g.1", 128)
	layer("glimpse_net.fc_g.4", 4, 256, 128, 3, 3)
	batchNorm("glimpse_net.fc_g.5", 256)
	layer("glimpse_net.fc_l.0", 1, 128, 2)
	layer("glimpse_net.fc_gg", 3, 128, 2304)
	layer("glimpse_net.fc_lg", 2, 128, 128)
	lstm("rnn1.lstm_cell", 3)
	lstm("rnn2.lstm_cell", 2)
	layer("rnn2.context_net1.0", 3, 64, 3, 3, 3)
	layer("rnn2.context_net2.0", 3, 64, 64, 3, 3)
	layer("rnn2.fc", 1, 128, 576)
	layer("class_net.fc.0", 4, 256, 128)
	layer("class_net.fc.2", 4, classes, 256)
	layer("emission_net.fc.0", 16, 256, 128)
	batchNorm("emission_net.fc.1", 256)
	layer("emission_net.mu_net.0", 0.125, 2, 256)
	layer("emission_net.logvar_net.0", 0.625, 2, 256)
	layer("baseline_net.fc.0", 3, 256, 256)
	layer("baseline_net.fc.1", 4, 1, 256)
	return list
}

// Weights computes the weights that the golden runs used, under their published names.
// num_batches_tracked is one zero.
func Weights(classes int, seed uint64) map[string][]float32 {
	weights := map[string][]float32{}
	for i, t := range Tensors(classes) {
		s := stream{seed*1000003 + uint64(i)}
		bound := 0.0
		if t.kind == uniform {
			bound = t.gain / math.Sqrt(float64(t.fanIn))
		}
		v := make([]float32, t.Len())
		for j := range v {
			x := 2*s.next() - 1
			// The conversions keep arm64 and others from fusing the product into the sum.
			switch t.kind {
			case uniform:
				v[j] = float32(x * bound)
			case around1:
				v[j] = float32(1 + float64(0.1*x))
			case around0:
				v[j] = float32(0.1 * x)
			case spread1:
				v[j] = float32(1 + float64(0.5*x))
			case zero:
			}
		}
		weights[t.Name] = v
	}
	return weights
}

// stream is the splitmix64 generator.
type stream struct{ state uint64 }

// next returns a number in [0,1) with 53 random bits.
func (s *stream) next() float64 {
	s.state += 0x9E3779B97F4A7C15
	z := s.state
	z = (z ^ z>>30) * 0xBF58476D1CE4E5B9
	z = (z ^ z>>27) * 0x94D049BB133111EB
	z ^= z >> 31
	return float64(z>>11) / (1 << 53)
}
