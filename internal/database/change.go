package database

// Change says what a declaration did to what is stored.
type Change string

// What a declaration can do.
const (
	Added     Change = "added"
	Changed   Change = "changed"
	Unchanged Change = "unchanged"
	Removed   Change = "removed"
)
