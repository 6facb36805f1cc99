package train

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"

	"gdram/core/checkpoint/disk"
)

// errLocked says that another process holds a lock.
var errLocked = errors.New("locked")

// take makes the run folder this process's own until the run is closed. The operating system lets go of the
// lock when the process ends, however it ends, so that none is ever stale; the file stays.
func (r *trainer) take() (err error) {
	r.lock, err = lock(filepath.Join(r.Dir, lockFile))
	if errors.Is(err, errLocked) {
		return fmt.Errorf("another run is at work in %s; wait until it ends, or choose another folder", r.Dir)
	}
	if err == nil {
		err = r.sweep()
	}
	if err != nil {
		return fmt.Errorf("cannot make %s this run's own: %w", r.Dir, err)
	}
	return nil
}

// sweep removes what runs that were killed while they saved left half written, megabytes each time. Others, such as
// gdram eval --out, may be writing files of their own here.
func (r *trainer) sweep() error {
	entries, err := os.ReadDir(r.Dir)
	if err != nil {
		return err
	}
	for _, e := range entries {
		for _, own := range []string{ArgsFile, envFile, StateFile, ResultsFile, BestFile, LastFile} {
			if disk.IsPart(e.Name(), own) {
				if err := os.Remove(filepath.Join(r.Dir, e.Name())); err != nil {
					return err
				}
			}
		}
	}
	return nil
}
