//go:build !purego

package kernel

import (
	"testing"

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
