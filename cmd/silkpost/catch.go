package main

import (
	"fmt"
	"net"

	"silkpost/mailer/catcher"
)

type catchCmd struct {
	Listen string `help:"Address to take mail at." default:"127.0.0.1:1025" placeholder:"ADDR"`
	Web    string `help:"Address to show the mail at; left out: not shown." placeholder:"ADDR"`
	Dir    string `help:"Folder that keeps the mail; left out: it is counted, not kept." type:"path" placeholder:"DIR"`
	Script string `help:"How to fail (TOML)." type:"path" placeholder:"FILE"`
	Quiet  bool   `help:"Take all mail at once, count it, log nothing: for measuring how fast others send."`
}

// exampleScript is a script of one rule.
const exampleScript = `rule = [{ verb = "RCPT", to = "*@full.example", reply = "452 4.2.2 Full", times = 1 }]`

// Help is what --help says further.
func (c *catchCmd) Help() string {
	return "A script names the ways to fail, such as\n\n  " + exampleScript + "\n\nAll keys: docs/catcher.md."
}

func (c *catchCmd) Run(e *env) error {
	cfg, err := e.settings("")
	if err != nil {
		return err
	}
	return catcher.Run(e.ctx, catcher.Command{
		Listen: c.Listen, Web: c.Web, Dir: c.Dir, Script: c.Script, Quiet: c.Quiet, Log: e.stdout, Logger: e.log(cfg),
		Ready: func(smtp, web net.Addr) {
			fmt.Fprintf(e.stderr, "Catching mail at %s.\n", smtp)
			if web != nil {
				fmt.Fprintf(e.stderr, "Showing it at http://%s/.\n", web)
			}
		},
	})
}
