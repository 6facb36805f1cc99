//go:build !(js && wasm)

package main

import (
	"cmp"
	"fmt"
	"net"
	"net/http"
	"os"
	"time"

	"gdram/weights"
)

// main serves the API on this machine alone, with the networks that the program carries.
func main() {
	if err := serve(); err != nil {
		fmt.Fprintln(os.Stderr, "worker:", err)
		os.Exit(1)
	}
}

func serve() error {
	s, err := newService(embedded)
	if err != nil {
		return err
	}
	listener, err := net.Listen("tcp", net.JoinHostPort("127.0.0.1", cmp.Or(os.Getenv("PORT"), "8787")))
	if err != nil {
		return fmt.Errorf("%w; set PORT to one that is free, or to 0 for any", err)
	}
	fmt.Printf("Serving the API on http://%s/api/health; Ctrl-C ends it.\n", listener.Addr())
	server := http.Server{Handler: s, ReadTimeout: 30 * time.Second, MaxHeaderBytes: 64 << 10}
	return server.Serve(listener)
}

// embedded gives the files of weights in the program.
func embedded(yield func(string, []byte) bool) {
	for _, name := range weights.Names() {
		file, err := weights.Read(name)
		if err != nil {
			panic(err) // Names says that it is there
		}
		if !yield(name, file) {
			return
		}
	}
}
