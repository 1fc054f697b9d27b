// Package speedtest measures the running program as its users run it: processes of their own, a Postgres that loses nothing, real SMTP.
package speedtest

import (
	"flag"
	"log/slog"
	"os"
	"runtime"
	"strconv"
	"testing"
	"time"

	"github.com/google/uuid"
	"github.com/jmoiron/sqlx"

	"silkpost/internal/app"
	"silkpost/internal/database"
	"silkpost/internal/testkit"
	"silkpost/mailer/edition"
	"silkpost/mailer/ledger"
	"silkpost/subscribers"
)

var (
	connections = flag.Int("connections", 50, "SMTP connections of each program")
	roundTrip   = flag.Duration("rtt", 20*time.Millisecond, "how far away the server of BenchmarkSendFarAway is")
)

// BenchmarkSend sends one edition to many recipients, from its approval to the last outcome written down, and beside it as many messages of the same
// size by Postfix's smtp-source over as many connections to the same sink. What it tells:
//
//	msg/s          of silkpost
//	source-msg/s   of smtp-source, the mean of a run before and one after
//	ratio          of the two
//	cpu-µs/msg     processor time of silkpost's worker
//	pg-µs/msg      processor time of Postgres
//	sink-µs/msg    processor time of the sink, for silkpost's messages
//	rss-MB         the most memory the worker had
//	disk-B/msg     by which the database has grown since it was planned
//	wal-B/msg      written ahead
func BenchmarkSend(b *testing.B) {
	sizes := []int{10_000, 100_000, 1_000_000}
	if testkit.Quick() {
		sizes = []int{200}
	}
	for _, n := range sizes {
		b.Run(strconv.Itoa(n), func(b *testing.B) {
			s := newStage(b, n)
			sink := s.catch()
			s.serve(sink.address, *connections)
			for b.Loop() {
				b.StopTimer()
				source := smtpSource(b, sink.address, n)
				b.StartTimer()
				took := s.send()
				b.StopTimer()
				after := s.use()
				source = (source + smtpSource(b, sink.address, n)) / 2
				s.report(took, after, source)
				b.StartTimer()
			}
		})
	}
}

// BenchmarkSendFarAway sends over 20 connections to a sink whose answers take a while on their way.
func BenchmarkSendFarAway(b *testing.B) {
	n := 10_000
	if testkit.Quick() {
		n = 200
	}
	s := newStage(b, n)
	s.serve(distant(b, s.catch().address, *roundTrip), 20)
	for b.Loop() {
		took := s.send()
		s.report(took, s.use(), 0)
	}
}

// BenchmarkSendInside sends from this process, to count what it allocates and to profile it (-cpuprofile).
func BenchmarkSendInside(b *testing.B) {
	n := 50_000
	if testkit.Quick() {
		n = 200
	}
	s := newStage(b, n)
	stop := s.work(s.catch().address, *connections)
	defer stop()
	for b.Loop() {
		var before, after runtime.MemStats
		runtime.ReadMemStats(&before)
		took := s.send()
		runtime.ReadMemStats(&after)
		b.ReportMetric(float64(n)/took.Seconds(), "msg/s")
		b.ReportMetric(float64(after.Mallocs-before.Mallocs)/float64(n), "allocs/msg")
		b.ReportMetric(float64(after.TotalAlloc-before.TotalAlloc)/float64(n), "B/msg")
		b.ReportMetric(0, "ns/op")
	}
}

// stage is an installation with a list, n readers in four languages and articles.
type stage struct {
	b      *testing.B
	n      int
	app    *app.App
	server *database.Local
	binary string
	env    []string
	worker *process
	sink   *process
	before usage
}

const secretKey = "sixteen-characters"

func newStage(b *testing.B, n int) *stage {
	b.Helper()
	s := &stage{b: b, n: n}
	dir := diskDir(b)
	s.binary = build(b, dir)
	var err error
	s.server, err = database.StartLocal(b.Context(), database.LocalConfig{Dir: dir, Settings: []string{"max_wal_size=4GB"}})
	must(b, err)
	b.Cleanup(func() { _ = s.server.Stop(b.Context()) })
	cfg := settings(s.server.URL())
	s.app, err = app.Open(b.Context(), cfg, app.Options{Log: slog.New(slog.DiscardHandler)})
	must(b, err)
	b.Cleanup(func() { _ = s.app.Close(b.Context()) })
	s.env = append(os.Environ(), "SILKPOST_DATABASE_URL="+s.server.URL(), "SILKPOST_DATA_DIR="+dir, "SILKPOST_SECRET_KEY="+secretKey,
		"SILKPOST_PUBLIC_URL="+cfg.PublicURL, "SILKPOST_LISTEN=127.0.0.1:0")
	s.furnish()
	return s
}

// furnish declares the list, and fills it.
func (s *stage) furnish() {
	s.b.Helper()
	list := subscribers.NewList("partners")
	list.Sender, list.PostalAddress = subscribers.Sender{Name: "Example Association", Address: "news@example.org"}, "1 Example Street"
	_, err := subscribers.DeclareList(s.b.Context(), s.app.DB, list)
	must(s.b, err)
	s.exec(`INSERT INTO subscribers.contacts (email, email_key, name, languages, language_keys, created_at)
		SELECT 'reader' || i || '@partner' || i % 5000 || '.example', 'reader' || i || '@partner' || i % 5000 || '.example', 'Reader ' || i, ARRAY[tag, 'en'],
		       ARRAY[tag || '-Latn', 'en-Latn'], $2
		FROM generate_series(1, $1::int) i, LATERAL (SELECT (ARRAY['it', 'fr', 'de', 'en'])[1 + i % 4] AS tag) t`, s.n, time.Now())
	s.exec(`INSERT INTO subscribers.subscriptions (list_id, contact_id, state, rhythm, created_at)
		SELECT (SELECT id FROM subscribers.lists WHERE slug = 'partners'), id, 'active', 'weekly', $1 FROM subscribers.contacts`, time.Now())
	s.exec(`VACUUM ANALYZE`)
}

// send plans an edition, which is approved as it is planned, and returns how long it took until the last of its outcomes was written down.
func (s *stage) send() time.Duration {
	s.b.Helper()
	publish(s.b, s.app)
	ctx := s.b.Context()
	must(s.b, ledger.Prepare(ctx, s.app.DB, time.Now()))
	list, err := subscribers.ListBySlug(ctx, s.app.DB, "partners")
	must(s.b, err)
	var made *edition.Edition
	must(s.b, database.Transact(ctx, s.app.DB, func(tx *sqlx.Tx) (err error) {
		made, err = s.app.Planner.Plan(ctx, tx, edition.Request{List: list, Rhythm: "weekly", CutOff: time.Now(), AtOnce: true, ByHand: true, Approve: true})
		if s.worker != nil {
			s.before = s.use()
		}
		return err
	}))
	approved := time.Now()
	testkit.Eventually(s.b, time.Hour, "the edition is sent", func() bool {
		time.Sleep(20 * time.Millisecond)
		e, err := edition.ByID(ctx, s.app.DB, made.ID)
		must(s.b, err)
		return e.State == edition.Sent
	})
	counts, err := ledger.CountOf(ctx, s.app.DB, made.ID)
	must(s.b, err)
	if counts != (ledger.Counts{Recipients: s.n, Sent: s.n}) {
		s.b.Fatalf("%+v", counts)
	}
	return s.last(made.ID).Sub(approved)
}

// last returns when the last outcome of an edition was known.
func (s *stage) last(id uuid.UUID) (at time.Time) {
	s.b.Helper()
	must(s.b, s.app.DB.GetContext(s.b.Context(), &at, `SELECT max(settled_at) FROM mailer.deliveries WHERE edition_id = $1`, id))
	return at
}

// usage is what was used so far.
type usage struct {
	worker, postgres, sink time.Duration
	disk, wal              int64
}

func (s *stage) use() (u usage) {
	s.b.Helper()
	u.worker, u.postgres = processorTime(s.b, s.worker.pid()), familyTime(s.b, postmaster(s.b, s.app.DB))
	u.sink = processorTime(s.b, s.sink.pid())
	must(s.b, s.app.DB.QueryRowContext(s.b.Context(), `SELECT pg_database_size(current_database()), pg_wal_lsn_diff(pg_current_wal_insert_lsn(), '0/0')::bigint`).
		Scan(&u.disk, &u.wal))
	return u
}

func (s *stage) report(took time.Duration, after usage, source float64) {
	s.b.Helper()
	n := float64(s.n)
	rate := n / took.Seconds()
	s.b.ReportMetric(rate, "msg/s")
	if source > 0 {
		s.b.ReportMetric(source, "source-msg/s")
		s.b.ReportMetric(rate/source, "ratio")
	}
	perMessage := func(d time.Duration) float64 { return float64(d.Microseconds()) / n }
	s.b.ReportMetric(perMessage(after.worker-s.before.worker), "cpu-µs/msg")
	s.b.ReportMetric(perMessage(after.postgres-s.before.postgres), "pg-µs/msg")
	s.b.ReportMetric(perMessage(after.sink-s.before.sink), "sink-µs/msg")
	s.b.ReportMetric(float64(after.disk-s.before.disk)/n, "disk-B/msg")
	s.b.ReportMetric(float64(after.wal-s.before.wal)/n, "wal-B/msg")
	s.b.ReportMetric(peakMemory(s.b, s.worker.pid()), "rss-MB")
	s.b.ReportMetric(0, "ns/op")
}

func (s *stage) exec(query string, args ...any) {
	s.b.Helper()
	_, err := s.app.DB.ExecContext(s.b.Context(), query, args...)
	must(s.b, err)
}

func must(t testing.TB, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}
