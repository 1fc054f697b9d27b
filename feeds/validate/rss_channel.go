package validate

import (
	"strings"
	"time"
)

// What a channel may have beside its items and that few have.

const (
	ruleImage     = "RSS 2.0, <image>"
	ruleCloud     = "RSS 2.0, <cloud>"
	ruleTextInput = "RSS 2.0, <textInput>"
	ruleSkip      = "RSS 2.0, skipHours and skipDays"
)

func rssCloud(r *report, e *element) {
	for _, local := range []string{"domain", "path", "registerProcedure", "protocol"} {
		if local == "registerProcedure" && e.attr(local) != nil {
			continue // empty for the protocols that have none
		}
		r.needs(e, ruleCloud, local)
	}
	if a, ok := r.needs(e, ruleCloud, "port"); ok {
		r.value(a, ruleCloud, a.value, betweenFault(a.value, 1, 65535))
	}
}

func rssImage(r *report, image *element) {
	r.noText(image, ruleImage)
	r.parts(image, ruleImage, map[string]part{
		"url":         {required: true, check: rssAddress},
		"title":       {required: true, check: rssTitle},
		"link":        {required: true, check: rssAddress},
		"description": {check: rssText},
		"width":       {check: func(r *report, e *element) { r.value(e, ruleImage, e.trimmed(), betweenFault(e.trimmed(), 1, 144)) }},
		"height":      {check: func(r *report, e *element) { r.value(e, ruleImage, e.trimmed(), betweenFault(e.trimmed(), 1, 400)) }},
	})
	for _, local := range []string{"title", "link"} {
		own, of := image.first("", local), image.parent.first("", local)
		if own != nil && of != nil && own.trimmed() != of.trimmed() {
			r.warn(own, "RSS profile, <image>", "%s %s is not that of the channel: write the same", own.name(), quote(own.trimmed()))
		}
	}
}

func rssTextInput(r *report, e *element) {
	r.warn(e, "RSS profile, <textInput>", "<textInput> is ignored by readers: leave it out")
	r.noText(e, ruleTextInput)
	r.parts(e, ruleTextInput, map[string]part{
		"title": {required: true, check: rssTitle}, "description": {required: true, check: rssText},
		"name": {required: true, check: rssTitle}, "link": {required: true, check: rssAddress},
	})
}

func rssSkipHours(r *report, e *element) {
	r.noText(e, ruleSkip)
	r.parts(e, ruleSkip, map[string]part{"hour": {required: true, many: true, check: func(r *report, hour *element) {
		r.value(hour, ruleSkip, hour.trimmed(), betweenFault(hour.trimmed(), 0, 23))
	}}})
	r.distinct(e.all("", "hour"))
}

func rssSkipDays(r *report, e *element) {
	var week []string
	for day := time.Sunday; day <= time.Saturday; day++ {
		week = append(week, day.String())
	}
	r.noText(e, ruleSkip)
	r.parts(e, ruleSkip, map[string]part{"day": {required: true, many: true, check: func(r *report, day *element) {
		r.value(day, ruleSkip, day.trimmed(), oneOfFault(day.trimmed(), week...))
	}}})
	r.distinct(e.all("", "day"))
}

// distinct sees that hours or days are named once.
func (r *report) distinct(list []*element) {
	seen := map[string]bool{}
	for _, e := range list {
		value := strings.TrimLeft(e.trimmed(), "0")
		if seen[value] {
			r.err(e, ruleSkip, "%s %s is there more than once: leave one", e.name(), quote(e.trimmed()))
		}
		seen[value] = true
	}
}
