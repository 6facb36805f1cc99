//go:build !(js && wasm)

package main

import (
	"slices"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// The networks that ship open, and the one asked by default is among them where it is among the weights.
func TestEmbedded(t *testing.T) {
	s, err := newService(embedded)
	require.NoError(t, err)
	assert.Equal(t, slices.Contains(s.names(), defaultModel), s.defaultModel().Name == defaultModel)
}
