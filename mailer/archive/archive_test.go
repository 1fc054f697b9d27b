package archive

import (
	"fmt"
	"testing"
	"time"

	"silkpost/internal/articles"
)

// Of each article a reader gets the version in their language, the very tag before one of the same language and script, else the list's, marked;
// else none. Articles stay in their order.
func TestChoose(t *testing.T) {
	t.Parallel()
	at := time.Date(2026, 11, 20, 9, 0, 0, 0, time.UTC)
	withdrawn := at.Add(time.Hour)
	known := map[int64][]articles.Article{
		9: {
			{ID: 1, Language: "sr-Latn", UpdatedAt: at, FirstSeenAt: at},
			{ID: 2, Language: "sr", UpdatedAt: at},
			{ID: 3, Language: "en", UpdatedAt: at},
			{ID: 7, Language: "fr", FirstSeenAt: at.Add(time.Second)},
			{ID: 8, Language: "de", FirstSeenAt: at.Add(time.Second)},
		},
		7: {{ID: 4, Language: "en-GB", UpdatedAt: at}},
		8: {{ID: 5, Language: "ru", UpdatedAt: at.Add(time.Minute)}, {ID: 6, Language: "uk", UpdatedAt: at, WithdrawnAt: &withdrawn}},
	}
	rows := []held{{GroupID: 9, Sent: []int64{3, 8}}, {GroupID: 7, Sent: []int64{4}}, {GroupID: 8, Sent: []int64{5}}, {GroupID: 6, Sent: []int64{77}}}
	for tag, want := range map[string]struct {
		articles string
		updated  time.Time
	}{
		"sr":      {"[2 4*]", withdrawn},
		"sr-Latn": {"[1 4*]", withdrawn},
		"en":      {"[3 4]", withdrawn},
		"en-GB":   {"[3 4]", withdrawn},
		"uk":      {"[3* 4*]", withdrawn}, // never the Russian one
		"ru":      {"[3* 4* 5]", withdrawn},
		"fr":      {"[3* 4*]", withdrawn}, // it came later
		"de":      {"[8 4*]", withdrawn},  // that too, and yet it was sent
	} {
		e := Edition{WentOut: at}
		e.choose(rows, known, tag, "en")
		got := []string{}
		for _, a := range e.Articles {
			mark := ""
			if a.Fallback {
				mark = "*"
			}
			got = append(got, fmt.Sprint(a.ID, mark))
		}
		if fmt.Sprint(got) != want.articles || !e.Updated.Equal(want.updated) {
			t.Errorf("%s: %v of %v, want %+v", tag, got, e.Updated, want)
		}
	}
	known[8] = known[8][:1]
	e := Edition{WentOut: at}
	if e.choose(rows[2:3], known, "ru", "en"); !e.Updated.Equal(at.Add(time.Minute)) {
		t.Errorf("an edit dates it %v", e.Updated)
	}
}
