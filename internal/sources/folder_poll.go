package sources

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io/fs"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"github.com/jmoiron/sqlx"

	"silkpost/internal/articles"
	"silkpost/internal/database"
	"silkpost/internal/errs"
)

// settling is for how long a file that was just written is left alone: it may not be whole yet.
const settling = 5 * time.Second

// pollFolder takes in what changed in a watched folder. Its files are only read when one of them came, went or was written since.
// Files that are no articles are told, and those that are good are taken in; what is taken away from the folder stays published.
func (p *Poller) pollFolder(ctx context.Context, source articles.Source, now time.Time) (Outcome, error) {
	out := Outcome{Archive: isArchive(source)}
	mark, err := folderMark(ctx, source.Settings.Path, now)
	if err != nil {
		return Outcome{}, err
	}
	polled := articles.Polled{At: now, Next: now.Add(source.Every), ETag: mark}
	if mark == source.ETag && source.PolledAt != nil {
		out.Same = SameFiles
		return out, p.Store.RecordPoll(ctx, p.DB, source, polled)
	}
	files, err := readPaths(ctx, func(info fs.FileInfo) bool { return isYoung(info, now) }, source.Settings.Path)
	if err != nil {
		return Outcome{}, err
	}
	files.Refused = slices.DeleteFunc(files.Refused, func(r Refused) bool { return r.Path == source.Settings.Path }) // it may be empty
	err = database.Transact(ctx, p.DB, func(tx *sqlx.Tx) (err error) {
		out.Refused = files.Refused
		save := articles.SaveOptions{Now: now, Archive: out.Archive, Polled: true, Refuse: func(path string, err error) {
			out.Refused = append(out.Refused, Refused{Path: path, Err: err})
		}}
		if out.Result, err = p.Store.Save(ctx, tx, source, files.Drafts, save); err != nil {
			return err
		}
		if err := p.Store.Remark(ctx, tx, source, remark(out.Refused)); err != nil {
			return err
		}
		return p.Store.RecordPoll(ctx, tx, source, polled)
	})
	return out, err
}

// remark says which files a poll could not take in; "" when there are none.
func remark(refused []Refused) string {
	const most = 3
	var reasons []string
	for _, r := range refused[:min(len(refused), most)] {
		reasons = append(reasons, r.Err.Error())
	}
	if more := len(refused) - most; more > 0 {
		reasons = append(reasons, fmt.Sprintf("and %d more", more))
	}
	return strings.Join(reasons, "; ")
}

// folderMark returns what tells whether anything in a folder changed: the names, sizes and times of its files; "" while one of them
// is being written. What cannot be looked at is an error of kind errs.Unavailable.
func folderMark(ctx context.Context, root string, now time.Time) (string, error) {
	sum := sha256.New()
	young := false
	err := filepath.WalkDir(root, func(path string, entry fs.DirEntry, err error) error {
		switch {
		case ctx.Err() != nil:
			return ctx.Err()
		case errors.Is(err, fs.ErrNotExist) && path != root: // it has just gone
			return nil
		case err != nil:
			return errs.New(errs.Unavailable, "%s: %w", path, plainCause(err))
		case path != root && strings.HasPrefix(entry.Name(), "."):
			if entry.IsDir() {
				return filepath.SkipDir
			}
			return nil
		case entry.IsDir():
			return nil
		}
		info, err := entry.Info()
		if errors.Is(err, fs.ErrNotExist) {
			return nil
		}
		if err != nil {
			return errs.New(errs.Unavailable, "%s: %w", path, plainCause(err))
		}
		young = young || isYoung(info, now)
		fmt.Fprintf(sum, "%s\x00%d\x00%d\n", path, info.Size(), info.ModTime().UnixNano())
		return nil
	})
	if err != nil || young {
		return "", err
	}
	return "files:" + hex.EncodeToString(sum.Sum(nil)), nil
}

func isYoung(info fs.FileInfo, now time.Time) bool {
	age := now.Sub(info.ModTime())
	return age >= 0 && age < settling
}
