package subscribers

import "strings"

// What a spreadsheet takes for the beginning of a formula (OWASP, CSV Injection; ASVS 1.2.10).
const formulaStarts = "=+-@\t\r"

// harmless returns a cell that no spreadsheet runs: before one that looks like a formula stands an apostrophe, which spreadsheets take for
// "this is text". A cell that begins with apostrophes before such a sign gets one more, so that plain knows its own.
func harmless(cell string) string {
	if looksLikeFormula(strings.TrimLeft(cell, "'")) {
		return "'" + cell
	}
	return cell
}

// plain takes back what harmless did to a cell; other cells stay as they are.
func plain(cell string) string {
	if inside, quoted := strings.CutPrefix(cell, "'"); quoted && looksLikeFormula(strings.TrimLeft(inside, "'")) {
		return inside
	}
	return cell
}

func looksLikeFormula(cell string) bool {
	return cell != "" && strings.IndexByte(formulaStarts, cell[0]) >= 0
}
