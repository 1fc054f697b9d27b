package catcher

import (
	"cmp"
	"crypto/rand"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"log/slog"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"sync"
	"time"

	"silkpost/internal/clock"
	"silkpost/internal/errs"
)

const (
	ending     = ".eml"
	tempEnding = ".part"
	idTime     = "20060102T150405.000000Z"
	maxHead    = 64 << 10 // of a file, read for the list when a catcher starts
)

// idForm is what every id looks like; nothing else ever becomes a path.
var idForm = regexp.MustCompile(`^[0-9]{8}T[0-9]{6}\.[0-9]{6}Z-[0-9a-f]{8}$`)

// store is the directory of messages, and the list of them in memory.
type store struct {
	dir   string
	clock clock.Clock

	mu       sync.Mutex
	last     time.Time // of the newest id
	messages []Message // by ID
}

// openStore makes sure that dir can be written and reads what it holds. Files that are not a catcher's are left alone.
func openStore(dir string, clk clock.Clock, logger *slog.Logger) (*store, error) {
	s := &store{dir: dir, clock: clk}
	if err := s.prepare(); err != nil {
		return nil, errs.New(errs.Invalid, "mail catcher: cannot keep messages in %s: %w; name a directory that can be written", dir, err)
	}
	if err := s.restore(logger); err != nil {
		return nil, errs.New(errs.Invalid, "mail catcher: cannot read the messages in %s: %w", dir, err)
	}
	return s, nil
}

// prepare makes the directory, and in it a file, to see that it can be done.
func (s *store) prepare() error {
	if err := os.MkdirAll(s.dir, 0o700); err != nil {
		return cause(err)
	}
	probe, err := os.CreateTemp(s.dir, "*"+tempEnding)
	if err != nil {
		return cause(err)
	}
	return errors.Join(probe.Close(), os.Remove(probe.Name()))
}

// cause leaves the call and the path out of an error: the sentence around it names the directory.
func cause(err error) error {
	if e := (*fs.PathError)(nil); errors.As(err, &e) {
		return e.Err
	}
	return err
}

func (s *store) restore(logger *slog.Logger) error {
	entries, err := os.ReadDir(s.dir)
	if err != nil {
		return cause(err)
	}
	for _, entry := range entries { // sorted by name, so by time
		id, isMessage := strings.CutSuffix(entry.Name(), ending)
		switch {
		case isMessage && idForm.MatchString(id):
			m, err := s.readMessage(id)
			if err != nil {
				logger.Warn("mail catcher: a message is left out", slog.Any("file", s.path(id)), slog.Any("error", err))
				continue
			}
			s.messages = append(s.messages, m)
			s.last = m.Time
		case strings.HasSuffix(entry.Name(), tempEnding): // of a catcher that was killed in the middle; never answered with 250
			_ = os.Remove(filepath.Join(s.dir, entry.Name()))
		}
	}
	return nil
}

// readMessage reads the head of a file.
func (s *store) readMessage(id string) (Message, error) {
	f, err := os.Open(s.path(id))
	if err != nil {
		return Message{}, err
	}
	defer f.Close()
	info, err := f.Stat()
	if err != nil {
		return Message{}, err
	}
	head, err := io.ReadAll(io.LimitReader(f, maxHead))
	if err != nil {
		return Message{}, err
	}
	from, to, message, err := split(head)
	if err != nil {
		return Message{}, err
	}
	return describe(id, from, to, message, int(info.Size())-(len(head)-len(message)))
}

func describe(id, from string, to []string, message []byte, size int) (Message, error) {
	stamp, _, _ := strings.Cut(id, "-")
	at, err := time.Parse(idTime, stamp)
	if err != nil {
		return Message{}, err
	}
	fields := header(message)
	return Message{
		ID: id, Time: at, From: from, To: to, Size: size,
		Subject: subject(fields), MessageID: find(fields, "Message-ID"),
	}, nil
}

// keep writes a message to its file and puts it on the list.
func (s *store) keep(env envelope, body []byte) (Message, error) {
	id, at := s.newID()
	file := append(env.prefix(id, at), body...)
	if err := s.write(id, file); err != nil {
		return Message{}, err
	}
	m, err := describe(id, env.from, env.to, body, len(body))
	if err != nil {
		return Message{}, err
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	place, _ := slices.BinarySearchFunc(s.messages, m.ID, byID) // nearly always the end
	s.messages = slices.Insert(s.messages, place, m)
	return m, nil
}

// newID returns an id that is greater than all before it.
func (s *store) newID() (string, time.Time) {
	var random [4]byte
	_, _ = rand.Read(random[:]) // never fails; keeps catchers apart that write to one directory in turn
	s.mu.Lock()
	defer s.mu.Unlock()
	at := s.clock.Now().UTC().Truncate(time.Microsecond)
	if !at.After(s.last) {
		at = s.last.Add(time.Microsecond)
	}
	s.last = at
	return at.Format(idTime) + "-" + hex.EncodeToString(random[:]), at
}

func (s *store) write(id string, file []byte) error {
	temp := filepath.Join(s.dir, id+tempEnding)
	if err := os.WriteFile(temp, file, 0o600); err != nil {
		_ = os.Remove(temp)
		return err
	}
	return os.Rename(temp, s.path(id))
}

func (s *store) path(id string) string { return filepath.Join(s.dir, id+ending) }

func byID(m Message, id string) int { return cmp.Compare(m.ID, id) }

// page returns the limit messages after the first skip ones, newest first, and how many there are in all.
func (s *store) page(skip, limit int) ([]Message, int) {
	s.mu.Lock()
	defer s.mu.Unlock()
	total := len(s.messages)
	end := max(total-max(skip, 0), 0)
	part := slices.Clone(s.messages[max(end-limit, 0):end])
	slices.Reverse(part)
	return part, total
}

func (s *store) all() []Message {
	s.mu.Lock()
	defer s.mu.Unlock()
	return slices.Clone(s.messages)
}

// open returns a message of the list and its bytes as they were sent.
func (s *store) open(id string) (Message, []byte, error) {
	s.mu.Lock()
	at, found := slices.BinarySearchFunc(s.messages, id, byID)
	var m Message
	if found {
		m = s.messages[at]
	}
	s.mu.Unlock()
	if !found {
		return Message{}, nil, noMessage(id)
	}
	file, err := os.ReadFile(s.path(id))
	if errors.Is(err, fs.ErrNotExist) {
		return Message{}, nil, noMessage(id)
	}
	if err != nil {
		return Message{}, nil, fmt.Errorf("mail catcher: %w", err)
	}
	_, _, message, err := split(file)
	if err != nil {
		return Message{}, nil, fmt.Errorf("mail catcher: %s: %w", s.path(id), err)
	}
	return m, message, nil
}

func noMessage(id string) error {
	return errs.New(errs.NotFound, "mail catcher: there is no message %q", id)
}

// Messages returns what the catcher holds, the oldest first, those included that Dir held before. Without Dir there are none.
func (c *Catcher) Messages() []Message {
	if c.store == nil {
		return nil
	}
	return c.store.all()
}

// Open returns a message and its bytes as they were sent. An id that is not in Messages, or whose file was removed, is
// errs.NotFound.
func (c *Catcher) Open(id string) (Message, []byte, error) {
	if c.store == nil {
		return Message{}, nil, noMessage(id)
	}
	return c.store.open(id)
}
