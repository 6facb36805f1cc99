//go:build !purego

package kernel

import (
	"os"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"golang.org/x/sys/cpu"
)

// instructions lists what Instructions can be in this build on this processor, scalar first.
func instructions() []string {
	all := []string{"scalar"}
	if cpu.X86.HasAVX2 && cpu.X86.HasFMA {
		all = append(all, "AVX2")
		if cpu.X86.HasAVX512F {
			all = append(all, "AVX-512")
		}
	}
	return all
}

// setInstructions chooses the kernels for the length of a test.
func setInstructions(t *testing.T, name string) {
	fastBefore, wideBefore := fast, wide
	fast, wide = name != "scalar", name == "AVX-512"
	t.Cleanup(func() { fast, wide = fastBefore, wideBefore })
	assert.Equal(t, name, Instructions())
}

// TestInstructions holds that tests which ask for other kernels than the best test them.
func TestInstructions(t *testing.T) {
	switch off := os.Getenv("GODEBUG"); {
	case strings.Contains(off, "cpu.avx2=off"):
		assert.Equal(t, "scalar", Instructions())
	case strings.Contains(off, "cpu.avx512f=off"):
		assert.NotEqual(t, "AVX-512", Instructions())
	default:
		t.Skip("GODEBUG asks for no particular kernels")
	}
}
