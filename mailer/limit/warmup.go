package limit

import (
	"database/sql/driver"
	"encoding/json"
	"math"
	"slices"
	"time"

	"silkpost/internal/errs"
)

// WarmUp is a plan by which more may go from day to day: either it starts with a number and multiplies it each day until another is reached, or it
// says the number of each day. A day is one of UTC. Before its first day, the first number holds; when the plan is over it limits nothing.
type WarmUp struct {
	From   string  `toml:"from" json:"from,omitempty"`     // its first day, as 2006-01-02
	Start  int     `toml:"start" json:"start,omitempty"`   // how many go on the first day
	Factor float64 `toml:"factor" json:"factor,omitempty"` // so many times as many go on each further day
	Until  int     `toml:"until" json:"until,omitempty"`   // the plan is over on the day on which it would come to this

	Days []int `toml:"days" json:"days,omitempty"` // instead of those: how many go on each day
}

const day = 24 * time.Hour

// planned reports whether there is a plan.
func (w *WarmUp) planned() bool {
	return w.From != "" || w.Start != 0 || w.Factor != 0 || w.Until != 0 || len(w.Days) > 0
}

// longestPlan is how many days a plan may have.
const longestPlan = 366

func (w *WarmUp) check() error {
	if !w.planned() {
		return nil
	}
	if _, err := time.Parse(time.DateOnly, w.From); err != nil {
		return errs.New(errs.Invalid, "warm_up: from %q is no date such as 2026-11-22", w.From)
	}
	if len(w.Days) > 0 {
		if w.Start != 0 || w.Factor != 0 || w.Until != 0 {
			return errs.New(errs.Invalid, "warm_up: either days, or start, factor and until")
		}
		if slices.Min(w.Days) < 1 || slices.Max(w.Days) > most || len(w.Days) > longestPlan {
			return errs.New(errs.Invalid, "warm_up: days are numbers of messages, each 1 or more, and no more than %d of them", longestPlan)
		}
		return nil
	}
	if w.Start < 1 || w.Until <= w.Start || w.Until > most || !(w.Factor >= 1.01 && w.Factor <= 10) {
		return errs.New(errs.Invalid, "warm_up: it needs start (1 or more), factor (1.01 to 10) and until (more than start), such as start = 50, factor = 2, until = 20000")
	}
	if w.length() > longestPlan {
		return errs.New(errs.Invalid, "warm_up: this takes more than %d days to come to %d: choose a larger factor", longestPlan, w.Until)
	}
	return nil
}

// length returns how many days the plan has.
func (w *WarmUp) length() int {
	if len(w.Days) > 0 {
		return len(w.Days)
	}
	if !w.planned() {
		return 0
	}
	days := 0
	for days <= longestPlan && w.grown(days) < float64(w.Until) {
		days++
	}
	return days
}

func (w *WarmUp) grown(days int) float64 { return float64(w.Start) * math.Pow(w.Factor, float64(days)) }

// On returns how many messages may go on the day of a time, and whether the plan still says so.
func (w *WarmUp) On(at time.Time) (number int, limited bool) {
	from, err := time.Parse(time.DateOnly, w.From)
	if err != nil {
		return 0, false
	}
	days := max(0, int(at.Sub(from)/day))
	switch {
	case days >= w.length():
		return 0, false
	case len(w.Days) > 0:
		return w.Days[days], true
	}
	return int(w.grown(days)), true
}

func (w *WarmUp) same(other *WarmUp) bool {
	return w.From == other.From && w.Start == other.Start && w.Factor == other.Factor && w.Until == other.Until && slices.Equal(w.Days, other.Days)
}

// Value returns the plan as it is stored.
func (w WarmUp) Value() (driver.Value, error) { return json.Marshal(w) }

// Scan reads a stored plan.
func (w *WarmUp) Scan(stored any) error { return scanJSON(stored, w) }

func scanJSON(stored, into any) error {
	content, ok := stored.([]byte)
	if !ok {
		return errs.New(errs.Internal, "limit: %T is stored where JSON should be", stored)
	}
	return json.Unmarshal(content, into)
}
