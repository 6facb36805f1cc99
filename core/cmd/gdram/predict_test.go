package main

import (
	"encoding/json"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"gdram/core"
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
		assert.Equal(t, choice{got.Label, got.Probability}, got.Top[0])
		for i := range got.Top[1:] {
			assert.GreaterOrEqual(t, got.Top[i].Probability, got.Top[i+1].Probability)
		}
		require.Len(t, got.Glimpses, len(want.Glimpses))
		for i, g := range want.Glimpses {
			assert.Equal(t, look{g.X, g.Y, g.Weight, (g.SigmaX + g.SigmaY) / 2, g.SigmaX, g.SigmaY}, got.Glimpses[i])
		}
	}
}
