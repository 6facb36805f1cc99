//go:build (!unix && !windows) || solaris || aix

package train

import (
	"io"
	"os"
)

// lock only opens the file: in WebAssembly there is one process.
func lock(path string) (io.Closer, error) {
	return os.OpenFile(path, os.O_CREATE|os.O_RDWR, 0o644)
}
