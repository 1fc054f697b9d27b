package subscribers

import (
	"database/sql/driver"
	"fmt"
	"time"

	"silkpost/internal/errs"
)

// Duration is a length of time that is written as "90s", "1m" or "12h" and stored as whole seconds.
type Duration time.Duration

// Std returns it as the standard library's.
func (d Duration) Std() time.Duration { return time.Duration(d) }

// String returns it as it is written.
func (d Duration) String() string { return time.Duration(d).String() }

// UnmarshalText reads what a file says. What is no length of time is errs.Invalid.
func (d *Duration) UnmarshalText(text []byte) error {
	length, err := time.ParseDuration(string(text))
	if err != nil {
		return errs.New(errs.Invalid, "%q is not a length of time such as 90s, 1m or 12h", text)
	}
	*d = Duration(length)
	return nil
}

// Scan reads seconds.
func (d *Duration) Scan(src any) error {
	seconds, ok := src.(int64)
	if !ok {
		return fmt.Errorf("a length of time is read as %T, not as seconds", src)
	}
	*d = Duration(time.Duration(seconds) * time.Second)
	return nil
}

// Value gives seconds.
func (d Duration) Value() (driver.Value, error) { return int64(time.Duration(d) / time.Second), nil }

// duration checks a length of time between two limits.
func (m *mistakes) duration(field string, d, least, most Duration) {
	if d < least || d > most || d%Duration(time.Second) != 0 {
		m.add(fmt.Sprintf("%s %q", field, d), `whole seconds between %s and %s, such as "90s" or "12h"`, short(least), short(most))
	}
}

// short writes round lengths without their zeroes.
func short(d Duration) string {
	switch t := d.Std(); {
	case t != 0 && t%time.Hour == 0:
		return fmt.Sprintf("%dh", t/time.Hour)
	case t != 0 && t%time.Minute == 0:
		return fmt.Sprintf("%dm", t/time.Minute)
	}
	return d.String()
}
