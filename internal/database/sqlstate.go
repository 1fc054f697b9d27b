package database

import (
	"database/sql/driver"
	"errors"
	"io"
	"net"

	"github.com/lib/pq"
	"github.com/lib/pq/pqerror"
)

// SQLState returns the five-letter code of the Postgres error in err's chain, "" when there is none.
func SQLState(err error) string {
	if refusal := (*pq.Error)(nil); errors.As(err, &refusal) {
		return string(refusal.Code)
	}
	return ""
}

// IsRetryable reports whether err is a serialization failure or a deadlock: the server rolled the transaction back, and
// trying it again from its start may succeed.
func IsRetryable(err error) bool {
	code := pqerror.Code(SQLState(err))
	return code == pqerror.TRSerializationFailure || code == pqerror.TRDeadlockDetected
}

// IsAway reports whether err says that the database could not be asked or broke off: it is no answer to the question.
func IsAway(err error) bool {
	network := net.Error(nil)
	return isShutdown(err) || errors.As(err, &network) || errors.Is(err, driver.ErrBadConn) || errors.Is(err, io.EOF) ||
		errors.Is(err, io.ErrUnexpectedEOF) || errors.Is(err, ErrCommitUnknown)
}

// isShutdown reports whether the server broke the session off, which says nothing about what it was doing.
func isShutdown(err error) bool {
	code := pqerror.Code(SQLState(err))
	switch code {
	case "":
		return false
	case pqerror.AdminShutdown, pqerror.CrashShutdown, pqerror.CannotConnectNow, pqerror.TRStatementCompletionUnknown:
		return true
	}
	return code.Class() == pqerror.ClassConnectionException
}
