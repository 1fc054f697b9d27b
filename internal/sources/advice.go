package sources

import (
	"errors"

	"silkpost/internal/articles"
	"silkpost/internal/errs"
)

// advised returns an error of fetching or reading what is at an address with what can be done about it, if anything.
func advised(err error, address string) error {
	home := articles.WebAddress("/", address)
	switch {
	case errs.KindOf(err) == errs.NotFound && home != "" && !sameAddress(home, address):
		return errs.New(errs.NotFound, "%w; silkpost source check %s looks for where the site has its news now", err, home)
	case errors.Is(err, errWebPage):
		return errs.New(errs.Invalid, "%w; silkpost source check %s looks for its feed", err, address)
	}
	return err
}
