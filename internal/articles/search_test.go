package articles

import (
	"slices"
	"strings"
	"testing"

	"github.com/jmoiron/sqlx"
	"pgregory.net/rapid"

	"silkpost/internal/database"
)

// found returns the titles that a search finds, in the order in which they come.
func (b *bench) found(t testing.TB, q Search) (titles []string) {
	t.Helper()
	err := database.Transact(t.Context(), b.db, func(tx *sqlx.Tx) error {
		titles = nil
		all, err := b.Find(t.Context(), tx, q, Place{}, 100)
		for _, a := range all {
			titles = append(titles, a.Title)
		}
		if err != nil {
			return err
		}
		n, err := b.CountFound(t.Context(), tx, q, 1000)
		if n != len(titles) {
			t.Errorf("%+v: %d found, %d counted", q, len(titles), n)
		}
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	return titles
}

func TestFindAcrossScripts(t *testing.T) {
	t.Parallel()
	b := setup(t)
	for tag, text := range map[string]string{
		"en":      "The robots' relay at the café opened; naïve visitors asked about O'Brien and its 41 teams.",
		"de":      "Straße, Größe und Übermut",
		"zh-Hans": "机器人接力赛在体育馆举行，四十一支队伍参加",
		"ja":      "ロボットのリレー競技が体育館で開かれた。ガッツ",
		"th":      "การแข่งขันหุ่นยนต์ที่โรงยิม น้ำใจ",
		"ru":      "Эстафета роботов прошла в спортивном зале. Ёлка",
		"ar":      "سِباق الرُّوبوتات في الصالة الرياضية إلى النهاية",
		"ko":      "로봇들의 계주가 체육관에서 열렸다",
		"he":      "שָׁלוֹם לרובוטים",
		"hi":      "रोबोट दौड़ खेल हॉल में",
		"vi":      "Cuộc đua tiếp sức của rô-bốt",
	} {
		b.save(t, monday, Draft{ExternalKey: tag, Title: tag, Text: text, Language: tag})
	}
	for words, want := range map[string]string{
		"robot": "en", "ROBOTS relay": "en", "cafe": "en", "CAFÉ": "en", "naive": "en", "o'brien": "en", "41": "en", "strasse": "de", "grosse": "de", "uber": "de",
		"机器人": "zh-Hans", "接力赛": "zh-Hans", "器人接": "zh-Hans", "队": "zh-Hans", "加": "zh-Hans", "四十一支 体育馆": "zh-Hans",
		"ロボット": "ja", "リレー": "ja", "ﾛﾎﾞｯﾄ": "ja", "競技": "ja", "がっつ": "", "ガッツ": "ja", "カッツ": "",
		"หุ่นยนต์": "th", "โรงยิม": "th", "น้ำใจ": "th", "робот": "ru", "ЗАЛЕ": "ru", "елка": "ru", "ёлка": "ru",
		"روبوتات": "", "الروبوتات": "ar", "سباق": "ar", "الي": "ar", "الى": "ar", "الرياضيه": "ar", "로봇": "ko", "체육관": "ko", "שלום": "he",
		"दौड़": "hi", "cuoc dua": "vi", "tiếp": "vi", "体育館": "ja", "体育馆": "zh-Hans", "体育": "ja zh-Hans",
		"robot relay nowhere": "", "teamsters": "", "bots": "", "!?": "", "机人": "",
	} {
		got := b.found(t, Search{Words: words})
		slices.Sort(got)
		if strings.Join(got, " ") != want {
			t.Errorf("%q finds %q, not %q", words, got, want)
		}
	}
}

func TestFindFilters(t *testing.T) {
	t.Parallel()
	b := setup(t)
	other := b.folder(t, "other")
	long := strings.Repeat("长", 200)
	b.save(t, monday, Draft{ExternalKey: "a", Title: "A", Text: "One.", Language: "en-GB", Section: "News", Tags: []string{"robots", "it's a \\ tag & | !"}})
	b.save(t, monday, Draft{ExternalKey: "b", Title: "B", Text: "Two.", Language: "it", Section: "news", Urgent: true})
	if _, err := b.try(t.Context(), other, SaveOptions{Now: monday}, Draft{ExternalKey: "c", Title: "C", Text: "One.", Language: "en", Section: long, Pinned: true}); err != nil {
		t.Fatal(err)
	}
	type find struct {
		q      Search
		titles string
	}
	check := func(when string, all ...find) {
		t.Helper()
		for _, f := range all {
			got := b.found(t, f.q)
			slices.Sort(got)
			if strings.Join(got, "") != f.titles {
				t.Errorf("%s, %+v finds %q, not %q", when, f.q, got, f.titles)
			}
		}
	}
	check("at first",
		find{Search{}, "ABC"}, find{Search{Section: "News"}, "A"}, find{Search{Section: "news"}, "B"}, find{Search{Section: "New"}, ""}, find{Search{Section: long}, "C"},
		find{Search{Language: "en"}, "AC"}, find{Search{Source: "other"}, "C"}, find{Search{Source: "files"}, "AB"},
		find{Search{Tag: "robots"}, "A"}, find{Search{Tag: "it's a \\ tag & | !"}, "A"},
		find{Search{Marked: MarkedUrgent}, "B"}, find{Search{Marked: MarkedPinned}, "C"}, find{Search{Marked: MarkedWithdrawn}, ""}, find{Search{Marked: MarkedEdited}, ""},
		find{Search{Words: "one"}, "AC"}, find{Search{Words: "one", Source: "files"}, "A"}, find{Search{Words: "one", Language: "it"}, ""})
	title, yes, no := "Otherwise", true, false
	slugs := map[string]string{}
	for _, a := range b.all(t) {
		slugs[a.Title] = a.Slug
	}
	if err := second(b.Withdraw(t.Context(), b.db, slugs["B"], monday)); err != nil {
		t.Fatal(err)
	}
	if err := second(b.Edit(t.Context(), b.db, slugs["A"], "somebody", Edit{Title: &title}, monday)); err != nil {
		t.Fatal(err)
	}
	if err := second(b.Mark(t.Context(), b.db, slugs["C"], &yes, &no, monday)); err != nil {
		t.Fatal(err)
	}
	check("changed",
		find{Search{}, "COtherwise"}, find{Search{Marked: MarkedWithdrawn}, "B"}, find{Search{Words: "otherwise"}, "Otherwise"}, find{Search{Words: "two"}, ""},
		find{Search{Marked: MarkedEdited}, "Otherwise"}, find{Search{Marked: MarkedUrgent}, "C"}, find{Search{Marked: MarkedPinned}, ""})
	if err := second(b.TakeBack(t.Context(), b.db, slugs["A"], "somebody", monday)); err != nil {
		t.Fatal(err)
	}
	if err := second(b.Restore(t.Context(), b.db, slugs["B"], monday)); err != nil {
		t.Fatal(err)
	}
	check("back", find{Search{}, "ABC"}, find{Search{Marked: MarkedEdited}, ""}, find{Search{Words: "two"}, "B"})
}

func second[A, B any](_ A, _ B, err error) error { return err }

func TestFindPageByPage(t *testing.T) {
	t.Parallel()
	b := setup(t)
	b.save(t, monday, numbered("n", 0, 25)...)
	for _, q := range []Search{{}, {Words: "water"}, {Source: "files"}} {
		var seen []string
		for place := (Place{}); ; {
			var some []Article
			if err := database.Transact(t.Context(), b.db, func(tx *sqlx.Tx) (err error) {
				some, err = b.Find(t.Context(), tx, q, place, 10)
				return err
			}); err != nil {
				t.Fatal(err)
			}
			if len(some) == 0 {
				break
			}
			for _, a := range some {
				seen = append(seen, a.Slug)
			}
			last := some[len(some)-1]
			place = Place{At: last.PublishedAt, ID: last.ID}
		}
		if unique := slices.Compact(slices.Sorted(slices.Values(seen))); len(seen) != len(unique) || q.Words == "" && len(seen) != 25 {
			t.Errorf("%+v: %d seen, %d of them different", q, len(seen), len(unique))
		}
	}
}

func TestIndexMissing(t *testing.T) {
	t.Parallel()
	b := setup(t)
	b.save(t, monday, numbered("n", 0, 450)...)
	b.db.MustExec(`DELETE FROM articles.search WHERE article_id % 2 = 0`)
	rounds := 0
	for last := int64(0); rounds == 0 || last > 0; rounds++ {
		var err error
		if last, err = b.IndexMissing(t.Context(), b.db, last); err != nil {
			t.Fatal(err)
		}
	}
	var n int
	if err := b.db.Get(&n, `SELECT count(*) FROM articles.search`); err != nil || n != 450 || rounds != 3 {
		t.Errorf("%d are found after %d rounds, %v", n, rounds, err)
	}
}

// Whatever stretch of a text somebody looks for, the article is found.
func TestTermsFindEveryStretch(t *testing.T) {
	t.Parallel()
	words := rapid.StringOfN(rapid.RuneFrom([]rune("aéßЁй機械人ガのหุ่น้ำ로봇شري \u200e-'\\&|!:*()<>")), 1, 30, -1)
	rapid.Check(t, func(t *rapid.T) {
		text := words.Draw(t, "text")
		all := terms(text)
		runs(folded(text), func(word string) {
			if !slices.Contains(all, word) {
				t.Fatalf("%q is no term of %q", word, text)
			}
		}, func(stretch string) {
			run := []rune(stretch)
			from := rapid.IntRange(0, len(run)-1).Draw(t, "from")
			to := rapid.IntRange(from+1, len(run)).Draw(t, "to")
			for part := range strings.SplitSeq(conditionOf(string(run[from:to])), " & ") {
				part, begins := strings.CutSuffix(part, ":*")
				part = strings.Trim(part, "'")
				if !slices.ContainsFunc(all, func(term string) bool { return term == part || begins && strings.HasPrefix(term, part) }) {
					t.Fatalf("%q of %q is not found in %q", part, string(run[from:to]), text)
				}
			}
		})
	})
}

// Whatever somebody writes into the field, Postgres takes it.
func TestEverythingCanBeLookedFor(t *testing.T) {
	t.Parallel()
	b := setup(t)
	b.save(t, monday, Draft{ExternalKey: "a", Title: "A", Text: "One.", Language: "en"})
	rapid.Check(t, func(t *rapid.T) {
		q := Search{
			Words: rapid.String().Draw(t, "words"), Tag: rapid.String().Draw(t, "tag"), Section: rapid.String().Draw(t, "section"),
			Language: rapid.SampledFrom([]string{"", "en", "x'y", "\x00"}).Draw(t, "language"), Source: rapid.SampledFrom([]string{"", "files", "'"}).Draw(t, "source"),
		}
		if err := database.Transact(t.Context(), b.db, func(tx *sqlx.Tx) error {
			_, err := b.Find(t.Context(), tx, q, Place{}, 10)
			return err
		}); err != nil {
			t.Fatal(err)
		}
	})
}
