package main

import (
	"bytes"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// TestStrippedProgramRuns runs a program without line tables that uses all else that lies between them.
func TestStrippedProgramRuns(t *testing.T) {
	node, err := exec.LookPath("node")
	if err != nil {
		t.Skip("there is no node here to run WebAssembly")
	}
	program := filepath.Join(t.TempDir(), "program.wasm")
	require.NoError(t, compile("./testdata/program", program))
	goroot, err := exec.Command("go", "env", "GOROOT").Output()
	require.NoError(t, err)
	run := exec.Command(node, "--stack-size=8192", filepath.Join(strings.TrimSpace(string(goroot)), "lib/wasm/wasm_exec_node.js"), program)
	run.Env = []string{"PATH=" + os.Getenv("PATH")} // Go's WebAssembly has room for 12 KB of it
	said, err := run.CombinedOutput()
	require.NoError(t, err, string(said))
	assert.Equal(t, "line 0\n", string(said))
}

func TestStripChangesDataAlone(t *testing.T) {
	out := filepath.Join(t.TempDir(), "program.wasm")
	build := exec.Command("go", "build", "-trimpath", "-buildvcs=false", "-o", out, "./testdata/program")
	build.Env = append(os.Environ(), "GOOS=js", "GOARCH=wasm")
	said, err := build.CombinedOutput()
	require.NoError(t, err, string(said))
	program, err := os.ReadFile(out)
	require.NoError(t, err)
	_, segments, err := dataSegments(program)
	require.NoError(t, err)
	original := bytes.Clone(program)
	stripped, err := withoutLines(program)
	require.NoError(t, err)
	assert.Equal(t, original, program, "the original stays")
	for _, s := range segments {
		clear(program[s.file:][:s.size])
		clear(stripped[s.file:][:s.size])
	}
	assert.True(t, bytes.Equal(program, stripped), "code and the rest are what they were")

	_, err = withoutLines(bytes.ReplaceAll(original, []byte(tableMagic), []byte("\xf2\xff\xff\xff\x00\x00\x01\x08")))
	assert.ErrorContains(t, err, "no function table", "a table of another version")
	_, err = withoutLines(original[:len(original)/2])
	assert.Error(t, err, "half a program")
}
