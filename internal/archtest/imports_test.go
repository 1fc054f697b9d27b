package archtest

import (
	"fmt"
	"maps"
	"slices"
	"strings"
	"testing"
)

// testRooms exist for tests alone.
var testRooms = []string{"internal/app/apptest", "internal/archtest", "internal/browsertest", "internal/testkit", "internal/testkit/smtptest", "mailer/catcher/catchertest"}

// rule forbids rooms to know others, by themselves or through rooms between them.
type rule struct {
	from   []string
	to     []string // "..." is every other room, though not libraries
	except []string // rooms that from means, but the rule does not
	why    string
}

// top are the packages that hold what the product is about.
var top = []string{"feeds", "mailer/...", "subscribers", "templates"}

var rules = []rule{
	{from: anyone, to: []string{"cmd/..."}, why: "a command is an end: what others need of it belongs into a room"},
	{from: anyone, except: []string{"cmd/silkpost", "internal/web/admin", "internal/web/api"}, to: []string{"internal/app"}, why: "the program knows all rooms; but for its ends (commands, the administrators' pages, the API) a room that knows it makes a circle"},
	{from: anyone, except: []string{"cmd/silkpost"}, to: []string{"internal/web/admin", "internal/web/api"}, why: "they are ends of the program, as commands are"},
	{from: []string{"internal/accounts"}, to: []string{"mailer/...", "feeds", "subscribers", "templates", "internal/articles", "internal/sources", "internal/fetch", "internal/jobs", "internal/web", "internal/config"}, why: "who may do what does not depend on what is done"},
	{from: anyone, except: testRooms, to: testRooms, why: "test helpers stay out of the product"},
	{from: anyone, except: testRooms, to: []string{"testing"}, why: "test helpers stay out of the product"},

	{from: top, to: []string{"internal/jobs"}, why: "the domain does not know its queue; a job is queued through a function that is handed in"},
	{from: top, to: []string{"internal/web", "internal/accounts", "internal/metrics"}, why: "the domain does not know pages and sessions"},
	{from: []string{"feeds"}, to: []string{"mailer/...", "subscribers", "templates"}, why: "feeds are made of articles alone: anyone may read them"},
	{from: []string{"feeds"}, to: []string{"feeds/validate"}, why: "what checks feeds is told apart from what writes them; only its tests look"},
	{from: []string{"feeds/validate"}, to: []string{"..."}, why: "a check that shares code with what it checks makes the same mistakes"},
	{from: []string{"subscribers"}, to: []string{"mailer/...", "feeds", "templates", "internal/sources"}, why: "who may be mailed does not depend on what is mailed"},
	{from: []string{"subscribers/sheet"}, to: []string{"..."}, why: "reading a table is one thing, what its columns mean another"},
	{from: []string{"templates", "templates/adminpage"}, to: []string{"feeds", "mailer/...", "subscribers", "internal/articles", "internal/database", "internal/config", "internal/accounts"}, why: "a template knows its struct and nothing else; whoever shows it fills it in"},
	{from: []string{"mailer/..."}, to: []string{"feeds", "internal/sources", "internal/fetch"}, why: "mail is made of what is stored; nothing is fetched on its way out"},

	{from: []string{"mailer/reply"}, to: []string{"..."}, why: "what an SMTP answer means is a table, to be read and tested by itself"},
	{from: []string{"mailer/ledger"}, to: []string{"mailer/compose", "mailer/edition", "mailer/send", "mailer/catcher", "templates", "subscribers", "internal/articles"}, why: "the account of messages knows neither what they say nor how they travel"},
	{from: []string{"mailer/edition"}, to: []string{"mailer/compose", "mailer/send", "mailer/catcher", "templates", "internal/token"}, why: "planning ends where bytes begin"},
	{from: []string{"mailer/send"}, to: []string{"mailer/compose", "mailer/edition", "mailer/catcher", "templates", "subscribers", "internal/articles", "internal/token"}, why: "the sender is handed finished messages"},
	{from: []string{"mailer/bounce"}, to: []string{"mailer/compose", "mailer/edition", "mailer/send", "mailer/catcher", "templates"}, why: "what comes back is about deliveries, not about what they say or how they travelled"},
	{from: []string{"mailer/compose"}, to: []string{"mailer/bounce", "mailer/edition", "mailer/catcher"}, why: "a letter does not decide who gets it"},
	{from: []string{"mailer/catcher"}, to: []string{"mailer/compose", "mailer/edition", "mailer/ledger", "mailer/reply", "mailer/send", "subscribers", "internal/articles", "internal/database"}, why: "the catcher is somebody else's server: it must not share the sender's idea of SMTP"},

	{from: []string{"internal/articles"}, to: []string{"mailer/...", "feeds", "subscribers", "templates", "internal/sources", "internal/fetch", "internal/jobs", "internal/web"}, why: "articles come first on the road; all others build on them"},
	{from: []string{"internal/sources"}, to: []string{"mailer/...", "feeds", "subscribers", "templates", "internal/jobs", "internal/web"}, why: "a source ends where its article is stored"},
	{from: []string{"internal/jobs"}, to: []string{"mailer/...", "feeds", "subscribers", "templates", "internal/articles", "internal/sources", "internal/web"}, why: "a job holds ids; what it does is handed in"},
	{from: []string{"internal/web"}, to: []string{"internal/jobs", "internal/sources", "internal/fetch", "internal/config", "mailer/edition", "mailer/catcher"}, why: "pages load, call the domain and answer"},
	{from: []string{"internal/fetch"}, to: []string{"mailer/...", "feeds", "subscribers", "templates", "internal/articles", "internal/database"}, why: "fetching knows addresses, not what is behind them"},
	{from: []string{"internal/database"}, to: []string{"mailer/...", "feeds", "subscribers", "templates", "internal/articles", "internal/jobs", "internal/config"}, why: "the ground does not know the house"},

	{from: []string{"internal/dns"}, to: []string{"..."}, why: "asking the DNS is one thing, what its records mean another"},
	{from: []string{"internal/doctor"}, to: []string{"mailer/compose", "mailer/edition", "feeds", "templates", "internal/config", "internal/web", "internal/jobs", "internal/fetch"}, why: "the doctor is told about the program; it judges, and asks the DNS"},
	{from: []string{"mailer/dkim"}, to: []string{"mailer/...", "templates", "subscribers", "internal/articles"}, why: "a signature is made of bytes, whatever they say"},
	{from: []string{"internal/installation"}, to: []string{"mailer/...", "feeds", "subscribers", "templates", "internal/articles", "internal/jobs", "internal/web", "internal/fetch", "internal/config"}, why: "which database this is does not depend on what it holds"},

	{from: []string{"internal/calls"}, to: []string{"mailer/...", "feeds", "subscribers", "templates", "internal/articles", "internal/jobs", "internal/web", "internal/config", "internal/accounts"}, why: "how often somebody calls, and what they were answered, does not depend on what they ask"},
	{from: []string{"internal/metrics"}, to: []string{"..."}, why: "numbers are handed in; what they mean is known where they are counted"},
	{from: []string{"internal/errs", "internal/clock"}, to: []string{"..."}, why: "the lowest stones lie on nothing"},
	{from: []string{"internal/token", "internal/language", "internal/slug", "internal/config"}, to: []string{"..."}, why: "ground rooms lie on errs alone"},
}

var anyone = []string{"..."}

// lowest may be known by every room that is not one of them.
var lowest = []string{"internal/errs"}

func TestRoomsKnowOnlyWhomTheyMay(t *testing.T) {
	t.Parallel()
	for _, found := range violations(graph(product(goFiles(t))), rules) {
		t.Error(found)
	}
}

// edges says which rooms a room imports.
type edges map[string]map[string]bool

func graph(files []goFile) edges {
	g := edges{}
	for _, f := range files {
		if g[f.room] == nil {
			g[f.room] = map[string]bool{}
		}
		for _, path := range f.imports() {
			g[f.room][path] = true
		}
	}
	return g
}

// violations returns a sentence for each pair of rooms that a rule keeps apart, with the way by which one knows the other.
func violations(g edges, rules []rule) (found []string) {
	for _, r := range rules {
		for _, from := range slices.Sorted(maps.Keys(g)) {
			if !matchesAny(from, r.from) || matchesAny(from, r.except) {
				continue
			}
			for to, way := range g.reach(from) {
				if matchesAny(to, r.to) && !matchesAny(to, lowest) && (g[to] != nil || !slices.Contains(r.to, "...")) {
					found = append(found, fmt.Sprintf("%s: %s", strings.Join(way, " → "), r.why))
				}
			}
		}
	}
	slices.Sort(found)
	return found
}

// reach returns everything that a room knows with the shortest way there. It does not look through rooms that exist for tests.
func (g edges) reach(from string) map[string][]string {
	ways := map[string][]string{}
	for queue := [][]string{{from}}; len(queue) > 0; queue = queue[1:] {
		way := queue[0]
		for _, next := range slices.Sorted(maps.Keys(g[way[len(way)-1]])) {
			if ways[next] == nil && next != from {
				ways[next] = append(slices.Clone(way), next)
				queue = append(queue, ways[next])
			}
		}
	}
	return ways
}

func TestViolationsAreFound(t *testing.T) {
	t.Parallel()
	files := graph(product(goFiles(t)))
	for _, tt := range []struct{ from, to, want string }{
		{"internal/articles", "mailer/ledger", "internal/articles → mailer/ledger: articles come first"},
		{"internal/articles", "subscribers", "internal/articles → subscribers: articles come first"},
		{"internal/token", "internal/clock", "internal/token → internal/clock: ground rooms"},
		{"internal/fetch", "internal/sources", "internal/fetch → internal/sources → internal/articles: fetching knows addresses"},
		{"mailer/send", "mailer/compose", "mailer/send → mailer/compose → internal/articles: the sender is handed"},
		{"feeds/validate", "feeds", "feeds/validate → feeds: a check that shares code"},
		{"feeds/validate", "internal/language", "feeds/validate → internal/language: a check that shares code"},
		{"feeds", "feeds/validate", "feeds → feeds/validate: what checks feeds"},
		{"feeds", "cmd/silkpost", "feeds → cmd/silkpost: a command is an end"},
		{"subscribers", "internal/testkit", "subscribers → internal/testkit: test helpers"},
		{"templates", "internal/jobs", "templates → internal/jobs: the domain does not know its queue"},
	} {
		planted := edges{}
		for room, known := range files {
			planted[room] = maps.Clone(known)
		}
		planted[tt.from][tt.to] = true
		got := violations(planted, rules)
		if !slices.ContainsFunc(got, func(s string) bool { return strings.HasPrefix(s, tt.want) }) {
			t.Errorf("%s importing %s: want %q among\n%s", tt.from, tt.to, tt.want, strings.Join(got, "\n"))
		}
	}
}

// homes says which rooms a library lives in. A library that is not here may be used anywhere. Sources only ask net/http what kind
// of content they see; requests are made by fetch alone, see TestForeignAddressesAreFetchedInOnePlace.
var homes = map[string][]string{
	"github.com/riverqueue/...":       {"internal/jobs", "internal/database"}, // the database runs the queue's migrations
	"github.com/wneessen/go-mail/...": {"mailer/compose", "mailer/send"},
	"github.com/emersion/...":         {"mailer/bounce", "mailer/catcher"},
	"github.com/gorilla/feeds":        {"feeds"},
	"github.com/mmcdole/gofeed/...":   {"internal/sources"},
	"codeberg.org/readeck/...":        {"internal/sources"},
	"github.com/microcosm-cc/...":     {"internal/articles"},
	"github.com/pressly/goose/...":    {"internal/database"},
	"github.com/alecthomas/kong":      {"cmd/silkpost"},
	"github.com/knadh/koanf/...":      {"internal/config"},
	"github.com/lib/pq/...":           {"internal/database", "internal/accounts", "internal/articles", "internal/staff", "feeds", "subscribers", "mailer/..."},
	"net/http":                        {"feeds", "templates", "mailer/catcher", "internal/app", "internal/web/...", "internal/fetch", "internal/sources", "internal/metrics"},
	"github.com/prometheus/...":       {"internal/metrics"},
	"github.com/pquerna/otp/...":      {"internal/accounts"},
	"github.com/danielgtaylor/...":    {"internal/web/api"},
	"net/smtp":                        {},
}

func TestLibrariesStayWhereTheyLive(t *testing.T) {
	t.Parallel()
	for _, f := range product(goFiles(t)) {
		for _, path := range f.imports() {
			for library, rooms := range homes {
				if matches(path, library) && !matchesAny(f.room, rooms) {
					t.Errorf("%s imports %s, which lives in %v", f.path, path, rooms)
				}
			}
		}
	}
}

func TestForeignAddressesAreFetchedInOnePlace(t *testing.T) {
	t.Parallel()
	asks := []string{"Client", "DefaultClient", "DefaultTransport", "Get", "Head", "NewRequest", "NewRequestWithContext", "Post", "PostForm", "Transport"}
	for _, f := range product(goFiles(t)) {
		for selector, line := range f.selectors("net/http") {
			if slices.Contains(asks, selector) && f.room != "internal/fetch" {
				t.Errorf("%s:%d: http.%s: internal/fetch is the one client, polite and never for internal addresses", f.path, line, selector)
			}
		}
	}
}
