package web

import (
	"net/http"
	"slices"

	"silkpost/feeds"
	"silkpost/internal/language"
	"silkpost/subscribers"
	"silkpost/templates"
)

// mostChoices is how many sections or languages a form offers.
const mostChoices = 40

// places is how many languages a form asks for in their order.
const places = 3

// languages offers the languages that there are articles in, and those that were chosen already.
func (s *site) languages(r *http.Request, chosen []string) (templates.LanguageChoice, error) {
	offered, err := s.Feeds.Values(r.Context(), s.DB, feeds.OfLanguage, mostChoices)
	if err != nil {
		return templates.LanguageChoice{}, err
	}
	for _, tag := range chosen {
		if !slices.Contains(offered, tag) {
			offered = append(offered, tag)
		}
	}
	slices.Sort(offered)
	for len(chosen) < places || chosen[len(chosen)-1] != "" && len(chosen) < subscribers.MaxLanguages {
		chosen = append(chosen, "")
	}
	return templates.LanguageChoice{Offered: offered, Chosen: chosen, Default: true}, nil
}

// topics offers the sections and tags that a list selects, or, when it selects by neither, the sections that there are articles in; and what
// was chosen already.
func (s *site) topics(r *http.Request, list *subscribers.List, chosen []string) (choices []templates.Choice, err error) {
	offered := slices.Concat([]string(list.Selection.Sections), []string(list.Selection.Tags))
	if len(offered) == 0 {
		if offered, err = s.Feeds.Values(r.Context(), s.DB, feeds.OfSection, mostChoices); err != nil {
			return nil, err
		}
		slices.Sort(offered)
	}
	for _, topic := range slices.Concat(offered, chosen) {
		if !slices.ContainsFunc(choices, func(c templates.Choice) bool { return c.Value == topic }) {
			choices = append(choices, templates.Choice{Value: topic, Label: topic, Chosen: slices.Contains(chosen, topic)})
		}
	}
	if len(choices) == 1 && len(chosen) == 0 {
		return nil, nil // one topic is no choice
	}
	return choices, nil
}

// tags returns the languages that a form names, each once and in their order. What is none is left out: a form offers no such thing.
func tags(posted []string) (chosen []string) {
	for _, given := range posted {
		if tag, err := language.Parse(given); err == nil && !slices.Contains(chosen, tag) && len(chosen) < subscribers.MaxLanguages {
			chosen = append(chosen, tag)
		}
	}
	return chosen
}
