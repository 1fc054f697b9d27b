package main

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"silkpost/internal/testkit"
)

// Around every change of clocks of 2026 in these cities: when a digest that is cut off on the eve would come to somebody who wants it at an
// hour of the night that is left out or comes twice there, and to somebody who wants it in the morning.
func TestPlanAroundChangesOfClocks(t *testing.T) {
	t.Parallel()
	cities := []struct{ name, zone, hours string }{
		{"beijing", "Asia/Shanghai", "02:30 08:00"},
		{"rome", "Europe/Rome", "02:30 08:00"},
		{"london", "Europe/London", "01:30 08:00"},
		{"kathmandu", "Asia/Kathmandu", "02:30 08:00"},
		{"auckland", "Pacific/Auckland", "02:30 08:00"},
		{"santiago", "America/Santiago", "00:00 08:00 23:30"},
		{"cairo", "Africa/Cairo", "00:30 08:00 23:30"},
	}
	with := settings{"DATABASE_URL": testkit.FreshURL(t), "SECRET_KEY": "a-key-of-the-tests-alone"}
	rows := []string{"email,languages,rhythm,time_zone,delivery_hour"}
	zones := map[string]string{}
	for _, c := range cities {
		for _, hour := range strings.Fields(c.hours) {
			rows = append(rows, fmt.Sprintf("%s.%s@example.org,en,daily,%s,%s", c.name, strings.Replace(hour, ":", "h", 1), c.zone, hour))
		}
		zones[c.name] = c.zone
	}
	good(t, with, "apply", file(t, "lists.toml", `
[[list]]
slug = "partners"
sender = { address = "news@example.org" }
postal_address = "1 Example Street, 00000 Exampletown"
`))
	good(t, with, "import", "contacts", file(t, "partners.csv", strings.Join(rows, "\n")), "--list", "partners", "--consent", "They asked for it")
	good(t, with, "import", "articles", file(t, "relay.md", article))
	var got strings.Builder
	for _, eve := range []string{
		"2026-03-28T12:00:00Z", "2026-04-04T06:00:00Z", "2026-04-23T12:00:00Z", "2026-09-05T12:00:00Z", "2026-09-26T00:00:00Z",
		"2026-10-24T12:00:00Z", "2026-10-29T12:00:00Z",
	} {
		plan := decode[struct {
			Editions []struct {
				State      string
				Deliveries []struct {
					Address   string
					NotBefore time.Time `json:"not_before"`
				}
			}
		}](t, good(t, with, "digest", "plan", "--list", "partners", "--rhythm", "daily", "--at", eve, "--json"))
		fmt.Fprintf(&got, "cut off at %s, %s\n", eve, plan.Editions[0].State)
		for _, d := range plan.Editions[0].Deliveries {
			city, _, _ := strings.Cut(d.Address, ".")
			where, err := time.LoadLocation(zones[city])
			if err != nil {
				t.Fatal(err)
			}
			fmt.Fprintf(&got, "  %-30s %s  %s\n", d.Address, d.NotBefore.UTC().Format("01-02 15:04 MST"), d.NotBefore.In(where).Format("Mon 15:04 MST"))
		}
	}
	testkit.Golden(t, "testdata/clocks.txt", []byte(got.String()))
}
