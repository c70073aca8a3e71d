package local

import (
	"context"
	"errors"
	"fmt"
	"net"
	"os"
	"path/filepath"
	"syscall"

	"github.com/perennial-llm/perennial/pkg/errs"
	"github.com/perennial-llm/perennial/pkg/local/sqlite"
)

// openFolder makes a data folder if need be and locks it.
func openFolder(dir string) (*os.File, error) {
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return nil, unusable(err)
	}
	return lockFolder(dir)
}

// unusable says what to do about a data folder that the system does not let us use.
func unusable(err error) error {
	code, mend := errs.Invalid, "choose a folder that can be written with --data"
	if errors.Is(err, syscall.ENOSPC) {
		code, mend = errs.Exhausted, "make room on its disk, or choose another folder with --data"
	}
	return errs.New(code, "data folder: %w", err).Mend("%s", mend)
}

// lockFolder keeps a second process out of a data folder; the kernel frees it when this one dies.
func lockFolder(dir string) (*os.File, error) {
	f, err := os.OpenFile(filepath.Join(dir, "lock"), os.O_CREATE|os.O_RDWR, 0o600)
	if err != nil {
		return nil, unusable(err)
	}
	if err := syscall.Flock(int(f.Fd()), syscall.LOCK_EX|syscall.LOCK_NB); err != nil {
		f.Close()
		return nil, errs.New(errs.Held, "another platform runs on %s", dir).Mend("stop it, or choose another folder with --data")
	}
	return f, nil
}

// Idle makes sure that no platform runs on a folder, which need not exist.
func Idle(dir string) error {
	if _, err := os.Stat(filepath.Join(dir, "lock")); errors.Is(err, os.ErrNotExist) {
		return nil
	}
	f, err := lockFolder(dir)
	if err != nil {
		return err
	}
	return f.Close()
}

// markKept notes in the lock file that the folder keeps records now.
func markKept(lock *os.File) error {
	if _, err := lock.WriteAt([]byte("keeps records\n"), 0); err != nil {
		return unusable(err)
	}
	return lock.Sync()
}

// recordsAreThere refuses a folder that kept records and has lost them: starting as new would hide the loss.
func recordsAreThere(ctx context.Context, lock *os.File, db *sqlite.DB) error {
	mark, err := lock.Stat()
	if err != nil {
		return fmt.Errorf("read the data folder's mark: %w", err)
	}
	empty, err := db.Empty(ctx)
	if err != nil || !empty || mark.Size() == 0 {
		return err
	}
	return errs.New(errs.Conflict, "the records of this platform are gone: the database is empty").At(filepath.Join(filepath.Dir(lock.Name()), "perennial.db")).
		Mend("put back perennial.db with its -wal file from a backup, or start on another folder with --data")
}

// Listen takes a port of this machine; 0 is any free one.
func Listen(port int) (net.Listener, error) {
	l, err := net.Listen("tcp", fmt.Sprintf("127.0.0.1:%d", port))
	switch {
	case errors.Is(err, syscall.EADDRINUSE):
		return nil, errs.New(errs.Held, "port %d is taken, perhaps by a platform that runs already", port).Mend("stop it, or choose another with --port")
	case err != nil:
		return nil, errs.New(errs.Invalid, "port %d: %w", port, err).Mend("choose another with --port")
	}
	return l, nil
}
