package main

import (
	"bytes"
	"encoding/csv"
	"os"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"gdram/core/checkpoint"
	"gdram/core/checkpoint/disk"
	"gdram/core/train"
)

// A run that was resumed is measured on what its folder says, as the command line need not; and what it came
// to is drawn there.
func TestFinish(t *testing.T) {
	data := t.TempDir()
	require.NoError(t, writeMNIST(data))
	dir := t.TempDir()
	best := filepath.Join(dir, train.BestFile)
	meta := checkpoint.Meta{Dataset: "mnist", Gray: true}
	disk.Fast{Lead: 0.5}.Note(&meta)
	require.NoError(t, disk.Save(best, untrained(10), meta, disk.F32))
	results := "epoch,loss,valid_top1,fast_glimpses\n1,2.5,0.5,7.5\n2,2,0.75,6\n"
	require.NoError(t, os.WriteFile(filepath.Join(dir, train.ResultsFile), []byte(results), 0o644))

	console := func() (*console, *bytes.Buffer) {
		var out bytes.Buffer
		return &console{t.Context(), &out, &out}, &out
	}
	c, _ := console()
	assert.ErrorContains(t, finish(c, train.Config{Dir: dir}), "cannot read what the run was asked for")

	for _, tc := range []struct{ why, args, dataPath string }{
		{"as it began", data, ""},
		{"moved since", "there", data},
	} {
		args := `{"dataset": "mnist", "data_path": "` + filepath.ToSlash(tc.args) + `"}`
		require.NoError(t, os.WriteFile(filepath.Join(dir, train.ArgsFile), []byte(args), 0o644))
		c, out := console()
		require.NoError(t, finish(c, train.Config{Dir: dir, DataPath: tc.dataPath}), tc.why)
		assert.Equal(t, best+" holds the weights that did best on the validation pictures; measure them with: gdram eval --dataset mnist --data-path "+
			filepath.ToSlash(data)+" --split test --weights "+best+"\n", out.String(), tc.why)
	}
	last := filepath.Join(dir, train.LastFile)
	said := last + " holds the last weights; measure them with: gdram eval --dataset mnist --split test --weights " + last + "\n"
	for args, more := range map[string]string{
		`"refit": true, "lead": 0.5`: "",
		`"refit": true`:              "They say nothing of fast mode; give them the lead that the run before chose: gdram convert " + last + " OUT --fast LEAD\n",
	} {
		args := `{"dataset": "mnist", "data_path": "data", ` + args + `}`
		require.NoError(t, os.WriteFile(filepath.Join(dir, train.ArgsFile), []byte(args), 0o644))
		c, out := console()
		require.NoError(t, finish(c, train.Config{Dir: dir}), "no validation pictures are asked for")
		assert.Equal(t, said+more, out.String(), args)
	}
	for _, name := range []string{"curves.png", "confusion.png", "glimpses.png", "calibration.png", "early_exit.png", "locations.png", "evaluation.json"} {
		assert.FileExists(t, filepath.Join(dir, name))
	}
	f, err := os.Open(filepath.Join(dir, "confusion.csv"))
	require.NoError(t, err)
	defer f.Close()
	lines, err := csv.NewReader(f).ReadAll()
	require.NoError(t, err)
	assert.Len(t, lines, 11)
	assert.Len(t, lines[0], 11)
}
