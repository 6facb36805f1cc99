//go:build js && wasm

package main

import (
	"bytes"
	"encoding/binary"
	"image"
	"image/jpeg"
	"net/http"
	"net/url"
	"runtime"
	"runtime/debug"
	"strconv"
	"strings"
	"syscall/js"
	"unsafe"

	"github.com/syumai/workers"
)

// served is what serve asks, once main has made it.
var served *service

// main serves under two entry modules: ours, web/worker/src/worker.js, which starts this program once and makes
// one synchronous call a request, and the library's own, which starts it for every request. Both leave the
// files of weights in the global gdramWeights, {NAME: Uint8Array}, and import decodeJPEG.
func main() {
	// Most of the heap are the networks, which stay. Garbage as large as they are would only take the memory
	// of the isolate.
	debug.SetGCPercent(25)
	s, err := newService(weights)
	if err != nil {
		panic(err)
	}
	s.decodeJPEG = decodeJPEG
	served = s
	workers.Serve(s) // ours never asks it, so it never returns
}

func weights(yield func(string, []byte) bool) {
	given := js.Global().Get("gdramWeights")
	names := js.Global().Get("Object").Call("keys", given)
	for i := range names.Length() {
		name := names.Index(i).String()
		file := make([]byte, given.Get(name).Length())
		js.CopyBytesToGo(file, given.Get(name))
		if !yield(name, file) {
			return
		}
		runtime.GC() // what it left would be room that WebAssembly never gives back
	}
}

// The synchronous call: JavaScript asks input for room, writes there the request, calls serve and reads the
// answer before anybody calls again. All of it is in this program's memory, so that no object of JavaScript
// waits for Go to let go of it.
var received, answered []byte

// Larger buffers are not kept for the next request.
const keptBuffer = 1 << 20

// input makes room for size bytes and returns their address.
//
//go:wasmexport input
func input(size int32) unsafe.Pointer {
	if cap(received) < int(size) || cap(received) > keptBuffer {
		received = make([]byte, size)
	}
	received = received[:size]
	return unsafe.Pointer(unsafe.SliceData(received))
}

// serve answers the request in the input. Its first head bytes are method, path, query and Content-Type, a line
// each; the body follows. It returns the address of the answer: four bytes for its length, little endian, then
// the status, the headers, an empty line and the body.
//
// Both are taken apart and put together by hand: what net/http and encoding/json have for it would be compiled in
// an isolate's first request and cost it a millisecond or two.
//
//go:wasmexport serve
func serve(head int32) unsafe.Pointer {
	line := strings.Split(string(received[:head]), "\n")
	body := received[head:]
	w := response{header: http.Header{}, status: http.StatusOK}
	served.ServeHTTP(&w, &http.Request{
		Method: line[0], URL: &url.URL{Path: line[1], RawQuery: line[2]}, Header: http.Header{"Content-Type": line[3:]},
		Body: whole{bytes.NewReader(body), body}, ContentLength: int64(len(body)),
	})

	answered = append(answered[:0], 0, 0, 0, 0)
	answered = strconv.AppendInt(answered, int64(w.status), 10)
	answered = append(answered, '\n')
	for name, values := range w.header {
		answered = append(append(append(append(answered, name...), ": "...), values[0]...), '\n')
	}
	answered = append(append(answered, '\n'), w.body...)
	binary.LittleEndian.PutUint32(answered, uint32(len(answered)-4))
	return unsafe.Pointer(unsafe.SliceData(answered))
}

// warm answers some pictures that nobody sent, so that the runtime compiles what the first request needs before
// it comes, when time is not that request's.
//
//go:wasmexport warm
func warm() {
	blank := image.NewRGBA(image.Rect(0, 0, 320, 240))
	var file bytes.Buffer
	if err := jpeg.Encode(&file, blank, nil); err != nil {
		panic(err) // into memory: cannot fail
	}
	for range 5 {
		for kind, body := range map[string][]byte{typeJPEG: file.Bytes(), typeRaw: blank.Pix[:rawLen]} {
			head := "POST\n/api/classify\n\n" + kind
			to := unsafe.Slice((*byte)(input(int32(len(head)+len(body)))), len(head)+len(body))
			copy(to[copy(to, head):], body)
			serve(int32(len(head)))
		}
	}
}

// response keeps what a handler writes.
type response struct {
	status int
	header http.Header
	body   []byte
}

func (w *response) Header() http.Header    { return w.header }
func (w *response) WriteHeader(status int) { w.status = status }
func (w *response) Write(b []byte) (int, error) {
	w.body = append(w.body, b...)
	return len(b), nil
}

// decodeJPEG is web/worker/src/jpeg.js, writing straight to the pixels, which stay until the next picture comes.
func decodeJPEG(file []byte, width, height int) ([]uint8, bool) {
	const kept = 2 << 20 // a larger buffer is not
	size := 4 * width * height
	if cap(decoded) < size || cap(decoded) > kept {
		decoded = make([]uint8, size)
	}
	decoded = decoded[:size]
	ok := turboJPEG(unsafe.SliceData(file), int32(len(file)), int32(width), int32(height), unsafe.SliceData(decoded))
	return decoded, ok != 0
}

var decoded []uint8

//go:wasmimport gdramWorker decodeJPEG
func turboJPEG(file *byte, size, width, height int32, rgba *byte) int32
