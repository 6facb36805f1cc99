package onnx

import (
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"gdram/core"
	"gdram/core/internal/golden"
)

// formula are the golden files' weights.
func formula(classes int, seed uint64) *core.Params {
	p := core.NewParams(classes)
	for name, v := range golden.Weights(classes, seed) {
		copy(p.Tensor(name), v)
	}
	return p
}

// The model, carried out operator by operator, answers as the reference does.
func TestParityModel(t *testing.T) {
	const allowed = 1e-4
	for _, f := range golden.Open(t, "eval") {
		t.Run(f.Name, func(t *testing.T) {
			model := decode(t, Encode(formula(f.Classes, f.Seed), nil))
			image := tensor{shape: f.Shape("images")}
			for _, v := range f.U8("images") {
				image.floats = append(image.floats, float32(v)/255)
			}
			values := model.run(t, map[string]tensor{"image": image})
			for _, name := range []string{"logits", "locations", "weights"} {
				assert.Equal(t, f.Shape(name), values[name].shape, name)
				assert.InDeltaSlice(t, f.F32(name), values[name].floats, allowed, name)
			}
		})
	}
}

func TestWellFormed(t *testing.T) {
	for _, classes := range []int{2, 10, 100} {
		p := formula(classes, 1)
		metadata := map[string]string{"dataset": "shapes", "labels": `["round","square"]`}
		model := decode(t, Encode(p, metadata))
		assert.EqualValues(t, 8, model.ir)
		assert.EqualValues(t, 16, model.opset)
		assert.Equal(t, metadata, model.metadata)
		assert.Equal(t, map[string][]any{"image": {"N", 3, 128, 128}}, model.inputs)
		assert.Equal(t, map[string][]any{"logits": {"N", classes}, "locations": {"N", 8, 2}, "weights": {"N", 8}}, model.outputs)

		known := []string{"image"}
		for name := range model.constants {
			known = append(known, name)
		}
		var names, read []string
		for _, n := range model.nodes {
			assert.Contains(t, operators, n.op, n.name)
			assert.NotContains(t, names, n.name, "a name for each node")
			names = append(names, n.name)
			for _, name := range n.inputs {
				assert.Contains(t, known, name, "%s reads what is there by then", n.name)
			}
			read = append(read, n.inputs...)
			for _, name := range n.outputs {
				assert.NotContains(t, known, name, "%s gives a name of its own", n.name)
			}
			known = append(known, n.outputs...)
		}
		for _, name := range []string{"logits", "locations", "weights"} {
			assert.Contains(t, known, name)
		}
		// A cell of zeros has nothing to forget, so the first of either LSTM does not read that gate.
		unread := []string{"logits", "locations", "weights", "step0/lstm1/split/f", "step0/lstm2/split/f"}
		for _, name := range known {
			if !slices.Contains(unread, name) {
				assert.Contains(t, read, name, "nothing is computed or kept for nobody")
			}
		}
		for _, name := range []string{"start/emission/mu", "step3/lstm1/h", "step7/class/fc2"} {
			assert.Contains(t, names, name)
		}
		for _, name := range []string{"class_net.fc.2.weight", "rnn1.lstm_cell.weight_hh", "glimpse_net.fc_gg.weight"} {
			assert.Equal(t, p.Tensor(name), model.constants[name].floats, "%s is the published tensor", name)
		}
		for name := range model.constants {
			assert.False(t, strings.HasPrefix(name, "baseline_net"), "%s serves training alone", name)
		}
	}
}

func TestSameBytes(t *testing.T) {
	metadata := map[string]string{"a": "1", "b": "2", "c": "3", "d": "4"}
	first := Encode(formula(10, 1), metadata)
	for range 3 {
		require.Equal(t, first, Encode(formula(10, 1), metadata))
	}
}
