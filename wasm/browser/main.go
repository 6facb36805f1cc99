//go:build js && wasm

// Command browser is the network inside the page: Go compiled to WebAssembly, which the page
// starts in a worker. Only bytes, numbers and sentences cross the border between the two:
//
//	open(name, weights Uint8Array)             -> {classes, labels, gray} | sentence
//	classify(name, rgba Uint8Array, w, h, fast) -> report Uint8Array       | sentence
//	instructions                                   of the kernels: relaxed SIMD, SIMD or scalar
//
// A string that comes back is an error, worded for the person at the page. No Go panic
// crosses. The browser decodes pictures and draws results, so that nothing here links
// fmt, image or encoding/json: they would double the size of the page.
package main

import (
	"syscall/js"

	"gdram/core/kernel"
)

func main() {
	b := newBridge()
	// The page leaves a callback under this name before it starts the program: exports by
	// argument, not by global, so that two engines on one page do not meet.
	js.Global().Call("gdramReady", map[string]any{
		"open":         guarded(b.open),
		"classify":     guarded(b.classify),
		"instructions": kernel.Instructions(),
	})
	select {}
}
