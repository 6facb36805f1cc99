//go:build js && wasm

// Command browser is the network inside the page: Go compiled to WebAssembly, which the page
// starts in a worker. Bytes and numbers cross the border between the two, in this program's memory;
// bridge.go has the calls, and web/src/engine/host.js is their other side.
//
// The page downloads whatever is linked here. The browser decodes pictures, measures time and draws results, so
// that nothing links fmt, image or encoding/json, which would double the page, nor syscall/js or time,
// which would add a tenth.
package main

func main() {
	select {} // the exports are the program
}
