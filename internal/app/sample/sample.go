// Package sample holds the partners, articles and settings that silkpost demo starts from. All of it is invented; every
// address is at a domain reserved for examples.
package sample

import "embed"

// FS holds partners.csv for the import of contacts, the folder articles for the import of articles, and silkpost.toml for
// apply.
//
//go:embed partners.csv silkpost.toml articles
var FS embed.FS

// The files of FS.
const (
	Partners = "partners.csv"
	Articles = "articles"
	Settings = "silkpost.toml"
)

// Consent is the basis on which the sample's contacts are mailed.
const Consent = "Invented contacts, put on the list to show how it works"
