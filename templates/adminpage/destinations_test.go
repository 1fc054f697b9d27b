package adminpage

var destinationsSamples = []Page{
	Destinations{Days: 7},
	Destinations{Days: 7, Find: hostile},
	Destinations{
		Days: 1, Paused: []PausedLine{{Name: "google.com", Since: sampleTime, Until: sampleTime, Code: 421, Reply: hostile}, {Name: hostile, Since: sampleTime, ByHand: true}},
		Lines: []DestinationLine{{Name: "google.com", Who: "Gmail", Sent: 1204, Deferred: 3, Failed: 2, InDoubt: 1, Paused: true}, {Name: hostile}}, Pager: Pager{FirstURL: "/a", NextURL: "/b"},
	},
	DestinationShow{Name: hostile},
	DestinationShow{
		Name: "google.com", Paused: &PausedLine{Name: "google.com", Since: sampleTime, Until: sampleTime, Reply: hostile}, Days: []DestinationDay{{Day: sampleTime, DestinationLine: DestinationLine{Sent: 3}}},
		Domains: []DestinationDomain{{hostile, []string{hostile}}},
		Habit:   &Habit{Who: "Gmail", Connections: "a", PerConnection: "b", Rate: "c", Asks: "d", Answers: []string{hostile}, Seen: []string{hostile}, Pages: []string{"https://example.org"}, Others: []string{"javascript:alert(1)"}},
	},
}
