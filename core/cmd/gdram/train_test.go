package main

import (
	"os"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"gdram/core/train"
)

// A run that was resumed is measured on what its folder says, as the command line need not.
func TestFinished(t *testing.T) {
	dir := t.TempDir()
	best := filepath.Join(dir, "best.safetensors")
	said := best + " holds the weights that did best on the validation pictures"
	assert.Equal(t, said, finished(train.Config{Dir: dir}), "without args.json")

	for _, tc := range []struct{ why, args, dataPath, want string }{
		{"the usual folder", `{"dataset": "mnist", "data_path": "data"}`, "", "--dataset mnist"},
		{"another", `{"dataset": "cifar100", "data_path": "there"}`, "", "--dataset cifar100 --data-path there"},
		{"moved since", `{"dataset": "cifar100", "data_path": "there"}`, "here", "--dataset cifar100 --data-path here"},
	} {
		require.NoError(t, os.WriteFile(filepath.Join(dir, "args.json"), []byte(tc.args), 0o644))
		assert.Equal(t, said+"; measure them with: gdram eval "+tc.want+" --split test --weights "+best,
			finished(train.Config{Dir: dir, DataPath: tc.dataPath}), tc.why)
	}
}
