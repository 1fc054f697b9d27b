package limit_test

import (
	"slices"
	"sync"
	"testing"
	"time"

	"github.com/jmoiron/sqlx"
	"pgregory.net/rapid"

	"silkpost/internal/database"
	"silkpost/internal/errs"
	"silkpost/internal/testkit"
	"silkpost/mailer/limit"
)

func TestMain(m *testing.M) { testkit.Main(m) }

var noon = time.Date(2026, 11, 22, 12, 0, 0, 0, time.UTC)

// lengths are those of the periods that slide, in the order of numbers.
var lengths = []time.Duration{time.Second, time.Minute, time.Hour, 24 * time.Hour}

// exceeded returns the length of a stretch of time in which more went than a limit says; 0: there is none.
func exceeded(l *limit.Limit, went []time.Time) time.Duration {
	slices.SortFunc(went, time.Time.Compare)
	for i, n := range []int{l.PerSecond, l.PerMinute, l.PerHour, l.PerDay} {
		for j := 0; n > 0 && j+n < len(went); j++ {
			if went[j+n].Sub(went[j]) < lengths[i] {
				return lengths[i]
			}
		}
	}
	byDay := map[string]int{}
	for _, at := range went {
		on := at.Format(time.DateOnly)
		byDay[on]++
		if n, limited := l.WarmUp.On(at); limited && byDay[on] > n {
			return 24 * time.Hour
		}
	}
	return 0
}

// Whatever is asked for when, no stretch of time holds more than the limit, and what the book says of the next room is true.
func TestNoStretchOfTimeHoldsMore(t *testing.T) {
	t.Parallel()
	number := rapid.OneOf(rapid.Just(0), rapid.IntRange(1, 30), rapid.IntRange(1, 300))
	rapid.Check(t, func(t *rapid.T) {
		l := limit.Limit{PerSecond: number.Draw(t, "second"), PerMinute: number.Draw(t, "minute"), PerHour: number.Draw(t, "hour"), PerDay: number.Draw(t, "day")}
		if rapid.Bool().Draw(t, "warms up") {
			l.WarmUp = limit.WarmUp{From: "2026-11-22", Days: rapid.SliceOfN(rapid.IntRange(1, 50), 1, 4).Draw(t, "days")}
		}
		var (
			book limit.Book
			went []time.Time
			now  = noon
		)
		for range rapid.IntRange(1, 200).Draw(t, "asked") {
			now = now.Add(time.Duration(rapid.OneOf(rapid.Int64Range(-100, 400), rapid.Int64Range(0, 20_000), rapid.Int64Range(0, 8_000_000)).Draw(t, "ms")) * time.Millisecond)
			want := rapid.IntRange(1, 40).Draw(t, "want")
			g := book.Take(&l, now, want)
			if g.N < 0 || g.N > want {
				t.Fatalf("%d of %d", g.N, want)
			}
			if g.N == 0 && !g.Next.After(now) {
				t.Fatalf("no room before %s, and it is %s", g.Next, now)
			}
			back := rapid.IntRange(0, g.N).Draw(t, "back")
			for range g.N - back { // used at any time until it ends
				share := rapid.Int64Range(0, g.Until.Sub(g.At).Microseconds()-1).Draw(t, "when")
				went = append(went, g.At.Add(time.Duration(share)*time.Microsecond))
			}
			book.Return(&l, g.At, back)
			if g.N == 0 && rapid.Bool().Draw(t, "waits") {
				now = g.Next
			}
		}
		if length := exceeded(&l, went); length > 0 {
			t.Fatalf("more than %+v within %s: %v", l, length, went)
		}
	})
}

// The price of counting in buckets is small, and there is room again when the book says so.
func TestALimitIsUsed(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct {
		limit limit.Limit
		run   time.Duration
		least int
	}{
		{limit.Limit{PerSecond: 10}, time.Minute, 560},
		{limit.Limit{PerMinute: 60}, time.Hour, 3500},
		{limit.Limit{PerHour: 100}, 24 * time.Hour, 2340},
		{limit.Limit{PerDay: 5}, 10 * 24 * time.Hour, 49},
		{limit.Limit{PerSecond: 100, PerMinute: 60}, time.Hour, 3500},
		{limit.Limit{WarmUp: limit.WarmUp{From: "2026-11-22", Start: 10, Factor: 2, Until: 1000}}, 5*24*time.Hour - time.Second, 10 + 20 + 40 + 80 + 160},
	} {
		var book limit.Book
		got := 0
		for now := noon.Truncate(24 * time.Hour); now.Before(noon.Truncate(24 * time.Hour).Add(tt.run)); {
			g := book.Take(&tt.limit, now, 1)
			got += g.N
			if g.N == 0 {
				now = g.Next
			}
		}
		if got < tt.least {
			t.Errorf("%+v: %d in %s, want %d at least", tt.limit, got, tt.run, tt.least)
		}
	}
}

// A plan rises by the day, holds its first number before it begins, and ends.
func TestWarmUp(t *testing.T) {
	t.Parallel()
	rising := limit.WarmUp{From: "2026-11-22", Start: 50, Factor: 2, Until: 400}
	listed := limit.WarmUp{From: "2026-11-22", Days: []int{7, 9}}
	for _, tt := range []struct {
		plan    limit.WarmUp
		days    int
		want    int
		limited bool
	}{
		{rising, -3, 50, true}, {rising, 0, 50, true}, {rising, 1, 100, true}, {rising, 2, 200, true}, {rising, 3, 0, false},
		{listed, 0, 7, true}, {listed, 1, 9, true}, {listed, 2, 0, false}, {limit.WarmUp{}, 0, 0, false},
	} {
		for _, at := range []time.Duration{0, 24*time.Hour - time.Second} {
			when := noon.Truncate(24*time.Hour).AddDate(0, 0, tt.days).Add(at)
			if got, limited := tt.plan.On(when); got != tt.want || limited != tt.limited {
				t.Errorf("%+v on %s: %d, %v", tt.plan, when, got, limited)
			}
		}
	}
}

func TestDeclare(t *testing.T) {
	t.Parallel()
	db := testkit.DB(t)
	for _, bad := range []limit.Limit{
		{Name: "x"}, {Name: "Not so", PerDay: 1}, {Name: "x", PerDay: -1}, {Name: "x", PerDay: 1, Relay: "a", Sender: "b@c.example"},
		{Name: "x", PerDay: 1, Sender: "nobody"}, {Name: "x", PerDay: 1, Destination: "a@b.example"},
		{Name: "x", WarmUp: limit.WarmUp{From: "soon", Start: 1, Factor: 2, Until: 9}}, {Name: "x", WarmUp: limit.WarmUp{From: "2026-11-22"}},
		{Name: "x", WarmUp: limit.WarmUp{From: "2026-11-22", Start: 50, Factor: 1, Until: 100}},
		{Name: "x", WarmUp: limit.WarmUp{From: "2026-11-22", Start: 50, Factor: 1.01, Until: 1_000_000}},
		{Name: "x", WarmUp: limit.WarmUp{From: "2026-11-22", Days: []int{5, 0}}}, {Name: "x", WarmUp: limit.WarmUp{From: "2026-11-22", Days: []int{5}, Start: 5}},
	} {
		if _, err := limit.Declare(t.Context(), db, bad); errs.KindOf(err) != errs.Invalid {
			t.Errorf("%+v: %v", bad, err)
		}
	}
	l := limit.Limit{Name: "gmail", Destination: "Google.com ", PerSecond: 5, WarmUp: limit.WarmUp{From: "2026-11-22", Start: 50, Factor: 2, Until: 400}}
	for _, want := range []database.Change{database.Added, database.Unchanged, database.Changed, database.Unchanged} {
		if want == database.Changed {
			l.PerDay = 7
		}
		if got, err := limit.Declare(t.Context(), db, l); err != nil || got != want {
			t.Errorf("declared: %s, %v; want %s", got, err, want)
		}
	}
	for _, want := range []database.Change{database.Removed, database.Unchanged} {
		if got, err := limit.Remove(t.Context(), db, "gmail"); err != nil || got != want {
			t.Errorf("removed: %s, %v; want %s", got, err, want)
		}
	}
}

func declare(t testing.TB, db *sqlx.DB, limits ...limit.Limit) {
	t.Helper()
	for _, l := range limits {
		if _, err := limit.Declare(t.Context(), db, l); err != nil {
			t.Fatal(err)
		}
	}
}

// Many workers, each with a Limiter of its own and several connections, on one database.
func TestWorkersShareALimit(t *testing.T) {
	t.Parallel()
	db := testkit.DB(t)
	all := limit.Limit{Name: "all", PerSecond: 100, PerMinute: 900}
	one := limit.Limit{Name: "one", Destination: "a.example", PerSecond: 40}
	each := limit.Limit{Name: "each", Destination: limit.Each, PerSecond: 150}
	declare(t, db, all, one, each)
	var (
		hands   = testkit.NewClock(noon)
		mu      sync.Mutex
		went    = map[string][]time.Time{}
		workers sync.WaitGroup
	)
	reserve := func(l *limit.Limiter, m *limit.Message) {
		for {
			wait, err := l.Reserve(t.Context(), m)
			if err != nil {
				t.Error(err)
				return
			}
			mu.Lock()
			if wait.Limit == nil {
				went[""] = append(went[""], hands.Now())
				went[m.Destination] = append(went[m.Destination], hands.Now())
			} else if now := hands.Now(); wait.Until.After(now) { // time goes on when somebody waits
				hands.Set(wait.Until)
			}
			mu.Unlock()
			if wait.Limit == nil {
				return
			}
		}
	}
	for range 4 {
		l := &limit.Limiter{DB: db, Clock: hands}
		for connection := range 4 {
			workers.Go(func() {
				for i := range 90 {
					reserve(l, &limit.Message{Relay: "relay:25", Destination: []string{"a.example", "b.example", "c.example"}[(i+connection)%3], Sender: "news@example.org"})
				}
			})
		}
	}
	workers.Wait()
	// What was reserved is used a moment later, so each of the 16 connections may have one more in a stretch of time.
	const connections = 16
	for _, tt := range []struct {
		what  string
		limit limit.Limit
	}{
		{"", all}, {"a.example", one}, {"b.example", each}, {"c.example", each},
	} {
		l := tt.limit
		for _, n := range []*int{&l.PerSecond, &l.PerMinute} {
			if *n > 0 {
				*n += connections
			}
		}
		if length := exceeded(&l, went[tt.what]); length > 0 {
			t.Errorf("%q: %d went, more than %+v within %s", tt.what, len(went[tt.what]), tt.limit, length)
		}
	}
	if n := len(went[""]); n != 4*4*90 {
		t.Errorf("%d went", n)
	}
}

// One that names a destination holds instead of the one for each; a domain can be named as well as its destination.
func TestWhichLimitHolds(t *testing.T) {
	t.Parallel()
	db := testkit.DB(t)
	declare(t, db,
		limit.Limit{Name: "each", Destination: limit.Each, PerHour: 1}, limit.Limit{Name: "large", Destination: "google.com", PerHour: 3},
		limit.Limit{Name: "university", Destination: "uni.example", PerHour: 2})
	l := &limit.Limiter{DB: db, Clock: testkit.NewClock(noon)}
	for _, tt := range []struct {
		destination, domain string
		want                int
	}{
		{"a.example", "a.example", 1}, {"b.example", "b.example", 1}, {"google.com", "gmail.com", 3}, {"google.com", "other.example", 0},
		{"outlook.com", "uni.example", 2}, {"outlook.com", "else.example", 1},
	} {
		got := 0
		for range 5 {
			wait, err := l.Reserve(t.Context(), &limit.Message{Destination: tt.destination, Domain: tt.domain})
			if err != nil {
				t.Fatal(err)
			}
			if wait.Limit == nil {
				got++
			} else if wait.Period != "hour" || !wait.Until.After(noon) {
				t.Errorf("waits for %+v", wait)
			}
		}
		if got != tt.want {
			t.Errorf("%s at %s: %d went, want %d", tt.domain, tt.destination, got, tt.want)
		}
	}
}

// What one limit refuses takes no room from the others, what a stopping process has not used comes back, and a limit that is gone holds nothing.
func TestWhatIsNotUsedIsGivenBack(t *testing.T) {
	t.Parallel()
	db, hands := testkit.DB(t), testkit.NewClock(noon)
	declare(t, db, limit.Limit{Name: "all", PerDay: 1000}, limit.Limit{Name: "one", Destination: "a.example", PerDay: 1})
	l := &limit.Limiter{DB: db, Clock: hands}
	for range 5 {
		if _, err := l.Reserve(t.Context(), &limit.Message{Destination: "a.example"}); err != nil {
			t.Fatal(err)
		}
	}
	taken := func() int {
		uses, err := limit.Uses(t.Context(), db, hands.Now())
		if err != nil {
			t.Fatal(err)
		}
		for _, u := range uses {
			if u.Name == "all" {
				return u.Taken["day"]
			}
		}
		return 0
	}
	if n := taken(); n != 10 {
		t.Errorf("%d are reserved, want a block", n)
	}
	hands.Advance(time.Hour) // the block is over, and its rest comes back with the next
	if _, err := l.Reserve(t.Context(), &limit.Message{Destination: "b.example"}); err != nil {
		t.Fatal(err)
	}
	if n := taken(); n != 11 {
		t.Errorf("%d are reserved, want 1 and a block", n)
	}
	if err := l.GiveBack(t.Context()); err != nil {
		t.Fatal(err)
	}
	if n := taken(); n != 2 {
		t.Errorf("%d are reserved, want the two that were used", n)
	}
	for _, name := range []string{"one", "all"} {
		if _, err := limit.Remove(t.Context(), db, name); err != nil {
			t.Fatal(err)
		}
	}
	hands.Advance(2 * time.Second)
	if wait, err := l.Reserve(t.Context(), &limit.Message{Destination: "a.example"}); err != nil || wait.Limit != nil {
		t.Errorf("without limits: %+v, %v", wait, err)
	}
}

// Those that wait get turns at the limit's rate, behind those that wait already.
func TestLine(t *testing.T) {
	t.Parallel()
	l := limit.Limit{PerMinute: 60, WarmUp: limit.WarmUp{From: "2026-11-22", Days: []int{2, 4, 8}}}
	turns := l.Line("minute", noon, time.Time{}, 100)
	if !turns[0].Equal(noon) || turns[99].Sub(noon) < 99*time.Second || turns[99].Sub(noon) > 102*time.Second {
		t.Errorf("from %s to %s", turns[0], turns[99])
	}
	if later := l.Line("minute", noon, turns[99], 1); !later[0].After(turns[99]) {
		t.Errorf("%s, behind %s", later[0], turns[99])
	}
	tomorrow := noon.Truncate(24*time.Hour).AddDate(0, 0, 1)
	byDay := map[string]int{}
	for _, at := range l.Line("warm-up", tomorrow, time.Time{}, 14) {
		byDay[at.Format(time.DateOnly)]++
	}
	if byDay["2026-11-23"] != 4 || byDay["2026-11-24"] != 8 || byDay["2026-11-25"] != 2 {
		t.Errorf("by day: %v", byDay)
	}
}
