package validate

import "regexp"

const ruleMedia = "Media RSS 1.5.1"

// clockTime matches a time within a recording (RFC 2326, section 3.6).
var clockTime = regexp.MustCompile(`^(?:now|[0-9]+(?:\.[0-9]+)?|[0-9]+:[0-5][0-9]:[0-5][0-9](?:\.[0-9]+)?)$`)

// mediaAttrs are the attributes of the elements that are looked at, and what their values are.
var mediaAttrs = map[string]map[string]func(string) fault{
	"content": {
		"url": webAddressFault, "fileSize": wholeFault, "type": mediaTypeFault, "medium": mediumFault, "isDefault": boolFault,
		"expression": expressionFault, "bitrate": decimalFault, "framerate": decimalFault, "samplingrate": decimalFault,
		"channels": decimalFault, "duration": decimalFault, "height": pixelsFault, "width": pixelsFault, "lang": languageFault,
	},
	"thumbnail":   {"url": webAddressFault, "height": pixelsFault, "width": pixelsFault, "time": clockFault},
	"player":      {"url": webAddressFault, "height": pixelsFault, "width": pixelsFault},
	"title":       {"type": mediaTextFault},
	"description": {"type": mediaTextFault},
}

func webAddressFault(value string) fault { return addressFault(value, webAddress) }
func wholeFault(value string) fault      { return atLeastFault(value, 0) }
func pixelsFault(value string) fault     { return atLeastFault(value, 1) }
func boolFault(value string) fault       { return oneOfFault(value, "true", "false") }
func mediaTextFault(value string) fault  { return oneOfFault(value, "plain", "html") }
func expressionFault(value string) fault { return oneOfFault(value, "sample", "full", "nonstop") }
func mediumFault(value string) fault {
	return oneOfFault(value, "image", "audio", "video", "document", "executable")
}

func clockFault(value string) fault {
	if !clockTime.MatchString(value) {
		return wrong("is not a time within a recording: write it as 12.5 or 00:00:12.5")
	}
	return fault{}
}

// media checks an element of Media RSS and those in it.
func (r *report) media(e *element) {
	rule := ruleMedia + ", <media:" + e.local + ">"
	if known := mediaAttrs[e.local]; known != nil {
		for _, a := range e.attrs {
			switch check := known[a.local]; {
			case a.space != "":
			case check == nil:
				r.err(a, rule, "attribute %s is not one of <%s>: leave it out", a.name(), e.name())
			default:
				r.value(a, rule, a.value, check(a.value))
			}
		}
	}
	switch e.local {
	case "content":
		if e.attr("url") == nil && e.first(nsMedia, "player") == nil {
			r.err(e, rule, "<%s> has neither an attribute url nor a <media:player>: add one", e.name())
		}
	case "thumbnail", "player":
		if e.attr("url") == nil {
			r.err(e, rule, "<%s> has no attribute url: add it", e.name())
		}
	case "group":
		if len(e.all(nsMedia, "content")) < 2 {
			r.warn(e, rule, "<%s> has fewer than two <media:content>: it is for versions of the same, leave it out", e.name())
		}
	case "title", "description":
		if e.get("type") == "html" {
			r.html(e, e.text, e.hasBase())
		} else {
			r.plain(e, rule, e.text)
		}
	}
	for _, child := range e.children {
		if child.space == nsMedia && r.known(child) {
			r.media(child)
		}
	}
}
