//go:build simd && !purego

package kernel

import (
	"os"
	"testing"

	"github.com/stretchr/testify/assert"
)

// setFast chooses the kernels for the length of a test and reports whether it could.
func setFast(t *testing.T, want bool) bool {
	if want && version == scalar {
		return false
	}
	before := fast
	fast = want
	t.Cleanup(func() { fast = before })
	return true
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
