//go:build unix

package main

import (
	"bytes"
	"context"
	"path/filepath"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"golang.org/x/sys/unix"
)

// TestPredictLeavesAPipe that nobody writes to, when it is interrupted.
func TestPredictLeavesAPipe(t *testing.T) {
	pipe := filepath.Join(t.TempDir(), "pipe.png")
	require.NoError(t, unix.Mkfifo(pipe, 0o600))
	ctx, stop := context.WithCancel(context.Background())
	time.AfterFunc(50*time.Millisecond, stop)
	var out, err bytes.Buffer
	assert.Equal(t, 130, run([]string{"predict", pipe}, &console{ctx, &out, &err}))
	assert.Empty(t, out.String())
	assert.Equal(t, "gdram: interrupted before "+pipe+"\n", err.String())
}
