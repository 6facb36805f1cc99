// Command engine compiles a program for the page, as small as it gets. Run it in the top folder:
//
//	go run ./web/build/engine ./wasm/browser engine.wasm
package main

import (
	"fmt"
	"os"
	"os/exec"
	"runtime"
	"strings"
)

func main() {
	if len(os.Args) != 3 {
		fmt.Fprintln(os.Stderr, "engine: want a package and a file to write, as in: go run ./web/build/engine ./wasm/browser engine.wasm")
		os.Exit(1)
	}
	if err := compile(os.Args[1], os.Args[2]); err != nil {
		fmt.Fprintln(os.Stderr, "engine:", err)
		os.Exit(1)
	}
}

func compile(name, to string) error {
	command := exec.Command("go", "build", "-tags", "simd", "-trimpath", "-buildvcs=false", "-ldflags=-s -w",
		"-gcflags=runtime=-l",            // inlining in the runtime speeds up little here, and takes 23 KB gzipped
		"-gcflags=gdram/wasm/browser=-l", // nor does it where each function runs once a picture: 0.7 KB
		"-o", to, name)
	command.Env = append(os.Environ(), "GOOS=js", "GOARCH=wasm")
	if strings.HasPrefix(runtime.Version(), "go1.26") {
		// The collector before this one takes 12 KB less, gzipped, and there is next to nothing to collect. Later versions
		// of Go may not have it any more.
		command.Env = append(command.Env, "GOEXPERIMENT=nogreenteagc")
	}
	command.Stderr = os.Stderr
	if err := command.Run(); err != nil {
		return fmt.Errorf("compiling %s: %w", name, err)
	}
	program, err := os.ReadFile(to)
	if err != nil {
		return err
	}
	program, err = strip(program)
	if err != nil {
		return fmt.Errorf("%s: %w", name, err)
	}
	return os.WriteFile(to, program, 0o644)
}
