package main

import (
	"context"
	"fmt"
	"os"

	"silkpost/internal/app"
)

type adoptCmd struct {
	Yes bool `help:"Do not ask."`
}

func (c *adoptCmd) Run(e *env) error {
	return e.open(func(ctx context.Context, a *app.App) error {
		d, err := a.Adoption(ctx)
		if err != nil {
			return err
		}
		if d.Why == "" {
			_, err := fmt.Fprintln(e.stdout, "This database is not held: there is nothing to adopt.")
			return err
		}
		fmt.Fprintf(e.stdout, "This database holds everything: %s.\n", d.Why)
		fmt.Fprintf(e.stdout, "Deliveries without an outcome: %s. What its original has sent of them since the copy, it would send again.\n", thousands(d.Open))
		if !c.Yes {
			if err := confirm(e, os.Stdin, "Make sure that the original sends nothing any more. Write yes to adopt: ", "nothing was adopted"); err != nil {
				return err
			}
		}
		if err := a.Adopt(ctx); err != nil {
			return err
		}
		_, err = fmt.Fprintln(e.stdout, "Adopted. What is due goes out; what is late waits: silkpost edition list.")
		return err
	})
}
