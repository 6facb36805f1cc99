package main

import (
	"bytes"
	"encoding/binary"
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
	original := bytes.Clone(program)
	stripped, err := strip(program)
	require.NoError(t, err)
	assert.Equal(t, original, program, "the original stays")

	want, before, err := data(program)
	require.NoError(t, err)
	require.NoError(t, blankLines(want))
	got, after, err := data(stripped)
	require.NoError(t, err)
	assert.True(t, bytes.Equal(bytes.TrimRight(want, "\x00"), got), "the memory is what it was but for the lines")
	assert.True(t, bytes.Equal(program[:before.begin], stripped[:after.begin]), "what comes before the data is what it was")
	assert.True(t, bytes.Equal(program[before.end:], stripped[after.end:]), "and what comes after")

	_, err = strip(bytes.ReplaceAll(original, []byte(tableMagic), []byte("\xf2\xff\xff\xff\x00\x00\x01\x08")))
	assert.ErrorContains(t, err, "no function table", "a table of another version")
	_, err = strip(original[:len(original)/2])
	assert.Error(t, err, "half a program")
}

func TestDataSectionLeavesOutPagesOfZeros(t *testing.T) {
	const page = 4096
	for _, c := range []struct {
		name     string
		memory   []byte
		segments int
	}{
		{"nothing", nil, 0}, {"zeros", make([]byte, 3*page), 0}, {"one", []byte{7}, 1}, {"a gap", append(make([]byte, 70), append([]byte{1}, append(make([]byte, page-1), 2, 3)...)...), 1},
		{"a page", append([]byte{1}, append(make([]byte, page), 2)...), 2}, {"pages at the end", append([]byte{0, 1}, make([]byte, 2*page)...), 1},
		{"far off", append(make([]byte, 100*page), 1), 1},
	} {
		section := dataSection(c.memory)
		memory, where, err := data(append([]byte("\x00asm\x01\x00\x00\x00"), section...))
		require.NoError(t, err, c.name)
		assert.Equal(t, span{8, 8 + len(section)}, where, c.name)
		assert.True(t, bytes.Equal(bytes.TrimRight(c.memory, "\x00"), memory), c.name)
		_, head := binary.Uvarint(section[1:])
		segments, _ := binary.Uvarint(section[1+head:])
		assert.EqualValues(t, c.segments, segments, c.name)
	}
}
