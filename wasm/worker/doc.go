// Command worker is the network behind an HTTP API: Go compiled to WebAssembly for Cloudflare Workers, where
// web/worker starts it, or run as any server on this machine:
//
//	go run ./wasm/worker
//
// service.go has the networks, handler.go the API, which openapi.json describes, main_js.go the border to
// JavaScript. On Workers a request may take 10 ms of CPU and an isolate 128 MB, so the program starts once
// for all requests, and what it decodes is bounded.
package main
