package doctor

import (
	"context"
	"fmt"
	"strings"
	"time"
)

// What the machine and the database should have.
const (
	oldestPostgres = 15
	leastFree      = 2 << 30 // bytes; below it is soon too late
	noFree         = 200 << 20
	longTime       = time.Hour   // of a transaction
	smallSkew      = time.Second // of clocks; workers' leases stand it
	largeSkew      = 10 * time.Second
)

func databaseVersion(_ context.Context, p *Patient) []Finding {
	major := p.Database.Version / 10000
	if major < oldestPostgres {
		return []Finding{problem("the database is Postgres %d", major).means("Silkpost is tried with %d and newer", oldestPostgres).do("upgrade it")}
	}
	if p.Database.Encoding != "UTF8" {
		return []Finding{problem("the database's encoding is %s", p.Database.Encoding).means("not all languages can be stored").
			do("make it anew with createdb --encoding=UTF8, and move the data there")}
	}
	return []Finding{ok("Postgres %d, %s", major, megabytes(p.Database.Size))}
}

func databaseDurable(_ context.Context, p *Patient) []Finding {
	var off []string
	if !p.Database.Fsync {
		off = append(off, "fsync")
	}
	if !p.Database.FullPages {
		off = append(off, "full_page_writes")
	}
	if p.Database.Synchronous == "off" {
		off = append(off, "synchronous_commit")
	}
	if len(off) > 0 {
		return []Finding{problem("Postgres has %s switched off", strings.Join(off, ", ")).
			means("after a crash it forgets what was sent, and that goes out again").do("switch it on in postgresql.conf and reload")}
	}
	return []Finding{ok("what Postgres confirms is on its disk")}
}

func databaseSpace(_ context.Context, p *Patient) []Finding {
	switch {
	case p.Free < 0:
		return []Finding{note("the database is on another server, whose disk is not seen from here")}
	case p.Free < noFree:
		return []Finding{problem("%s are free where the database is", megabytes(p.Free)).means("nothing can be written down soon, so nothing is sent").do("make room there")}
	case p.Free < leastFree:
		return []Finding{warning("%s are free where the database is", megabytes(p.Free)).means("an account of a million messages takes about a gigabyte").do("make room there")}
	}
	return []Finding{ok("%s are free where the database is", megabytes(p.Free))}
}

func megabytes(n int64) string {
	if n >= 10<<30 {
		return fmt.Sprintf("%d GB", n>>30)
	}
	return fmt.Sprintf("%d MB", n>>20)
}

func databasePartitions(_ context.Context, p *Patient) []Finding {
	if p.Ready {
		return []Finding{ok("there are partitions for today's editions and tomorrow's")}
	}
	if p.Workers == 0 {
		return []Finding{note("there are no partitions for today's editions and tomorrow's yet: a worker makes them")}
	}
	return []Finding{problem("there are no partitions for today's editions and tomorrow's").means("no edition can be planned").
		do("look into the log of silkpost serve for why they could not be made")}
}

func databaseTransactions(_ context.Context, p *Patient) []Finding {
	if p.Database.Longest >= longTime {
		return []Finding{warning("a transaction has been open for %s (%s)", p.Database.Longest.Round(time.Minute), p.Database.LongestOf).
			means("Postgres cannot clean its tables meanwhile: everything gets slower").do("find out whose it is, and end it")}
	}
	if full := p.Database.Allowed * 9 / 10; p.Database.Connections >= full && full > 0 {
		return []Finding{warning("%d of %d connections to the database are in use", p.Database.Connections, p.Database.Allowed).
			means("further processes will be turned away").do("raise max_connections, or run fewer processes")}
	}
	return []Finding{ok("no transaction is open for long; %d of %d connections are in use", p.Database.Connections, p.Database.Allowed)}
}

func databaseHeld(_ context.Context, p *Patient) []Finding {
	switch {
	case p.Held != "":
		return []Finding{problem("the database is held: %s", p.Held).means("nothing is sent from it").
			do("make sure that its original sends nothing any more, then run silkpost adopt")}
	case p.Database.Standby:
		return []Finding{problem("the database is a standby").means("it takes no writes").do("name the primary in database_url")}
	}
	return []Finding{ok("the database may send")}
}

func clocks(_ context.Context, p *Patient) []Finding {
	found := []Finding{ok("the database's clock agrees with ours")}
	if skew := p.Skew.Abs(); skew > smallSkew {
		f := warning("the database's clock and ours are %s apart", skew.Round(time.Second/10))
		if skew > largeSkew {
			f.State = Problem
		}
		found[0] = f.means("a wrong clock sends at the wrong hour, dates mail wrongly, and signs with DKIM for another time").
			do("let a time service (chrony, systemd-timesyncd) run on both machines")
	}
	if synchronised, known := kernelClock(); known && !synchronised {
		found = append(found, note("the kernel does not know of any time service that sets this machine's clock").
			do("if none sets it from outside, as for a container, let chrony or systemd-timesyncd run"))
	}
	return found
}

func workers(_ context.Context, p *Patient) []Finding {
	if p.Workers == 0 {
		return []Finding{warning("nobody is sending").means("editions are not planned and wait").do("start silkpost serve")}
	}
	return []Finding{ok("workers that send: %d", p.Workers)}
}

func secretKey(_ context.Context, p *Patient) []Finding {
	if p.Secrets == 0 {
		return []Finding{problem("no secret key is set").means("no link to unsubscribe can be made, so nothing is sent").
			do("set SILKPOST_SECRET_KEY to what openssl rand -hex 32 prints, the same for every process")}
	}
	for _, k := range p.Keys {
		if k.Failure == "" && k.Secret > 0 {
			return []Finding{warning("a DKIM key, %s of %s, is sealed with secret key %d of the list", k.Selector, k.Domain, k.Secret+1).
				means("when that is taken out of the list nothing can be signed").do("run silkpost reseal")}
		}
	}
	if p.Factors > 0 {
		return []Finding{warning("%d second factors of accounts are not sealed with the first secret key", p.Factors).
			means("when the one that opens them is taken out of the list their owners cannot sign in").do("run silkpost reseal")}
	}
	return []Finding{ok("secret keys: %d", p.Secrets)}
}
