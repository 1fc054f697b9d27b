package database

import (
	"database/sql/driver"
	"errors"
	"fmt"
	"net"
	"testing"

	"github.com/lib/pq"
)

func TestIsAway(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct {
		err  error
		want bool
	}{
		{nil, false},
		{errors.New("a template is broken"), false},
		{&pq.Error{Code: "23505"}, false},
		{&pq.Error{Code: "57P01"}, true},
		{&pq.Error{Code: "57P03"}, true},
		{&pq.Error{Code: "08006"}, true},
		{fmt.Errorf("read: %w", driver.ErrBadConn), true},
		{fmt.Errorf("begin: %w", &net.OpError{Op: "dial", Err: errors.New("connection refused")}), true},
		{fmt.Errorf("commit: %w", ErrCommitUnknown), true},
	} {
		if got := IsAway(tt.err); got != tt.want {
			t.Errorf("%v: %v", tt.err, got)
		}
	}
}
