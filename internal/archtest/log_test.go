package archtest

import (
	"slices"
	"strings"
	"testing"

	"silkpost/internal/testkit"
)

// unlogged are the tables whose changes are not for the log, with why. All others have triggers that note what somebody changes: see accounts.watch.
var unlogged = map[string]string{
	"accounts.attempts": "counts", "accounts.links": "noted by those who make them", "accounts.link_mails": "noted by those who ask for them",
	"accounts.log": "it is the log", "accounts.sessions": "noted as what people do",
	"articles.aliases": "follows articles", "articles.former": "the versions of articles", "articles.versions": "likewise", "articles.full_texts": "of the program itself",
	"articles.pages": "likewise", "articles.hosts": "likewise", "articles.image_origins": "likewise", "articles.image_tasks": "likewise", "articles.image_uses": "likewise",
	"articles.images": "likewise", "articles.translation_keys": "follows articles", "articles.waiting": "becomes an article, or goes",
	"articles.search": "follows articles",
	"calls.answers":   "what machines were told", "calls.uses": "counts",
	"feeds.generation": "counts", "feeds.old_slugs": "follows feeds", "feeds.told": "of the program itself",
	"installation.challenges": "of the program itself", "installation.identity": "likewise",
	"mailer.archived": "follows editions", "mailer.attempts": "the account of deliveries", "mailer.deliveries": "likewise", "mailer.channels": "of the program itself",
	"mailer.counted": "counts", "mailer.counted_destinations": "counts", "mailer.counted_variants": "counts", "mailer.destination_days": "counts", "mailer.destination_sums": "counts", "mailer.destination_summed": "counts",
	"mailer.domains": "likewise", "mailer.edition_log": "the editions' own log", "mailer.floor": "of the program itself", "mailer.hours": "counts", "mailer.inbox": "foreign mail",
	"mailer.marks": "the account of what was given", "mailer.notices": "the account of notices", "mailer.plans": "of the program itself", "mailer.positions": "likewise",
	"mailer.reached": "likewise", "mailer.released": "likewise", "mailer.reservations": "likewise", "mailer.senders": "likewise", "mailer.tallies": "counts",
	"mailer.trials": "what test mails came to", "mailer.variants": "follows editions",
	"subscribers.consents": "the log of consent", "subscribers.erasure_key": "a secret", "subscribers.former_addresses": "persons", "subscribers.limits": "counts",
	"subscribers.audience_counts": "counts", "subscribers.counts": "counts", "subscribers.upload_parts": "foreign files", "subscribers.upload_rows": "persons",
	"installation.examinations": "of the program itself", "staff.told": "the account of mails", "staff.mails": "likewise", "staff.wishes": "what mails somebody wants",
}

func TestEveryTableIsLoggedOrSaidNotToBe(t *testing.T) {
	t.Parallel()
	var rows []struct {
		Name   string
		Parts  bool
		Logged int
	}
	if err := testkit.DB(t).Select(&rows, `
		SELECT n.nspname || '.' || c.relname AS name, c.relispartition AS parts, (SELECT count(*) FROM pg_trigger t WHERE t.tgrelid = c.oid AND t.tgname LIKE 'logged_%') AS logged
		FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
		WHERE c.relkind IN ('r', 'p') AND NOT c.relispartition AND n.nspname NOT IN ('public', 'river', 'information_schema') AND n.nspname NOT LIKE 'pg_%' ORDER BY 1`); err != nil {
		t.Fatal(err)
	}
	if !slices.ContainsFunc(rows, func(r struct {
		Name   string
		Parts  bool
		Logged int
	},
	) bool {
		return strings.HasPrefix(r.Name, "subscribers.")
	}) {
		t.Fatal("no tables were seen")
	}
	for _, r := range rows {
		switch why := unlogged[r.Name]; {
		case r.Logged == 0 && why == "":
			t.Errorf("changes of %s are not logged: call accounts.watch in its migration, or say here why not", r.Name)
		case r.Logged != 0 && (r.Logged != 3 || why != ""):
			t.Errorf("%s has %d triggers for the log, and is said to be %q", r.Name, r.Logged, why)
		}
	}
}
