package sample_test

import (
	"encoding/csv"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/pelletier/go-toml/v2"

	"silkpost/internal/app/sample"
	"silkpost/internal/language"
	"silkpost/internal/sources"
	"silkpost/internal/testkit"
	"silkpost/subscribers"
)

func TestMain(m *testing.M) { testkit.Main(m) }

func TestPartners(t *testing.T) {
	t.Parallel()
	db := testkit.DB(t)
	for _, want := range []subscribers.ImportResult{{Imported: 30}, {Unchanged: 30}} {
		file, err := sample.FS.Open(sample.Partners)
		if err != nil {
			t.Fatal(err)
		}
		got, err := subscribers.ImportContacts(t.Context(), db, file.(io.ReadSeeker), subscribers.ImportOptions{
			List: "partners", Consent: sample.Consent, Now: time.Date(2026, 6, 1, 8, 0, 0, 0, time.UTC),
		})
		_ = file.Close()
		if err != nil {
			t.Fatal(err)
		}
		if diff := cmp.Diff(want, got); diff != "" {
			t.Errorf("-want +got:\n%s", diff)
		}
	}
	var got [5]int
	err := db.QueryRowxContext(t.Context(), `
		SELECT (SELECT count(*) FROM subscribers.organisations), (SELECT count(DISTINCT country) FROM subscribers.organisations),
		       (SELECT count(DISTINCT languages[1]) FROM subscribers.contacts), (SELECT count(DISTINCT rhythm) FROM subscribers.mailable),
		       (SELECT count(*) FROM subscribers.mailable)`).Scan(&got[0], &got[1], &got[2], &got[3], &got[4])
	if err != nil {
		t.Fatal(err)
	}
	if want := [5]int{12, 12, 14, 4, 30}; got != want {
		t.Errorf("organisations, countries, first languages, rhythms, mailable: %v, want %v", got, want)
	}
}

// Nobody who exists may get what a demo sends.
func TestPartnersAreAtReservedDomains(t *testing.T) {
	t.Parallel()
	file, err := sample.FS.Open(sample.Partners)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = file.Close() }()
	rows, err := csv.NewReader(file).ReadAll()
	if err != nil {
		t.Fatal(err)
	}
	for _, row := range rows[1:] {
		if !strings.HasSuffix(row[0], ".example") {
			t.Errorf("%s is not at a reserved domain", row[0])
		}
	}
}

func TestArticles(t *testing.T) {
	t.Parallel()
	files, err := sources.ReadPaths(t.Context(), unpack(t))
	if err != nil || files.Err() != nil {
		t.Fatal(err, files.Err())
	}
	groups := map[string][]string{}
	undated := 0
	for _, d := range files.Drafts {
		if d.ExternalKey == "" || d.HTML == "" || len(d.Tags) == 0 || !slices.Contains([]string{"News", "Events"}, d.Section) {
			t.Errorf("%q: key %q, section %q, tags %v", d.Title, d.ExternalKey, d.Section, d.Tags)
		}
		if tag, err := language.Parse(d.Language); err != nil || tag != d.Language {
			t.Errorf("%q: language %q, %v", d.Title, d.Language, err)
		}
		if n := strings.Count(d.HTML, "<p>"); n < 3 || n > 5 {
			t.Errorf("%q: %d paragraphs", d.Title, n)
		}
		if d.Published.IsZero() {
			undated++
		}
		key := d.TranslationKey
		if key == "" {
			key = d.ExternalKey
		}
		groups[key] = append(groups[key], d.Language)
	}
	for _, languages := range groups {
		slices.Sort(languages)
	}
	want := map[string][]string{
		"robot-relay-2026": {"en", "it", "zh-Hans"}, "exchange-programme-2026": {"ar", "en"}, "museum-exchange-2026": {"en", "it"},
		"river-schools-2026": {"en", "ru"}, "astronomy-evening-en": {"en"}, "reading-week-2026-zh-hans": {"zh-Hans"},
	}
	if diff := cmp.Diff(want, groups); diff != "" {
		t.Errorf("-want +got:\n%s", diff)
	}
	if undated != 1 {
		t.Errorf("%d without a date, want 1", undated)
	}
}

// unpack writes the articles into a folder, as the demo does.
func unpack(t *testing.T) string {
	t.Helper()
	articles, err := fs.Sub(sample.FS, sample.Articles)
	if err != nil {
		t.Fatal(err)
	}
	dir := filepath.Join(t.TempDir(), "articles")
	if err := os.CopyFS(dir, articles); err != nil {
		t.Fatal(err)
	}
	return dir
}

// Whether silkpost apply takes the settings the main job's tests say.
func TestSettings(t *testing.T) {
	t.Parallel()
	text, err := sample.FS.ReadFile(sample.Settings)
	if err != nil {
		t.Fatal(err)
	}
	var settings struct {
		List []subscribers.List `toml:"list"`
		Feed []struct {
			Slug    string              `toml:"slug"`
			Title   map[string]string   `toml:"title"`
			Select  map[string][]string `toml:"select"`
			Content string              `toml:"content"`
			Limit   int                 `toml:"limit"`
		} `toml:"feed"`
	}
	decoder := toml.NewDecoder(strings.NewReader(string(text)))
	if err := decoder.DisallowUnknownFields().Decode(&settings); err != nil {
		t.Fatal(err)
	}
	if len(settings.List) != 1 || len(settings.Feed) != 1 {
		t.Fatalf("%d lists, %d feeds", len(settings.List), len(settings.Feed))
	}
	list := settings.List[0]
	if list.Sender.Address == "" || list.PostalAddress == "" {
		t.Error("the list could not send")
	}
	for _, tag := range []string{"en", "zh-Hans", "it", "ar"} {
		if list.Name[tag] == "" || settings.Feed[0].Title[tag] == "" {
			t.Errorf("no name in %s", tag)
		}
	}
}
