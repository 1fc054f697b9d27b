package main

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/google/uuid"

	"silkpost/feeds"
	"silkpost/internal/errs"
	"silkpost/subscribers"
)

// The values that people write behind a command. Each says in words what it cannot be.

// moment is a point in time.
type moment struct{ time.Time }

// UnmarshalText reads RFC 3339.
func (m *moment) UnmarshalText(text []byte) (err error) {
	if m.Time, err = time.Parse(time.RFC3339, string(text)); err != nil {
		return fmt.Errorf("%q is not a time such as 2026-05-18T17:00:00+08:00", text)
	}
	return nil
}

// length is how long something takes.
type length time.Duration

// UnmarshalText reads what Go calls a duration, above nothing.
func (l *length) UnmarshalText(text []byte) error {
	read, err := time.ParseDuration(string(text))
	if err != nil || read <= 0 {
		return fmt.Errorf("%q is not a length of time such as 30s or 5m", text)
	}
	*l = length(read)
	return nil
}

// String returns it as people write it.
func (l length) String() string { return time.Duration(l).String() }

// editionID names an edition.
type editionID struct{ uuid.UUID }

// UnmarshalText reads what edition list prints.
func (id *editionID) UnmarshalText(text []byte) (err error) {
	if id.UUID, err = uuid.ParseBytes(text); err != nil {
		return fmt.Errorf("%q is not the id of an edition: silkpost edition list shows them", text)
	}
	return nil
}

// rhythm is one of those that there are; "" is none.
type rhythm string

// UnmarshalText reads its name.
func (r *rhythm) UnmarshalText(text []byte) error {
	if *r = rhythm(text); !slices.Contains(subscribers.Rhythms, string(text)) {
		return fmt.Errorf("%q is not a rhythm; there are %s", text, strings.Join(subscribers.Rhythms, ", "))
	}
	return nil
}

// feedFormat is one of the three; "" is none.
type feedFormat feeds.Format

// UnmarshalText reads its name.
func (f *feedFormat) UnmarshalText(text []byte) error {
	read, err := feeds.ParseFormat(string(text))
	*f = feedFormat(read)
	return err
}

// privateID names a private feed.
type privateID int64

// UnmarshalText reads what feed list --private prints.
func (id *privateID) UnmarshalText(text []byte) error {
	read, err := strconv.ParseInt(string(text), 10, 64)
	if err != nil {
		return fmt.Errorf("%q is not the id of a private feed: silkpost feed list --private shows them", text)
	}
	*id = privateID(read)
	return nil
}

// reason is why an address must not be mailed.
type reason subscribers.Reason

// UnmarshalText reads one that people may give.
func (r *reason) UnmarshalText(text []byte) error {
	read, err := subscribers.ParseReason(string(text))
	*r = reason(read)
	return err
}

// openFile opens a file that was named on the command line.
func openFile(path string) (*os.File, error) {
	file, err := os.Open(path)
	switch {
	case errors.Is(err, fs.ErrNotExist):
		return nil, errs.New(errs.Invalid, "%s: there is no such file", path)
	case errors.Is(err, fs.ErrPermission):
		return nil, errs.New(errs.Invalid, "%s: permission to read it is missing", path)
	case err != nil:
		return nil, errs.New(errs.Invalid, "%w", err)
	}
	info, err := file.Stat()
	if err == nil && info.IsDir() {
		err = errs.New(errs.Invalid, "%s: this is a folder; name a file in it", path)
	}
	if err != nil {
		_ = file.Close()
		return nil, err
	}
	return file, nil
}
