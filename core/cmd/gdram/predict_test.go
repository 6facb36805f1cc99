package main

import (
	"encoding/json"
	"math"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"gdram/core"
	"gdram/core/answer"
	"gdram/core/checkpoint"
	"gdram/core/checkpoint/disk"
	"gdram/core/pixels"
)

// What predict prints is what the classifier answers on the prepared picture.
func TestPredictJSON(t *testing.T) {
	params := untrained(10)
	file := filepath.Join(t.TempDir(), "w.safetensors")
	require.NoError(t, disk.Save(file, params, checkpoint.Meta{}, disk.F32))
	picture := write(t, "a.png", mustEncode(t, quarters(), ".png"))

	for _, tc := range []struct {
		args []string
		gray bool
		fast bool
		top  int
	}{
		{nil, false, false, 5},
		{[]string{"--fast", "--top=99"}, false, true, 10},
		{[]string{"--dataset=mnist"}, true, false, 5}, // the weights do not say, so the data set does
	} {
		out, stderr, code := call(t, append([]string{"predict", "--json", "--weights", file, picture}, tc.args...)...)
		require.Zero(t, code, stderr)

		prepared, err := pixels.FromRGBA(quarters().Pix, 48, 32, tc.gray)
		require.NoError(t, err)
		input := make([]float32, core.ImageLen)
		pixels.ToFloat(input, prepared)
		want := core.NewClassifier(params).Classify(input, core.Options{Fast: tc.fast})

		var got prediction
		decoder := json.NewDecoder(strings.NewReader(out))
		decoder.DisallowUnknownFields()
		require.NoError(t, decoder.Decode(&got))
		assert.False(t, decoder.More())
		assert.Equal(t, picture, got.File)
		assert.Equal(t, string(rune('0'+want.Label)), got.Label, "without names, classes are numbers")
		assert.Equal(t, want.Probabilities[want.Label], got.Probability)
		require.Len(t, got.Top, tc.top)
		assert.Equal(t, answer.Class{Label: got.Label, Probability: got.Probability}, got.Top[0])
		for i := range got.Top[1:] {
			assert.GreaterOrEqual(t, got.Top[i].Probability, got.Top[i+1].Probability)
		}
		require.Len(t, got.Glimpses, len(want.Glimpses))
		for i, g := range want.Glimpses {
			assert.Equal(t, answer.Glimpse{X: g.X, Y: g.Y, Weight: g.Weight,
				Sigma: (g.SigmaX + g.SigmaY) / 2, SigmaX: g.SigmaX, SigmaY: g.SigmaY}, got.Glimpses[i])
		}
	}
}

// Weights may be finite and the answer not: nothing is printed that is no number.
func TestPredictOverflow(t *testing.T) {
	for _, tensors := range []string{"class_net.fc.2.weight", ""} { // the last layer, or all
		params := untrained(10)
		for _, s := range params.Specs {
			if s.Name == tensors || tensors == "" && s.Kind.Trained() {
				for i := range params.Tensor(s.Name) {
					params.Tensor(s.Name)[i] = math.MaxFloat32
				}
			}
		}
		file := filepath.Join(t.TempDir(), "w.safetensors")
		require.NoError(t, disk.Save(file, params, checkpoint.Meta{}, disk.F32))
		picture := write(t, "a.png", mustEncode(t, quarters(), ".png"))

		for _, format := range []string{"--json", "--fast"} {
			out, stderr, code := call(t, "predict", format, "--weights", file, "none.png", picture, picture)
			assert.Equal(t, 1, code)
			assert.Empty(t, out)
			assert.Equal(t, "gdram: there is no picture none.png; check its name and folder\n"+
				"gdram: the network's answer for "+picture+" is not a number; the weights in "+file+" are damaged or not trained, so try others\n", stderr)
		}
	}
}

// What a file of weights does not say, --dataset does; what it says holds.
func TestLearntFrom(t *testing.T) {
	for _, tc := range []struct {
		why     string
		classes int
		meta    checkpoint.Meta
		dataset datasetName
		want    checkpoint.Meta // without labels
		first   string          // label, "" for none at all
		refused string
	}{
		{"silent, and nothing given", 10, checkpoint.Meta{}, "", checkpoint.Meta{}, "", ""},
		{"silent", 100, checkpoint.Meta{}, "cifar100", checkpoint.Meta{Dataset: "cifar100"}, "apple", ""},
		{"silent, grey", 10, checkpoint.Meta{}, "mnist", checkpoint.Meta{Dataset: "mnist", Gray: true}, "0", ""},
		{"says so itself", 2, checkpoint.Meta{Dataset: "pets", Labels: []string{"cat", "dog"}}, "", checkpoint.Meta{Dataset: "pets"}, "cat", ""},
		{"own labels stay", 10, checkpoint.Meta{Dataset: "mnist", Gray: true, Labels: strings.Fields("zero b c d e f g h i j")}, "mnist", checkpoint.Meta{Dataset: "mnist", Gray: true}, "zero", ""},
		{"other classes", 100, checkpoint.Meta{}, "mnist", checkpoint.Meta{}, "", "tell 100 classes apart and mnist has 10; name the data set they learnt from"},
		{"other data set", 10, checkpoint.Meta{Dataset: "mnist", Gray: true}, "cifar10", checkpoint.Meta{}, "", "learnt from mnist, not from cifar10; leave --dataset out"},
	} {
		file := filepath.Join(t.TempDir(), "w.safetensors")
		require.NoError(t, disk.Save(file, untrained(tc.classes), tc.meta, disk.F32))
		net, err := openNetwork(file, tc.dataset)
		if tc.refused != "" {
			assert.ErrorContains(t, err, "the weights in "+file+" "+tc.refused, tc.why)
			continue
		}
		require.NoError(t, err, tc.why)
		if tc.first == "" {
			assert.Empty(t, net.meta.Labels, tc.why)
		} else {
			assert.Equal(t, tc.first, net.meta.Labels[0], tc.why)
		}
		assert.Equal(t, tc.want.Dataset, net.meta.Dataset, tc.why)
		assert.Equal(t, tc.want.Gray, net.meta.Gray, tc.why)
	}
}
