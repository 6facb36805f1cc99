//go:build !purego

package kernel

import (
	"os"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"golang.org/x/sys/cpu"
)

// setFast chooses the kernels for the length of a test and reports whether it could.
func setFast(t *testing.T, want bool) bool {
	if want && !(cpu.X86.HasAVX2 && cpu.X86.HasFMA) {
		return false
	}
	before := fast
	fast = want
	t.Cleanup(func() { fast = before })
	return true
}

// TestInstructions holds that tests which ask for the fallback test it.
func TestInstructions(t *testing.T) {
	if !strings.Contains(os.Getenv("GODEBUG"), "cpu.avx2=off") {
		t.Skip("GODEBUG asks for no particular kernels")
	}
	assert.Equal(t, "scalar", Instructions())
}
