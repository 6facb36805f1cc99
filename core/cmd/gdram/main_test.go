package main

import (
	"bytes"
	"strings"
	"testing"

	"github.com/rogpeppe/go-internal/testscript"
	"github.com/stretchr/testify/assert"
)

func TestMain(m *testing.M) {
	testscript.Main(m, map[string]func(){"gdram": main, "fixture": fixture})
}

func TestScripts(t *testing.T) {
	testscript.Run(t, testscript.Params{
		Dir: "testdata/script",
	})
}

// call runs a command line within the test.
func call(t *testing.T, args ...string) (stdout, stderr string, code int) {
	t.Helper()
	var out, err bytes.Buffer
	code = run(args, &console{t.Context(), &out, &err})
	return out.String(), err.String(), code
}

func TestDashed(t *testing.T) {
	for _, tc := range []struct{ why, in, want string }{
		{"names", "--data_path", "--data-path"},
		{"but not values", "--data_path=my_data", "--data-path=my_data"},
		{"nor files", "my_cat.png", "my_cat.png"},
		{"nor short flags", "-a_b", "-a_b"},
		{"negative numbers are values", "--lr -1e_3 --lr -1e-3", "--lr -1e_3 --lr=-1e-3"},
		{"but only of flags without one", "--lr=2 -1", "--lr=2 -1"},
	} {
		assert.Equal(t, strings.Fields(tc.want), dashed(strings.Fields(tc.in)), tc.why)
	}
	assert.Equal(t, []string{"--", "--my_cat.png"}, dashed([]string{"--", "--my_cat.png"}), "after -- all are files")
}

func TestHelp(t *testing.T) {
	for _, command := range []string{"", "train", "eval", "predict", "convert", "export", "data", "data download", "data check", "data clutter"} {
		args := append(strings.Fields(command), "--help")
		out, stderr, code := call(t, args...)
		assert.Zero(t, code, command)
		assert.Empty(t, stderr, command)
		assert.Contains(t, out, "Usage: gdram", command)
		assert.NotContains(t, out, "${", command+": every variable of the help is filled in")
	}
}
