package api

import (
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"regexp"
	"strconv"

	"silkpost/internal/app"
	"silkpost/internal/articles"
	"silkpost/internal/database"
)

// ArticlesInput are many articles as a program brings them.
type ArticlesInput struct {
	Source    string       `json:"source" maxLength:"100" doc:"Slug of a source of kind api."`
	KeepGoing bool         `json:"keep_going,omitempty" doc:"Take the good ones when there are others."`
	Articles  []KeyedInput `json:"articles" minItems:"1" maxItems:"500"`
}

// PushedArticles says what became of many.
type PushedArticles struct {
	Added     int             `json:"added"`
	Changed   int             `json:"changed"`
	Unchanged int             `json:"unchanged"`
	Refused   int             `json:"refused"`
	Articles  []PushedArticle `json:"articles" doc:"In the order given."`
}

// bulk is what was brought, good and bad.
type bulk struct {
	source   string
	articles []judged
}

// judged is an article of a bulk with what is wrong with it.
type judged struct {
	key   string
	draft articles.Draft
	wrong []Mistake
}

// ofArticle finds the article of a bulk that a mistake is in.
var ofArticle = regexp.MustCompile(`^body\.articles\[(\d+)\]`)

// readBulk judges each article by itself. What is wrong with anything else is an error, and so is all that is wrong unless the bulk says to keep
// going.
func (s *site) readBulk(body apart[ArticlesInput]) (*bulk, error) {
	found := body.check(s.doc.Components.Schemas)
	wrongOnes := map[int][]Mistake{}
	for _, m := range found {
		at := ofArticle.FindStringSubmatch(m.Location)
		if at == nil {
			return nil, wrong(found...)
		}
		i, _ := strconv.Atoi(at[1]) // of digits
		wrongOnes[i] = append(wrongOnes[i], m)
	}
	var in struct {
		Source    string
		KeepGoing bool `json:"keep_going"`
		Articles  []json.RawMessage
	}
	if err := json.Unmarshal(body.text, &in); err != nil {
		return nil, wrongAt("body", err.Error())
	}
	b := &bulk{source: in.Source}
	found = nil
	for i, text := range in.Articles {
		b.add(text, wrongOnes[i])
		found = append(found, b.articles[i].wrong...)
	}
	if len(found) > 0 && !in.KeepGoing {
		return nil, wrong(found...)
	}
	return b, nil
}

// add judges one more article; mistakes is what is wrong with its form.
func (b *bulk) add(text json.RawMessage, mistakes []Mistake) {
	at := fmt.Sprintf("body.articles[%d]", len(b.articles))
	a := judged{wrong: mistakes}
	if len(mistakes) > 0 {
		var known struct {
			Key any `json:"external_key"`
		}
		_ = json.Unmarshal(text, &known) // else it has no key that could be told
		a.key, _ = known.Key.(string)
	} else {
		a.read(text, at)
	}
	for i, earlier := range b.articles {
		if a.key != "" && a.key == earlier.key {
			a.wrong = append(a.wrong, Mistake{at + ".external_key", fmt.Sprintf("is that of articles[%d], too", i)})
			break
		}
	}
	b.articles = append(b.articles, a)
}

// read takes an article whose form is right.
func (a *judged) read(text json.RawMessage, at string) {
	var given KeyedInput
	if err := json.Unmarshal(text, &given); err != nil {
		a.wrong = []Mistake{{at, err.Error()}}
		return
	}
	a.key = given.ExternalKey
	a.draft, a.wrong = given.draft(given.ExternalKey, at+".external_key", at)
}

type createArticlesInput struct {
	Body apart[ArticlesInput]
}

func (s *site) createArticles(ctx context.Context, in *createArticlesInput) (*Answer[PushedArticles], error) {
	given, err := s.readBulk(in.Body)
	if err != nil {
		return nil, err
	}
	var drafts []articles.Draft
	for _, a := range given.articles {
		if len(a.wrong) == 0 {
			drafts = append(drafts, a.draft)
		}
	}
	return push(ctx, s, given.source, "body.source", drafts, func(done []app.Pushed) (*Answer[PushedArticles], error) {
		return &Answer[PushedArticles]{Status: http.StatusOK, Body: s.broughtMany(given, done)}, nil
	})
}

// broughtMany says what became of each article of a bulk; done are those that were taken.
func (s *site) broughtMany(given *bulk, done []app.Pushed) PushedArticles {
	out := PushedArticles{Articles: make([]PushedArticle, 0, len(given.articles))}
	for _, a := range given.articles {
		if len(a.wrong) > 0 {
			out.Refused++
			out.Articles = append(out.Articles, PushedArticle{ExternalKey: a.key, Change: "refused", State: "unknown", Errors: a.wrong})
			continue
		}
		switch done[0].Change {
		case database.Added:
			out.Added++
		case database.Changed:
			out.Changed++
		default:
			out.Unchanged++
		}
		out.Articles = append(out.Articles, s.pushed(done[0].Standing, done[0].Change))
		done = done[1:]
	}
	return out
}
