package send

import (
	"cmp"
	"time"

	"silkpost/mailer/reply"
)

// Patience is how long a server is waited for. What is zero is as in RFC 5321, 4.5.3.2.
type Patience struct {
	Dial    time.Duration // connecting, greeting, EHLO, TLS and AUTH together; 0: 30 seconds
	Command time.Duration // the answer to a command; 0: 5 minutes
	Dot     time.Duration // the answer to a message; 0: 10 minutes
}

func (p Patience) withDefaults() Patience {
	return Patience{Dial: cmp.Or(p.Dial, 30*time.Second), Command: cmp.Or(p.Command, 5*time.Minute), Dot: cmp.Or(p.Dot, 10*time.Minute)}
}

// with returns how long to wait for an answer of a phase.
func (p Patience) with(phase reply.Phase) time.Duration {
	if phase == reply.Dot {
		return p.Dot
	}
	return p.Command
}
