package archive

import (
	"fmt"
	"slices"
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
	known := map[int64]articles.Article{
		1: {ID: 1, Language: "sr-Latn", UpdatedAt: at}, 2: {ID: 2, Language: "sr", UpdatedAt: at}, 3: {ID: 3, Language: "en", UpdatedAt: at},
		4: {ID: 4, Language: "en-GB", UpdatedAt: at}, 5: {ID: 5, Language: "ru", UpdatedAt: at.Add(time.Minute)},
		6: {ID: 6, Language: "uk", UpdatedAt: at, WithdrawnAt: &withdrawn},
	}
	rows := []held{
		{GroupID: 9, ArticleID: 3},
		{GroupID: 9, ArticleID: 1},
		{GroupID: 9, ArticleID: 2},
		{GroupID: 7, ArticleID: 4},
		{GroupID: 8, ArticleID: 5},
		{GroupID: 8, ArticleID: 6},
		{GroupID: 6, ArticleID: 77},
	}
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
	} {
		e := Edition{WentOut: at}
		e.choose(slices.Clone(rows), known, tag, "en")
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
	e := Edition{WentOut: at}
	if e.choose(rows[4:5], known, "ru", "en"); !e.Updated.Equal(at.Add(time.Minute)) {
		t.Errorf("an edit dates it %v", e.Updated)
	}
}
