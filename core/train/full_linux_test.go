package train

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"syscall"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"gdram/core/checkpoint/disk"
)

// TestRunSurvivesFullDisk: a disk that has no room for the next state, then one that has.
func TestRunSurvivesFullDisk(t *testing.T) {
	whole := filepath.Join(t.TempDir(), "whole")
	require.NoError(t, run(context.Background(), barsConfig(whole, Ours), openBars))
	state, err := os.Stat(filepath.Join(whole, StateFile))
	require.NoError(t, err)
	last, err := os.Stat(filepath.Join(whole, LastFile))
	require.NoError(t, err)

	small := t.TempDir()
	// Room for both files of weights and one state, but not for the second beside it.
	room := state.Size()*3/2 + 3*last.Size()
	mount := func(flags uintptr, bytes int64) error {
		return syscall.Mount("tmpfs", small, "tmpfs", flags, fmt.Sprintf("size=%d", bytes))
	}
	if err := mount(0, room); err != nil {
		t.Skipf("a small disk takes a mount, which only root may make: %v", err)
	}
	defer syscall.Unmount(small, 0)

	dir := filepath.Join(small, "run")
	err = run(context.Background(), barsConfig(dir, Ours), openBars)
	require.ErrorIs(t, err, syscall.ENOSPC)
	assert.ErrorContains(t, err, "what "+dir+" holds is still the run as it was saved last: make room, then go on with --resume")
	parts, err := filepath.Glob(filepath.Join(dir, "*.part"))
	require.NoError(t, err)
	assert.Empty(t, parts, "nothing half written stays")
	_, _, err = disk.Load(filepath.Join(dir, LastFile))
	assert.NoError(t, err)

	require.NoError(t, mount(syscall.MS_REMOUNT, 4*room))
	c := barsConfig(dir, Ours)
	c.Resume = true
	require.NoError(t, run(context.Background(), c, openBars))
	sameRun(t, whole, dir)
}
