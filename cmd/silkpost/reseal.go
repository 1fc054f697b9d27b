package main

import (
	"context"
	"fmt"

	"silkpost/internal/app"
)

type resealCmd struct{}

func (c *resealCmd) Run(e *env) error {
	return e.open(func(ctx context.Context, a *app.App) error {
		keys, factors, err := a.Reseal(ctx)
		if err != nil {
			return err
		}
		_, err = fmt.Fprintf(e.stdout, "%s and %s sealed anew. Everything is sealed with the first secret key.\n", counted(keys, "DKIM key"), counted(factors, "second factor"))
		return err
	})
}
