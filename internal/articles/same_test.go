package articles

import (
	"strings"
	"testing"
	"time"
)

func TestSameArticle(t *testing.T) {
	t.Parallel()
	const (
		relay = "On Saturday the robots of fourteen schools passed water from hand to hand along the river, three kilometres from the old mill to " +
			"the science centre. The youngest team was nine years old. The prize, a day in the workshop, went to the school of the harbour."
		corrected = "On Saturday the robots of fifteen schools passed water from hand to hand along the river, three kilometres from the old mill to " +
			"the science centre. The youngest team was nine years old. The prize, a day in the workshop, went to the school of the harbour."
		lecture = "The next lecture of the series is on Thursday at seven in the large hall. Admission is free. This time a physicist tells how " +
			"lightning finds its way, and lets some of it loose on the stage. Children are welcome from the age of eight."
		lectureToo = "The next lecture of the series is on Thursday at seven in the large hall. Admission is free. This time a biologist explains why " +
			"eels swim across an ocean, and brings a few that have been there. Children are welcome from the age of eight."
		chinese   = "科学中心将于五月一日向公众开放新展厅，展厅面积两千平方米，展出一百二十件互动展品。欢迎各国伙伴前来参观。开馆时间为每天上午九点至下午五点。"
		chineseTo = "科学中心将于五月一日向公众开放新展厅，展厅面积两千平方米，展出一百三十件互动展品。欢迎各国伙伴前来参观。开馆时间为每天上午九点至下午五点。"
		italian   = "Sabato i robot di quattordici scuole si sono passati l'acqua di mano in mano lungo il fiume, per tre chilometri, dal vecchio mulino al centro."
	)
	day := time.Date(2020, 5, 11, 8, 0, 0, 0, time.UTC)
	of := func(title, url, text string, at time.Time) *likeness {
		return &likeness{title: titleKey(title), url: urlKey(url), at: at, dated: true, text: shinglesOf(text)}
	}
	undated := func(l *likeness) *likeness { l.dated = false; return l }
	const here, there = "https://www.example.org/news/1.html", "https://example.org/new-site/?id=1"
	tests := []struct {
		name string
		a, b *likeness
		want bool
	}{
		{"only the id is another", of("Robots", here, relay, day), of("Robots", here, relay, day), true},
		{"the scheme and a tracker too", of("Robots", here, relay, day), of("Robots", "http://example.org/news/1.html?utm_source=x", relay, day), true},
		{"corrected under one address", of("Robots", here, relay, day), of("Robots", here, corrected, day.AddDate(0, 1, 0)), true},
		{"another title under one address", of("Robots", here, relay, day), of("Robots pass the water on", here, corrected, day), true},
		{"another address", of("Robots pass!", here, relay, day), of("ROBOTS  PASS", there, corrected, day.Add(-8*time.Hour)), true},
		{"another address, in Chinese", of("新展厅　开放", here, chinese, day), of("新展厅开放", there, chineseTo, day), true},
		{"rewritten on the same day, one address", of("Robots", here, relay, day), of("Robots", here, lecture, day.Add(time.Hour)), true},
		{"without dates, the same words", undated(of("Robots", here, strings.Repeat(relay, 2), day)), of("Robots", there, strings.Repeat(relay, 2), day.AddDate(0, 0, 9)), true},

		{"a page that is another each week", of("Programme", here, lecture, day), of("Programme", here, relay, day.AddDate(0, 0, 7)), false},
		{"one address for all", of("Robots", here, relay, day), of("Lecture", here, lecture, day), false},
		{"a series, weeks apart", of("Lecture", here, lecture, day), of("Lecture", there, lectureToo, day.AddDate(0, 0, 7)), false},
		{"a series, the same day", of("Lecture", here, lecture, day), of("Lecture", there, lectureToo, day), false},
		{"daily, word for word", of("Opening hours today", here, relay, day), of("Opening hours today", there, relay, day.AddDate(0, 0, 1)), false},
		{"parts", of("Robots, part 1", here, relay, day), of("Robots, part 2", there, relay, day), false},
		{"a translation", of("Robots", here, relay, day), of("Robots", there, italian, day), false},
		{"the same words under another title", of("Robots", here, relay, day), of("Robots again", there, relay, day), false},
		{"without dates, corrected", undated(of("Robots", here, relay, day)), undated(of("Robots", there, corrected, day)), false},
		{"short and without dates", undated(of("Closed", here, "Closed today.", day)), undated(of("Closed", there, "Closed today.", day)), false},
		{"pages of an application", of("A", "https://example.org/#/1", relay, day), of("B", "https://example.org/#/2", relay, day), false},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			if got := tt.a.same(tt.b); got != tt.want {
				t.Errorf("same: %v (texts %.2f), want %v", got, tt.a.text.like(tt.b.text), tt.want)
			}
			if got := tt.b.same(tt.a); got != tt.want {
				t.Error("it depends on which comes first")
			}
		})
	}
}
