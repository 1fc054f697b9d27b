package subscribers_test

import (
	"fmt"
	"strings"
	"testing"
)

// BenchmarkImportContacts imports 100,000 people: into an empty list, and again when all is known.
func BenchmarkImportContacts(b *testing.B) {
	const people = 100_000
	file := manyPeople(people)
	b.Run("new", func(b *testing.B) {
		for b.Loop() {
			b.StopTimer()
			kit := setup(b)
			b.StartTimer()
			if got := kit.mustImport(b, kit.options(), file); got.Imported != people {
				b.Fatalf("%+v", got)
			}
		}
		b.ReportMetric(float64(people*b.N)/b.Elapsed().Seconds(), "rows/s")
	})
	b.Run("known", func(b *testing.B) {
		kit := setup(b)
		kit.mustImport(b, kit.options(), file)
		for b.Loop() {
			if got := kit.mustImport(b, kit.options(), file); got.Unchanged != people {
				b.Fatalf("%+v", got)
			}
		}
		b.ReportMetric(float64(people*b.N)/b.Elapsed().Seconds(), "rows/s")
	})
}

func manyPeople(people int) string {
	var file strings.Builder
	file.WriteString("email,name,organisation,country,languages,time_zone,rhythm,topics,kind\n")
	for i := range people {
		fmt.Fprintf(&file, "office-%d@partner-%d.example,Office %d,Partner %d,IT,it;en,Europe/Rome,weekly,robotics;Events,centre\n",
			i, i%500, i, i%500)
	}
	return file.String()
}
