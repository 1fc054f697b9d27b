// Package clock hands in time, so that schedules, tokens and tests are exact to the second.
package clock

import "time"

// Clock tells the time. Implementations are safe for concurrent use.
type Clock interface {
	Now() time.Time
}

// System is the machine's clock, in UTC and rounded down to the microsecond, which is what Postgres keeps.
type System struct{}

// Now returns the present time.
func (System) Now() time.Time { return time.Now().UTC().Truncate(time.Microsecond) }
