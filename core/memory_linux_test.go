package core

import (
	"testing"
	"unsafe"

	"github.com/stretchr/testify/assert"
)

// TestFloats: any size, all zero, and the large ones where a huge page begins.
func TestFloats(t *testing.T) {
	for _, n := range []int{0, 1, hugePage/16 - 1, hugePage / 16, hugePage / 4, hugePage/4 + 1, 3*hugePage/4 - 1} {
		v := floats(n)
		assert.Len(t, v, n)
		assert.Equal(t, n, cap(v))
		for i := range v {
			if v[i] != 0 {
				t.Fatal("not zero")
			}
			v[i] = 1
		}
		if 4*n >= hugePage/4 {
			assert.Zero(t, uintptr(unsafe.Pointer(unsafe.SliceData(v)))%hugePage, n)
		}
	}
}
