package api

// AtSlug is an address with a slug in it. It is exported, for huma fills in no other embedded structs.
type AtSlug struct {
	Slug string `path:"slug" maxLength:"200"`
}

// Record is one record with the tag of its state.
type Record[T any] struct {
	ETag string `header:"ETag" doc:"Of the state that the record is in."`
	Body T
}

// record answers with one record.
func record[T any](body T) (*Record[T], error) {
	tag, err := tagOf(body)
	return &Record[T]{ETag: tag, Body: body}, err
}

// answer is record for what a change made of it.
func answer[T any](status int, body T) (*Answer[T], error) {
	tag, err := tagOf(body)
	return &Answer[T]{Status: status, ETag: tag, Body: body}, err
}

// list returns a list that is never null.
func list(all []string) []string { return append([]string{}, all...) }
