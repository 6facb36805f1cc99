package main

import (
	"fmt"
	"os"
	"path/filepath"

	"github.com/evanw/esbuild/pkg/api"
)

// writePackage writes the engine as an npm package: an ES module, a classic script, the WebAssembly and the weights, with
// what web/package says about them.
func writePackage(folder string, engine []byte, models []string) error {
	// npm packs whatever lies there, so what an earlier build left is removed, and nothing else may lie there.
	if there, err := os.ReadDir(folder); err == nil && len(there) > 0 {
		if _, err := os.Stat(filepath.Join(folder, "gdram.js")); err != nil {
			return fmt.Errorf("%s has other files; want a new folder or an earlier package", folder)
		}
	}
	virtual, err := engineModules()
	if err != nil {
		return err
	}
	module, err := esbuild(source+"/library/module.js", virtual, api.FormatESModule, "")
	if err != nil {
		return err
	}
	classic, err := esbuild(source+"/library/classic.js", virtual, api.FormatIIFE, "gdram")
	if err != nil {
		return err
	}
	files := []file{{name: "gdram.js", data: module}, {name: "gdram.classic.js", data: classic}, {name: "gdram.wasm", data: engine}}
	for _, path := range append([]string{"LICENSE", "web/package/package.json", "web/package/README.md", "web/package/gdram.d.ts"}, models...) {
		data, err := os.ReadFile(path)
		if err != nil {
			return err
		}
		files = append(files, file{name: filepath.Base(path), data: data})
	}
	if err := replaceFolder(folder, files); err != nil {
		return err
	}
	fmt.Printf("%-28s an npm package\n", folder)
	return nil
}
