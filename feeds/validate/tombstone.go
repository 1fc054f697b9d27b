package validate

import "time"

const ruleTombstone = "RFC 6721, 3"

// tombstones checks what a feed says of entries that are gone.
func (r *report) tombstones(feed *element) {
	type death struct{ ref, when string }
	seen := map[death]bool{}
	living := map[string]*element{}
	for _, entry := range feed.all(nsAtom, "entry") {
		if id := entry.first(nsAtom, "id"); id != nil {
			living[id.text] = entry
		}
	}
	for _, stone := range feed.all(nsTomb, "deleted-entry") {
		when := r.tombstone(stone)
		d := death{stone.get("ref"), stone.get("when")}
		if seen[d] {
			r.err(stone, ruleTombstone, "<%s> of %s is there more than once with the same time: leave one", stone.name(), quote(d.ref))
		}
		seen[d] = true
		if entry := living[d.ref]; entry != nil && !when.IsZero() {
			r.undead(stone, entry, when)
		}
	}
}

// tombstone checks an at:deleted-entry by itself and returns when it says that the entry was removed.
func (r *report) tombstone(stone *element) (when time.Time) {
	r.attributes(stone, ruleTombstone, "ref when")
	if ref, ok := r.needs(stone, ruleTombstone, "ref"); ok {
		r.value(ref, ruleTombstone, ref.value, addressFault(ref.value, wholeIRI))
	}
	if a, ok := r.needs(stone, ruleTombstone, "when"); ok {
		when = r.netTime(a, ruleTombstone, a.value)
	}
	r.parts(stone, ruleTombstone, map[string]part{
		"by": {holds: true, check: atomPerson}, "comment": {attrs: "type", holds: true, check: atomText},
	})
	r.links(stone, "", "")
	r.noText(stone, ruleTombstone)
	return when
}

// undead sees an entry that is there and said to be gone.
func (r *report) undead(stone, entry *element, when time.Time) {
	var updated time.Time
	if e := entry.first(nsAtom, "updated"); e != nil {
		updated, _ = parseNetDate(e.text)
	}
	if updated.After(when) {
		r.warn(stone, ruleTombstone, "<%s> of %s is older than the entry of line %d, so it says nothing: leave it out",
			stone.name(), quote(stone.get("ref")), entry.line)
		return
	}
	r.warn(stone, ruleTombstone, "<%s> of %s is newer than the entry of line %d, so readers drop that: leave one of the two out",
		stone.name(), quote(stone.get("ref")), entry.line)
}
