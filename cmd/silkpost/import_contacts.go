package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"silkpost/internal/app"
	"silkpost/internal/errs"
	"silkpost/subscribers"
)

type importContactsCmd struct {
	File      string      `arg:"" help:"CSV file with a column email."`
	List      string      `help:"Slug of the list." required:"" placeholder:"SLUG"`
	Consent   string      `help:"On which basis these people may be mailed; without it they stay pending." placeholder:"TEXT"`
	Map       []columnMap `help:"What columns are that are not known by their names; - leaves one out." placeholder:"COLUMN=FIELD,…" sep:"none"`
	Encoding  string      `help:"How the file is encoded, where that is not found out: windows-1252, gbk, …" placeholder:"NAME"`
	DryRun    bool        `help:"Say what would be imported; change nothing."`
	KeepGoing bool        `help:"Import the good rows when there are refused ones."`
	Refused   string      `help:"Where --keep-going writes the refused rows (default: FILE.refused.csv)." placeholder:"FILE"`
	JSON      bool        `help:"Print what became of each row as JSON." name:"json"`
}

// columnMap says what columns are.
type columnMap struct{ subscribers.ColumnMap }

// UnmarshalText reads "Their column=email,…".
func (m *columnMap) UnmarshalText(text []byte) (err error) {
	m.ColumnMap, err = subscribers.ParseColumnMap(string(text))
	return err
}

func (c *importContactsCmd) Run(e *env) error {
	file, err := openFile(c.File)
	if err != nil {
		return err
	}
	defer file.Close()
	again, err := rereadable(file)
	if err != nil {
		return err
	}
	defer again.Close()
	listing, err := c.newListing(e.stdout)
	if err != nil {
		return err
	}
	defer listing.close()
	refused := &refusedFile{input: c.File, path: c.Refused}
	if again != file {
		refused.input = ""
	}
	bar := newProgressBar(e.stderr)
	o := subscribers.ImportOptions{
		List: c.List, Consent: c.Consent, Origin: filepath.Base(c.File), Actor: byHand, Encoding: c.Encoding, DryRun: c.DryRun, KeepGoing: c.KeepGoing,
		Opened: listing.opened, Progress: bar.show,
	}
	if c.DryRun || c.JSON {
		o.Each = listing.row
	}
	for _, m := range c.Map {
		o.Map = append(o.Map, m.ColumnMap...)
	}
	if c.KeepGoing && (!c.DryRun || c.Refused != "") {
		o.Refused = refused.create
	}
	return e.open(func(ctx context.Context, a *app.App) error {
		done, err := a.ImportContacts(ctx, again, o)
		bar.end(err == nil)
		if err != nil {
			refused.remove()
		}
		return errors.Join(listing.print(done, err), c.failure(done, refused, err))
	})
}

// failure is what the command fails with: the import's own error, or that rows were refused.
func (c *importContactsCmd) failure(done subscribers.ImportResult, refused *refusedFile, err error) error {
	switch {
	case err != nil && done.Refused > 1:
		return errs.New(errs.Invalid, "%s: nothing imported: %s refused, as listed above", c.File, counted(done.Refused, "row"))
	case errs.KindOf(err) == errs.Invalid:
		return errs.New(errs.Invalid, "%s: %w", c.File, err)
	case err != nil:
		return err
	}
	err = refusedSome(done.Refused, "row", c.DryRun)
	if refused.made {
		err = errs.New(errs.Invalid, "%w; the refused rows are in %s", err, refused.path)
	}
	return err
}

// refusedFile is the file for refused rows. It never takes the place of another one: somebody may have mended the rows in there.
type refusedFile struct {
	input string // "": a pipe
	path  string // "": the first that is free of partners.refused.csv, partners.refused-2.csv, … beside partners.csv
	made  bool
}

func (f *refusedFile) create() (io.WriteCloser, error) {
	path := f.path
	switch {
	case path == "" && f.input == "":
		return nil, errs.New(errs.Invalid, "there are refused rows: name a file for them with --refused")
	case path == "":
		path = f.beside(1)
	}
	file, err := os.OpenFile(path, os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o600) // it holds people
	for n := 2; f.path == "" && n < 1000 && errors.Is(err, fs.ErrExist); n++ {
		path = f.beside(n)
		file, err = os.OpenFile(path, os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o600)
	}
	switch {
	case errors.Is(err, fs.ErrExist):
		return nil, errs.New(errs.Invalid, "the refused rows would go to %s, which is there already: name another file with --refused", path)
	case err != nil:
		return nil, errs.New(errs.Invalid, "the refused rows cannot be written: %w; name a file for them with --refused", err)
	}
	f.path, f.made = path, true
	return file, nil
}

func (f *refusedFile) beside(n int) string {
	extension := filepath.Ext(f.input)
	if !slices.Contains([]string{".csv", ".tsv", ".txt"}, strings.ToLower(extension)) {
		extension = ""
	}
	name := strings.TrimSuffix(f.input, extension) + ".refused"
	if n > 1 {
		name += fmt.Sprint("-", n)
	}
	return name + ".csv"
}

// remove takes the file away again when the import it belongs to was not done.
func (f *refusedFile) remove() {
	if f.made {
		_ = os.Remove(f.path)
	}
}

// rereadable returns a file that can be read more than once: a pipe is copied first.
func rereadable(file *os.File) (*os.File, error) {
	if _, err := file.Seek(0, io.SeekCurrent); err == nil {
		return file, nil
	}
	copied, err := scratchFile()
	if err != nil {
		return nil, err
	}
	if _, err := io.Copy(copied, file); err != nil {
		return nil, errors.Join(err, copied.Close())
	}
	return copied, nil
}

// scratchFile returns a file that is gone when it is closed.
func scratchFile() (*os.File, error) {
	file, err := os.CreateTemp("", "silkpost-")
	if err == nil {
		err = os.Remove(file.Name())
	}
	return file, err
}

// pending says who gets no mail yet.
func pending(n int, consent string) string {
	switch {
	case n == 0:
		return ""
	case strings.TrimSpace(consent) == "":
		return fmt.Sprintf("; %s pending: no consent was given (--consent)", thousands(n))
	}
	return fmt.Sprintf("; %s pending: their rows speak against consent", thousands(n))
}

// stays says who was not brought back, and who was not let in.
func stays(done subscribers.ImportResult) (text string) {
	if done.Left > 0 {
		stay := "stay unsubscribed, as they asked to be"
		if done.Left == 1 {
			stay = "stays unsubscribed, as they asked to be"
		}
		text += fmt.Sprintf(" %s %s.", counted(done.Left, "contact"), stay)
	}
	if done.Ended > 0 {
		text += fmt.Sprintf(" %s unsubscribed, as the file says.", counted(done.Ended, "contact"))
	}
	if done.Suppressed > 0 {
		text += fmt.Sprintf(" %s suppressed: no list mails them.", counted(done.Suppressed, "contact"))
	}
	return text
}
