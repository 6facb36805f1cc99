//go:build !linux

package core

// floats makes n numbers; on Linux, of large pages.
func floats(n int) []float32 { return make([]float32, n) }
