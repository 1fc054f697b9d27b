package feeds

// What the tests of package feeds_test look at.
var (
	Address     = address
	AtomID      = atomID
	Clean       = clean
	ImageType   = imageType
	IsPage      = isPage
	NameSlug    = nameSlug
	LanguageTag = languageTag
	Accepted    = accepted
	Matches     = matches
	ParsePlace  = parsePlace
	PlaceName   = placeName
)
