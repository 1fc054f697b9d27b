package adminpage

import "time"

// Articles lists what was published, and finds some of it.
type Articles struct {
	Rows   []ArticleRow
	Filter Fields // q, source, section, tag, language and is
	Count  int    // how many were found
	Many   bool   // Count is as far as was counted
	Pager  Pager

	Sources, Sections, Languages []string // that there are articles of
}

func (Articles) template() string { return "articles-list" }

// Filtered reports whether anything is looked for.
func (a Articles) Filtered() bool {
	for _, values := range a.Filter {
		if len(values) > 0 && values[0] != "" {
			return true
		}
	}
	return false
}

// ArticleRow is what a table says of an article.
type ArticleRow struct {
	Slug, Title, Language, Section, Source string
	PublishedAt                            time.Time

	Urgent, Pinned, Withdrawn, Archive, ByEditor bool
}

// Article is one article.
type Article struct {
	ArticleRow
	Summary, URL, PageURL, ImageURL, ImageAlt string
	Tags, Authors                             []string
	UpdatedAt, FirstSeenAt                    time.Time
	WithdrawnAt                               *time.Time // nil: published

	Edited       *ArticleEdited // nil: it is as its source gives it
	Translations []ArticleRow   // the others of its group
	Feeds        []FeedLink
	FeedsMore    bool // there are more
	Editions     []ArticleEdition
	Versions     []ArticleVersion // the latest first
	Mistakes     Mistakes         // of the form that links a translation
	Fields       Fields
}

func (Article) template() string { return "articles-one" }

// ArticleEdited is an edit that stands over an article.
type ArticleEdited struct {
	At              time.Time
	By              string
	Parts           []string
	SourceChangedAt *time.Time // the source gives something else of these parts since; nil: it does not
}

// FeedLink leads to a feed.
type FeedLink struct{ Slug, Title string }

// ArticleEdition is an edition that an article is or was in.
type ArticleEdition struct {
	ID, List, Rhythm, State string
	Date                    time.Time
	Sent                    int  // how many were sent it
	Many                    bool // Sent is as far as was counted
}

// ArticleVersion is what an article was for some time.
type ArticleVersion struct {
	Number  int
	At      time.Time
	By      string
	Changed []string
}

// ArticleVersions shows how an article changed.
type ArticleVersions struct {
	Slug, Title string
	Language    string
	Versions    []ArticleVersion // the first one first
	From, To    int
	Parts       []ArticleDifference
}

func (ArticleVersions) template() string { return "articles-versions" }

// ArticleDifference is how a part of an article changed.
type ArticleDifference struct {
	Part  string
	Lines []DifferenceLine
}

// DifferenceLine is a line that went, came or stayed.
type DifferenceLine struct {
	Kind string // gone, came or same
	Text string
}

// ArticleEdit is the form in which an editor writes over an article.
type ArticleEdit struct {
	Slug, Title, Language string
	Revision              string
	Edited                bool   // something is written over already
	Given                 Fields // what the source gives of the parts that are written over
	Fields                Fields
	Mistakes              Mistakes
}

func (ArticleEdit) template() string { return "articles-edit" }

// ArticleTranslate is the form in which an editor types a translation.
type ArticleTranslate struct {
	Slug, Title, Summary, Language string
	Fields                         Fields
	Mistakes                       Mistakes
}

func (ArticleTranslate) template() string { return "articles-translate" }

// ArticleWrite is the form in which a person writes an article.
type ArticleWrite struct {
	Waiting  int64 // the number under which it waits; 0: it is new
	Fields   Fields
	Mistakes Mistakes
}

func (ArticleWrite) template() string { return "articles-write" }

// Waits lists what is not published yet.
type Waits struct {
	Rows    []WaitingRow
	Filter  Fields // source and state
	Sources []string
	Pager   Pager
}

func (Waits) template() string { return "articles-waits" }

// Wait is one article that is not published yet.
type Wait struct {
	WaitingRow
	URL, Language, Section string
	Tags                   []string
	Own                    bool // it was written here, and can be gone on with
}

func (Wait) template() string { return "articles-wait" }
