package edition

import (
	"context"
	"strings"

	"github.com/lib/pq"
)

// setWords chooses the language of the product's words for each order of languages that readers have.
func (l *layout) setWords(ctx context.Context) error {
	var orders pq.StringArray
	if err := l.GetContext(ctx, &orders, `
		SELECT coalesce(array_agg(DISTINCT array_to_string(languages, ' ')), '{}') FROM profile`); err != nil {
		return err
	}
	words := make(pq.StringArray, len(orders))
	for i, order := range orders {
		words[i] = l.languages.Language(strings.Fields(order), l.list.FallbackLanguage)
	}
	return l.run(ctx, `
		UPDATE profile SET words = w.words
		FROM unnest($1::text[], $2::text[]) AS w (languages, words)
		WHERE array_to_string(profile.languages, ' ') = w.languages`,
		orders, words)
}

// orEmpty turns nil, which would be NULL in the database, into an empty array.
func orEmpty(values pq.StringArray) pq.StringArray {
	if values == nil {
		return pq.StringArray{}
	}
	return values
}
