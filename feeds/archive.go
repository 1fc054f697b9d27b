package feeds

import (
	"context"
	"math/bits"
	"strconv"
	"strings"
	"time"

	"silkpost/internal/articles"
	"silkpost/internal/database"
	"silkpost/internal/errs"
)

// The articles of a feed, in the order of their positions, are cut into stretches of at most as many as the subscription document
// holds. The newest stretch is wholly in that document; each of the others is an archive document (RFC 5005, section 4), and each
// document links to the one before it, so that walking back reaches every article.
//
// Where the cuts are follows from the articles alone. Think of all positions as the leaves of a binary tree (dates, then ids, bit by
// bit): a stretch is a largest subtree with not too many articles in it. An article that comes at the new end leaves the stretches
// before it as they are; one that comes late, with an old date, changes or splits the one that it falls into, and no other. Nothing has
// to be stored, and any program finds the same cuts. Withdrawn articles count, so that withdrawing moves nothing.
//
// An archive document is named after the oldest article of the stretch after it, which it ends before. So a link stays the same when
// stretches further back are split, and also when the one that it stands in is.

// leaf is a position as a leaf of the tree.
type leaf struct{ high, low uint64 }

// epoch makes the seconds of all dates that feeds can say positive.
const epoch = -1 << 35

func leafOf(p articles.Place) leaf { return leaf{uint64(p.At.Unix() - epoch), uint64(p.ID)} }

// common returns how many bits two leaves have in common before they part.
func common(a, b leaf) int {
	if a.high != b.high {
		return bits.LeadingZeros64(a.high ^ b.high)
	}
	return 64 + bits.LeadingZeros64(a.low^b.low)
}

// first returns the first leaf of the subtree that shares l's first depth bits.
func (l leaf) first(depth int) leaf {
	if depth <= 64 {
		return leaf{l.high &^ (^uint64(0) >> depth), 0}
	}
	return leaf{l.high, l.low &^ (^uint64(0) >> (depth - 64))}
}

// stretch returns how many of some positions are in the newest stretch. They are the newest limit+1 before some place, newest first, fewer
// only if there are no more; after is the oldest one from that place on, nil if there is none.
func stretch(positions []articles.Position, limit int, after *articles.Position) int {
	newest, depth := leafOf(positions[0].Place()), 0
	if after != nil {
		depth = common(newest, leafOf(after.Place())) + 1
	}
	if len(positions) > limit {
		depth = max(depth, common(newest, leafOf(positions[limit].Place()))+1)
	}
	begin := newest.first(depth)
	n := 1
	for n < len(positions) && !leafOf(positions[n].Place()).before(begin) {
		n++
	}
	return n
}

func (l leaf) before(other leaf) bool {
	return l.high < other.high || l.high == other.high && l.low < other.low
}

// placeLayout is how the date of a place is said in an address.
const (
	placeLayout = "20060102T150405Z"
	placePrefix = "before-"
)

// placeName returns the name of the archive document that ends before a place.
func placeName(p articles.Place) string {
	return placePrefix + p.At.UTC().Format(placeLayout) + "-" + strconv.FormatInt(p.ID, 10)
}

// parsePlace reads what placeName wrote, and nothing else.
func parsePlace(name string) (p articles.Place, ok bool) {
	date, id, _ := strings.Cut(strings.TrimPrefix(name, placePrefix), "-")
	var wrong, noID error
	p.At, wrong = time.Parse(placeLayout, date)
	p.ID, noID = strconv.ParseInt(id, 10, 64)
	return p, wrong == nil && noID == nil && p.ID > 0 && placeName(p) == name
}

// layout is which positions a document holds, newest first, and how it goes on.
type layout struct {
	positions []articles.Position
	older     string // name of the archive document before it; "": there is none
}

// newest lays out the subscription document: the newest positions down to the feed's limit of published ones.
func (s *Store) newest(ctx context.Context, h database.Handle, feed *Feed) (l layout, err error) {
	var all []articles.Position
	enough := 0
	for size := feed.Limit + 1; ; size *= 2 {
		if all, err = s.Articles.Before(ctx, h, feed.Selection, articles.Place{}, size); err != nil {
			return l, err
		}
		if enough = untilPublished(all, feed.Limit); enough > 0 || len(all) < size {
			break
		}
	}
	if len(all) > feed.Limit {
		n := stretch(all[:feed.Limit+1], feed.Limit, nil)
		l.older = placeName(all[n-1].Place())
	}
	if enough == 0 {
		enough = len(all)
	}
	l.positions = all[:enough]
	return l, nil
}

// untilPublished returns how many positions it takes to have n published ones; 0 when there are not so many.
func untilPublished(positions []articles.Position, n int) int {
	for i := range positions {
		if positions[i].WithdrawnAt == nil {
			n--
		}
		if n == 0 {
			return i + 1
		}
	}
	return 0
}

// archive lays out the archive document that ends before a place, where an article is. Without articles before that place, or one at
// it, it is NotFound: nobody invents documents.
func (s *Store) archive(ctx context.Context, h database.Handle, feed *Feed, place articles.Place) (l layout, err error) {
	there, err := s.Articles.IsAt(ctx, h, place)
	if err != nil {
		return l, err
	}
	if !there {
		return l, errs.New(errs.NotFound, "the feed %q has no archive of this name", feed.Slug)
	}
	all, err := s.Articles.Before(ctx, h, feed.Selection, place, feed.Limit+1)
	if err != nil {
		return l, err
	}
	if len(all) == 0 {
		return l, errs.New(errs.NotFound, "the feed %q has nothing that old", feed.Slug)
	}
	newer, err := s.Articles.From(ctx, h, feed.Selection, place, 1)
	if err != nil {
		return l, err
	}
	var after *articles.Position
	if len(newer) > 0 {
		after = &newer[0]
	}
	n := stretch(all, feed.Limit, after)
	l.positions = all[:n]
	if n < len(all) {
		l.older = placeName(all[n-1].Place())
	}
	return l, nil
}
