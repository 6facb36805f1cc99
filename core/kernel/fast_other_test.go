//go:build (!amd64 && !(js && simd)) || purego

package kernel

import "testing"

// instructions lists what Instructions can be in this build: only the portable kernels are in it.
func instructions() []string { return []string{"scalar"} }

func setInstructions(*testing.T, string) {}
