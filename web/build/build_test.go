package main

import (
	"os"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

func read(t *testing.T, path ...string) string {
	t.Helper()
	text, err := os.ReadFile(filepath.Join(path...))
	require.NoError(t, err)
	return string(text)
}

// A site that is built over an earlier one has nothing left of it.
func TestSiteReplaces(t *testing.T) {
	t.Chdir("../..")
	folder := t.TempDir()
	require.NoError(t, writeSite(folder, []file{{name: "page.js", data: []byte("old")}, {name: "weights-gone-1.js"}}))
	require.NoError(t, writeSite(folder, []file{{name: "page.js", data: []byte("new")}}))
	assert.Equal(t, "new", read(t, folder, dist, "page.js"))
	assert.NoFileExists(t, filepath.Join(folder, dist, "weights-gone-1.js"))
	assert.FileExists(t, filepath.Join(folder, "icon-192.png"))
}

// Whoever opens a site while it is written gets a page whose files are there already, and a service worker whose page is.
func TestSiteOrder(t *testing.T) {
	t.Chdir("../..")
	for _, tc := range []struct{ stuck, later string }{{"web/dist/page.js", "index.html"}, {"index.html", "sw.js"}} {
		folder := t.TempDir()
		require.NoError(t, os.MkdirAll(filepath.Join(folder, tc.stuck), 0o755)) // a folder, which no file can replace
		assert.Error(t, writeSite(folder, []file{{name: "page.js"}}))
		assert.NoFileExists(t, filepath.Join(folder, tc.later), "before %s", tc.stuck)
	}
}

// What an earlier build left in the package is not packed, and what somebody else has in the folder is not removed.
func TestPackageReplaces(t *testing.T) {
	t.Chdir("../..")
	folder := filepath.Join(t.TempDir(), "package")
	require.NoError(t, writePackage(folder, []byte("engine"), []string{"go.mod"}))
	assert.FileExists(t, filepath.Join(folder, "go.mod"))
	require.NoError(t, writePackage(folder, []byte("newer"), nil))
	assert.Equal(t, "newer", read(t, folder, "gdram.wasm"))
	assert.NoFileExists(t, filepath.Join(folder, "go.mod"))

	other := t.TempDir()
	require.NoError(t, os.WriteFile(filepath.Join(other, "letter.txt"), nil, 0o644))
	assert.ErrorContains(t, writePackage(other, []byte("engine"), nil), "want a new folder")
	assert.FileExists(t, filepath.Join(other, "letter.txt"))
}
