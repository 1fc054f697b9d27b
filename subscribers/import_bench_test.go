package subscribers_test

import (
	"bufio"
	"fmt"
	"io"
	"os"
	"runtime"
	"runtime/metrics"
	"testing"

	"silkpost/subscribers"
)

// BenchmarkImportContacts imports people into an empty list, and again when all is known. heap-MB is the most that lived at any time beyond what
// lived before; it should not grow with the number of rows.
func BenchmarkImportContacts(b *testing.B) {
	for _, people := range []int{100_000, 400_000} {
		if testing.Short() {
			people /= 10
		}
		file := manyPeople(b, people)
		b.Run(fmt.Sprintf("new/%d", people), func(b *testing.B) {
			peak := uint64(0)
			for b.Loop() {
				b.StopTimer()
				kit := setup(b)
				b.StartTimer()
				got, heap := kit.benchImport(b, file)
				if peak = max(peak, heap); got.Imported != people {
					b.Fatalf("%+v", got)
				}
			}
			report(b, people, peak)
		})
		b.Run(fmt.Sprintf("checked/%d", people), func(b *testing.B) { // as from the pages: it was checked first, and that was undone
			for b.Loop() {
				b.StopTimer()
				kit := setup(b)
				check := kit.options()
				check.DryRun = true
				if _, err := subscribers.ImportContacts(b.Context(), kit.db, file, check); err != nil {
					b.Fatal(err)
				}
				if _, err := kit.db.ExecContext(b.Context(), `VACUUM ANALYZE subscribers.contacts, subscribers.subscriptions`); err != nil {
					b.Fatal(err)
				}
				b.StartTimer()
				if got, _ := kit.benchImport(b, file); got.Imported != people {
					b.Fatalf("%+v", got)
				}
			}
			report(b, people, 0)
		})
		b.Run(fmt.Sprintf("known/%d", people), func(b *testing.B) {
			kit, peak := setup(b), uint64(0)
			kit.benchImport(b, file)
			for b.Loop() {
				got, heap := kit.benchImport(b, file)
				if peak = max(peak, heap); got.Unchanged != people {
					b.Fatalf("%+v", got)
				}
			}
			report(b, people, peak)
		})
	}
}

func report(b *testing.B, people int, peak uint64) {
	b.Helper()
	b.ReportMetric(float64(people*b.N)/b.Elapsed().Seconds(), "rows/s")
	b.ReportMetric(float64(peak)/1e6, "heap-MB")
}

// benchImport imports a file and returns the most memory that was in use on the way.
func (b *bundle) benchImport(tb testing.TB, file io.ReadSeeker) (subscribers.ImportResult, uint64) {
	tb.Helper()
	live := []metrics.Sample{{Name: "/memory/classes/heap/objects:bytes"}}
	runtime.GC()
	metrics.Read(live)
	before, peak := live[0].Value.Uint64(), uint64(0)
	o := b.options()
	o.Progress = func(subscribers.ImportProgress) {
		metrics.Read(live)
		peak = max(peak, live[0].Value.Uint64())
	}
	result, err := subscribers.ImportContacts(tb.Context(), b.db, file, o)
	if err != nil {
		tb.Fatal(err)
	}
	return result, peak - min(peak, before)
}

func manyPeople(tb testing.TB, people int) *os.File {
	tb.Helper()
	file, err := os.Create(tb.TempDir() + "/people.csv")
	if err != nil {
		tb.Fatal(err)
	}
	tb.Cleanup(func() { _ = file.Close() })
	out := bufio.NewWriter(file)
	fmt.Fprintln(out, "email,name,organisation,country,languages,time_zone,rhythm,topics,kind")
	for i := range people {
		fmt.Fprintf(out, "office-%d@partner-%d.example,Office %d,Partner %d,IT,it;en,Europe/Rome,weekly,robotics;Events,centre\n", i, i%500, i, i%500)
	}
	if err := out.Flush(); err != nil {
		tb.Fatal(err)
	}
	return file
}
