package weights

import (
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"gdram/core/checkpoint"
	"gdram/core/train"
)

// Every network that is shipped must decode and say what it needs to be used.
func TestEmbedded(t *testing.T) {
	classes := map[string]int{"mnist": 10, "cifar10": 10, "cifar100": 100}
	for _, name := range Names() {
		t.Run(name, func(t *testing.T) {
			b, err := Read(name)
			require.NoError(t, err)
			params, meta, err := checkpoint.Decode(b)
			require.NoError(t, err)
			require.Contains(t, classes, name, "no such data set")
			assert.Equal(t, classes[name], params.Classes)
			assert.Len(t, meta.Labels, classes[name])
			assert.Equal(t, name, meta.Dataset)
			assert.Equal(t, name == "mnist", meta.Gray)
			looks, _ := train.Taught(meta.Extra[train.KeyRecipe])
			assert.Equal(t, train.Policy, looks, "it chooses its places itself")

			_, err = files.ReadFile(name + ".md")
			assert.NoError(t, err, "a network comes with its model card")
		})
	}
}

func TestUnknownName(t *testing.T) {
	_, err := Read("letters")
	assert.ErrorContains(t, err, `"letters"`)
	assert.ErrorContains(t, err, "name a file of weights")
}
