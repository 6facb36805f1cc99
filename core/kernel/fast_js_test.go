//go:build simd && !purego

package kernel

import (
	"os"
	"testing"

	"github.com/stretchr/testify/assert"
)

// instructions lists what Instructions can be in this build with the kernels it was loaded with, scalar first.
func instructions() []string {
	if version == scalar {
		return []string{"scalar"}
	}
	return []string{"scalar", Instructions()}
}

// setInstructions chooses the kernels for the length of a test.
func setInstructions(t *testing.T, name string) {
	before := fast
	fast = name != "scalar"
	t.Cleanup(func() { fast = before })
}

// TestInstructions holds that the tests run with the kernels they were asked to run with: none is
// refused by the check at the start.
func TestInstructions(t *testing.T) {
	asked := map[string]string{"0": "scalar", "1": "SIMD", "2": "relaxed SIMD"}[os.Getenv("GDRAM_SIMD")]
	if asked == "" {
		t.Skip("GDRAM_SIMD asks for no particular kernels")
	}
	assert.Equal(t, asked, Instructions())
}

// TestChecks holds what the check at the start expects to what the portable kernels make of it.
func TestChecks(t *testing.T) {
	setInstructions(t, "scalar")
	for i := range checks {
		assert.InDelta(t, checks[i].want, checks[i].sum(), 1e-6, "check %d: want %v", i, checks[i].sum())
	}
}
