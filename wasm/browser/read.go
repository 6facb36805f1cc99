//go:build js && wasm && simd

package main

import "unsafe"

// read has the page copy some bytes of the weights file that it opens. Tests, which no page runs, have their own.
//
//go:wasmimport page read
func read(to unsafe.Pointer, begin, size int32)
