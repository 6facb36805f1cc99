package main

import (
	"archive/tar"
	"bytes"
	"compress/gzip"
	"context"
	"crypto/md5"
	"encoding/hex"
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

type member struct{ name, text string }

func packed(t *testing.T, members ...member) []byte {
	t.Helper()
	var b bytes.Buffer
	z := gzip.NewWriter(&b)
	w := tar.NewWriter(z)
	require.NoError(t, w.WriteHeader(&tar.Header{Name: "set/", Typeflag: tar.TypeDir, Mode: 0o755}))
	for _, m := range members {
		require.NoError(t, w.WriteHeader(&tar.Header{Name: m.name, Typeflag: tar.TypeReg, Mode: 0o644, Size: int64(len(m.text))}))
		_, err := io.WriteString(w, m.text)
		require.NoError(t, err)
	}
	require.NoError(t, w.Close())
	require.NoError(t, z.Close())
	return b.Bytes()
}

// serve hands out body, and returns what to fetch.
func serve(t *testing.T, body []byte) (r remote, requests *int) {
	t.Helper()
	requests = new(int)
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		*requests++
		w.Write(body)
	}))
	t.Cleanup(server.Close)
	sum := md5.Sum(body)
	return remote{url: server.URL + "/set.tar.gz", md5: hex.EncodeToString(sum[:]), target: "set", archive: true}, requests
}

func quiet(ctx context.Context) *console { return &console{ctx, io.Discard, io.Discard} }

// names lists everything in a folder.
func names(t *testing.T, folder string) []string {
	t.Helper()
	entries, err := os.ReadDir(folder)
	require.NoError(t, err)
	var list []string
	for _, e := range entries {
		list = append(list, e.Name())
	}
	return list
}

func TestFetchArchive(t *testing.T) {
	r, requests := serve(t, packed(t, member{"set/a.bin", "first"}, member{"set/b.bin", "second"}))
	folder := filepath.Join(t.TempDir(), "data")
	require.NoError(t, r.fetch(quiet(t.Context()), folder))
	assert.Equal(t, []string{"set"}, names(t, folder), "nothing but the data is left")
	assert.Equal(t, []string{"a.bin", "b.bin"}, names(t, filepath.Join(folder, "set")))
	b, err := os.ReadFile(filepath.Join(folder, "set", "b.bin"))
	require.NoError(t, err)
	assert.Equal(t, "second", string(b))

	require.NoError(t, r.fetch(quiet(t.Context()), folder))
	assert.Equal(t, 1, *requests, "what is there is not fetched again")
}

func TestFetchFile(t *testing.T) {
	r, _ := serve(t, []byte("digits"))
	r.target, r.archive = "mnist/digits.gz", false
	folder := t.TempDir()
	require.NoError(t, r.fetch(quiet(t.Context()), folder))
	b, err := os.ReadFile(filepath.Join(folder, "mnist", "digits.gz"))
	require.NoError(t, err)
	assert.Equal(t, "digits", string(b))
	assert.Equal(t, []string{"digits.gz"}, names(t, filepath.Join(folder, "mnist")))
}

func TestFetchRefuses(t *testing.T) {
	good := packed(t, member{"set/a.bin", "first"})
	for _, tc := range []struct {
		why   string
		spoil func(r *remote)
		body  []byte
		want  string
	}{
		{"another file", func(r *remote) { r.md5 = "00" }, good, "want 00; try again"},
		{"no such file", func(r *remote) {
			missing := httptest.NewServer(http.NotFoundHandler())
			r.url = missing.URL
			t.Cleanup(missing.Close)
		}, good, "the server answers 404"},
		{"no server", func(r *remote) { r.url = "http://127.0.0.1:1/set.tar.gz" }, good, "cannot download"},
		{"no archive", func(*remote) {}, []byte("plain"), "cannot unpack"},
		{"cut archive", func(*remote) {}, good[:len(good)/2], "cannot unpack"},
	} {
		r, _ := serve(t, tc.body)
		tc.spoil(&r)
		folder := t.TempDir()
		err := r.fetch(quiet(t.Context()), folder)
		assert.ErrorContains(t, err, tc.want, tc.why)
		assert.Empty(t, names(t, folder), tc.why+": nothing is left behind")
	}
}

// Members that lie elsewhere than in the archive's folder are not written.
func TestFetchStaysInside(t *testing.T) {
	r, _ := serve(t, packed(t, member{"../evil", "x"}, member{"set/../../evil", "x"}, member{"/evil", "x"},
		member{"set/deep/evil", "x"}, member{"set/good", "x"}))
	top := t.TempDir()
	folder := filepath.Join(top, "data")
	require.NoError(t, r.fetch(quiet(t.Context()), folder))
	assert.Equal(t, []string{"good"}, names(t, filepath.Join(folder, "set")))
	assert.Equal(t, []string{"data"}, names(t, top))
}

func TestFetchInterrupted(t *testing.T) {
	r, _ := serve(t, []byte("digits"))
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	folder := t.TempDir()
	assert.ErrorContains(t, r.fetch(quiet(ctx), folder), "interrupted while downloading")
	assert.Empty(t, names(t, folder))
}

// A published folder or file must lie where the data sets are looked for.
func TestPublished(t *testing.T) {
	for name, remotes := range published {
		for _, r := range remotes {
			assert.Regexp(t, `^https://`, r.url, name)
			assert.Regexp(t, `^[0-9a-f]{32}$`, r.md5, name)
		}
		_, stderr, code := call(t, "data", "check", name, "--data-path", "nowhere")
		assert.Equal(t, 1, code)
		assert.Contains(t, stderr, filepath.Join("nowhere", remotes[0].target), name)
	}
}
