package errs

// All returns every error of a type in err and in what it wraps or joins, in their order.
func All[T error](err error) (found []T) {
	switch e := err.(type) { //nolint:errorlint // each of the tree is looked at
	case T:
		return []T{e}
	case interface{ Unwrap() []error }:
		for _, one := range e.Unwrap() {
			found = append(found, All[T](one)...)
		}
	case interface{ Unwrap() error }:
		return All[T](e.Unwrap())
	}
	return found
}
