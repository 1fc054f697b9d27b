package database

import (
	"errors"

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

// isShutdown reports whether the server broke the session off, which says nothing about what it was doing.
func isShutdown(err error) bool {
	switch pqerror.Code(SQLState(err)) {
	case pqerror.AdminShutdown, pqerror.CrashShutdown, pqerror.TRStatementCompletionUnknown:
		return true
	}
	return pqerror.Code(SQLState(err)).Class() == pqerror.ClassConnectionException
}
