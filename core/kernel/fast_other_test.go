//go:build (!amd64 && !(js && simd)) || purego

package kernel

import "testing"

// setFast reports whether the kernels asked for exist: only the portable ones do.
func setFast(_ *testing.T, want bool) bool { return !want }
