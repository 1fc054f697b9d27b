package feeds

// What the tests of package feeds_test look at.
var (
	Address     = address
	AtomID      = atomID
	Clean       = clean
	ImageType   = imageType
	IsPage      = isPage
	SectionSlug = sectionSlug
	LanguageTag = languageTag
	AcceptsGzip = acceptsGzip
	Matches     = matches
)
