//go:build !amd64 || purego

package kernel

// No assembly here: every kernel is its portable definition.
const fast = false

const unreachable = "kernel: no assembly in this build"

func (g *Gemm) fast(outer, segments, bPanel int) { panic(unreachable) }
func (t *Tiles) fast(transform tileTransform)    { panic(unreachable) }
func (c *Columns) fast(dst, mean []float32)      { panic(unreachable) }
func (p *Pool) fast(pass poolPass, sums Sums)    { panic(unreachable) }
