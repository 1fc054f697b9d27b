package feeds

// What the tests of package feeds_test look at.
var (
	Clean       = clean
	SectionSlug = sectionSlug
	LanguageTag = languageTag
	AcceptsGzip = acceptsGzip
	Matches     = matches
)
