// Command wasm writes the kernels of package kernel for WebAssembly, with its 128-bit vectors:
//
//	go run ./core/kernel/_wasm -out core/kernel
//
// Go emits no vector instructions for WebAssembly, so the kernels are a module of their own that
// imports the memory of Go's program and that Go calls through imports of the name gdram. It has
// no data, no globals and no stack in that memory, which is Go's. Each function takes the address
// of its arguments, a struct of ../kernels_js.go: addresses, strides in bytes and counts, all i32.
//
// simd_relaxed.wasm is the same with relaxed multiply-add, which fuses where the processor can.
//
// What every function computes is defined by its portable twin in ../portable.go.
package main

import (
	"flag"
	"fmt"
	"os"
	"path/filepath"
)

func main() {
	out := flag.String("out", ".", "folder to write to")
	flag.Parse()
	for name, relaxed := range map[string]bool{"simd.wasm": false, "simd_relaxed.wasm": true} {
		m := &module{relaxed: relaxed}
		dense(m)
		lstm(m)
		patch(m)
		halves(m)
		panels(m)
		across(m)
		down(m)
		for _, w := range []*winograd{&twelve, &sixes} {
			convPool(m, w)
			filters(m, w)
		}
		if err := os.WriteFile(filepath.Join(*out, name), m.encode(), 0o644); err != nil {
			fmt.Fprintln(os.Stderr, "wasm:", err)
			os.Exit(1)
		}
	}
}
