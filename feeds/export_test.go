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

// Compress returns a document's body in a content coding.
func Compress(coding string, body []byte) []byte { return encoding(coding).encode(body) }

// Kept returns how many bytes a handler keeps, by its own count.
func Kept(h *Handler) uint64 {
	d := h.documents
	d.cache.CleanUp()
	d.fragments.cache.CleanUp()
	return d.cache.WeightedSize() + d.fragments.cache.WeightedSize()
}

// KnownFeeds counts the names of feeds that a handler keeps.
func KnownFeeds(h *Handler) int {
	h.documents.mu.RLock()
	defer h.documents.mu.RUnlock()
	return len(h.documents.feeds)
}
