package articles

import (
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"silkpost/internal/errs"
	"silkpost/internal/testkit"
)

func TestSettingsCount(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct {
		include, exclude []string
		url              string
		want             bool
	}{
		{nil, nil, "https://www.example.org/anything", true},
		{[]string{"/news/*"}, nil, "https://www.example.org/news/hall", true},
		{[]string{"/news/*"}, nil, "https://www.example.org/old/news/hall", false},
		{[]string{"*/news/*"}, nil, "https://www.example.org/old/news/hall", true},
		{[]string{"/news/*"}, []string{"*/print"}, "https://www.example.org/news/hall/print", false},
		{[]string{"/view.asp?id=*"}, nil, "https://www.example.org/view.asp?id=12", true},
		{[]string{"/a*b*c"}, nil, "https://www.example.org/a-b-b-c", true},
		{[]string{"/a*b*c"}, nil, "https://www.example.org/a-c-b", false},
		{[]string{"/news"}, nil, "https://www.example.org/news/hall", false},
		{nil, []string{"*"}, "https://www.example.org/", false},
	} {
		if got := (Settings{Include: tt.include, Exclude: tt.exclude}).Counts(tt.url); got != tt.want {
			t.Errorf("%v without %v: %s counts %t", tt.include, tt.exclude, tt.url, got)
		}
	}
}

func TestSettingsAreKept(t *testing.T) {
	t.Parallel()
	db, store := testkit.DB(t), &Store{}
	want := Settings{
		Columns: nil, Listing: Listing{Item: "li", Next: `a[rel~="next"]`}, Include: []string{"/news/*"}, MaxPages: 5, Content: ".text",
		Remove: []string{".share"}, TimeZone: "Asia/Shanghai", FirstPoll: FirstPollDue,
	}
	source := Source{Slug: "site", Kind: KindHTML, URL: "https://www.example.org/news/", Settings: want}
	for i, changed := range []bool{true, false} {
		got, wrote, err := store.UpsertSource(t.Context(), db, source, monday)
		if err != nil || wrote != changed {
			t.Fatalf("declared for the %d. time: wrote %t, %v", i+1, wrote, err)
		}
		if diff := cmp.Diff(want, got.Settings); diff != "" {
			t.Error(diff)
		}
	}
}

func TestSettingsRefused(t *testing.T) {
	t.Parallel()
	for says, source := range map[string]Source{
		"first_poll means nothing for a folder":    {Kind: KindFolder, Settings: Settings{FirstPoll: FirstPollDue}},
		`columns means nothing for kind "html"`:    {Kind: KindHTML, Settings: Settings{Columns: []string{"/col/col1/"}, Listing: Listing{Item: "li"}}},
		`listing means nothing for kind "feed"`:    {Kind: KindFeed, Settings: Settings{Listing: Listing{Item: "li"}}},
		`listing: item is missing`:                 {Kind: KindHTML},
		`max_pages 101: use 1 to 100`:              {Kind: KindSitemap, Settings: Settings{MaxPages: 101}},
		`first_poll "later"`:                       {Kind: KindJCMS, Settings: Settings{FirstPoll: "later"}},
		`columns: "ftp://x/" is not a web address`: {Kind: KindJCMS, Settings: Settings{Columns: []string{"ftp://x/"}}},
		`kind "ftp" does not exist; kinds are`:     {Kind: "ftp"},
	} {
		source.Slug, source.URL = "site", "https://www.example.org/"
		if _, err := checkSource(source); errs.KindOf(err) != errs.Invalid || !strings.Contains(err.Error(), says) {
			t.Errorf("%v, want %q", err, says)
		}
	}
}
