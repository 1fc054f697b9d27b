package templates

import (
	"html/template"
	"strings"

	"github.com/clipperhouse/displaywidth"

	"silkpost/internal/language"
)

// Mail programs read style attributes only, so the mails' looks are written into their tags. Colours are those of
// a theme; mail-parts.html turns them for dark. Words in braces are replaced: see looks.Style. What Word, which is how Outlook on
// Windows shows mail, does not know (max-width, border-radius, padding of links) is there for others and has its like in attributes,
// conditional comments and mso- properties.
var inlineStyles = map[string]string{
	"paper":     "margin:0;padding:0;background-color:{paper};-webkit-text-size-adjust:100%;text-size-adjust:100%",
	"preheader": "display:none;max-height:0;overflow:hidden;mso-hide:all;font-size:1px;line-height:1px;color:{paper}",
	"outer":     "padding:16px 12px 32px",
	"column":    "max-width:600px",
	"top":       "padding:0 32px 12px;font-size:13px;color:{soft};{sans}",
	"head":      "padding:28px 32px 24px;background-color:{sheet};border-top:3px solid {accent};overflow-wrap:anywhere;word-break:break-word",
	"list":      "margin:0;font-size:25px;font-weight:bold;color:{ink};line-height:130%;{serif}",
	"day":       "margin:8px 0 0;font-size:15px;color:{soft};{sans}",
	"article":   "padding:24px 32px 28px;background-color:{sheet};border-top:1px solid {line};overflow-wrap:anywhere;word-break:break-word",
	"label":     "margin:0 0 4px;font-size:13px;color:{soft};{sans}",
	"mark":      "margin:0 0 4px;font-size:13px;font-weight:bold;color:{mark};{sans}",
	"title":     "margin:0;font-size:20px;font-weight:bold;color:{ink};line-height:135%;{serif}",
	"titlelink": "color:{ink};text-decoration:none",
	"picture":   "margin:16px 0 4px;font-size:15px;color:{soft};{sans}",
	"image":     "display:block;width:100%;max-width:536px;height:auto;border:0;font-size:15px;color:{soft};{sans}",
	"text":      "margin:12px 0 0;font-size:17px;color:{ink};{serif}",
	"heading":   "margin:20px 0 0;font-size:17px;font-weight:bold;color:{ink};line-height:135%;{serif}",
	"items":     "margin:12px 24px 0;padding:0;font-size:17px;color:{ink};{serif}",
	"item":      "margin:0 0 4px;font-size:17px;color:{ink};{serif}",
	"rule":      "margin:12px 0 0;text-align:center;font-size:17px;color:{soft};{serif}",
	"code":      "margin:12px 0 0;font-size:15px;color:{ink};font-family:Consolas,Menlo,monospace",
	"more":      "margin:12px 0 0;font-size:15px;{sans}",
	"link":      "color:{accent};text-decoration:underline",
	"intro":     "padding:0 32px 24px;background-color:{sheet};overflow-wrap:anywhere;word-break:break-word",
	"logo":      "display:block;border:0;max-width:100%;height:auto;font-size:20px;font-weight:bold;color:{ink};line-height:130%;{sans}",
	"clear":     "clear:both;height:12px;line-height:12px;font-size:12px",
	"footlink":  "margin:0;font-size:13px;line-height:24px;color:{soft};{sansonly}",
	"briefs":    "padding:12px 32px 28px;background-color:{sheet};border-top:1px solid {line};overflow-wrap:anywhere;word-break:break-word;font-size:15px;color:{ink};{sans}",
	"brief":     "margin:16px 0 0",
	"moretitle": "margin:0;font-size:17px;font-weight:bold;color:{ink};line-height:135%;{serif}",
	"markword":  "font-size:13px;font-weight:bold;color:{mark};{sansonly}",
	"foot":      "padding:20px 32px 0;border-top:1px solid {line};font-size:13px;color:{soft};{sans};overflow-wrap:anywhere;word-break:break-word",
	"footline":  "margin:0 0 12px;font-size:13px;color:{soft};{sans}",
	"quiet":     "color:{soft};text-decoration:underline",
	"imagelink": "color:{soft};text-decoration:none",

	"quote-left":  "margin:12px 0 0;padding:0 0 0 16px;border-left:3px solid {line}",
	"quote-right": "margin:12px 0 0;padding:0 16px 0 0;border-right:3px solid {line}",

	"notice":     "padding:28px 32px 32px;background-color:{sheet};border-top:3px solid {accent};overflow-wrap:anywhere;word-break:break-word",
	"said":       "margin:16px 0 0;font-size:17px;color:{ink};{sans}",
	"buttonbox":  "margin:24px 0 0",
	"button":     "background-color:{accent};border-radius:6px;mso-padding-alt:12px 20px",
	"buttonlink": "display:inline-block;padding:12px 20px;font-size:17px;font-weight:bold;color:{onaccent};text-decoration:none;{sans}",
	"besides":    "margin:24px 0 0;font-size:15px;color:{soft};{sans}",
}

// typefaces of a script, with the leading that its characters need.
type typefaces struct {
	serif, sans string
	leading     string
}

var latin = typefaces{
	serif:   "Georgia,'Times New Roman',serif",
	sans:    "-apple-system,'Segoe UI',Roboto,Helvetica,Arial,sans-serif",
	leading: "150%",
}

var faces = map[string]typefaces{
	"Cyrl": {"Georgia,'PT Serif','Times New Roman',serif", "-apple-system,'Segoe UI',Roboto,'PT Sans',Arial,sans-serif", "150%"},
	"Hans": {"'Songti SC','Noto Serif CJK SC','Source Han Serif SC',SimSun,serif", "'PingFang SC','Microsoft YaHei','Noto Sans CJK SC',sans-serif", "170%"},
	"Hant": {"'Songti TC','Noto Serif CJK TC','Source Han Serif TC',PMingLiU,serif", "'PingFang TC','Microsoft JhengHei','Noto Sans CJK TC',sans-serif", "170%"},
	"Jpan": {"'Hiragino Mincho ProN','Yu Mincho','Noto Serif CJK JP',serif", "'Hiragino Sans','Yu Gothic',Meiryo,'Noto Sans CJK JP',sans-serif", "170%"},
	"Kore": {"AppleMyungjo,Batang,'Noto Serif CJK KR',serif", "'Apple SD Gothic Neo','Malgun Gothic','Noto Sans CJK KR',sans-serif", "170%"},
	"Arab": {"'Geeza Pro','Noto Naskh Arabic','Traditional Arabic',Tahoma,serif", "'Geeza Pro','Segoe UI','Noto Sans Arabic',Tahoma,sans-serif", "170%"},
	"Thai": {"Thonburi,'Noto Serif Thai','Leelawadee UI',Tahoma,serif", "Thonburi,'Leelawadee UI','Noto Sans Thai',Tahoma,sans-serif", "170%"},
}

// looks are the colours of a mail and what was made of them. They belong to one rendering.
type looks struct {
	Light, Dark palette
	made        map[string]template.HTMLAttr
}

func newLooks(t Theme) looks {
	return looks{Light: t.light(), Dark: t.dark(), made: map[string]template.HTMLAttr{}}
}

// Style returns the style attribute of a part of a mail, with the typefaces of the language that is written in it.
func (l *looks) Style(part, tag string) template.HTMLAttr {
	key := part + " " + tag
	if made, ok := l.made[key]; ok {
		return made
	}
	_, script, _ := strings.Cut(language.Key(tag), "-")
	face, ok := faces[script]
	if !ok {
		face = latin
	}
	leading := ";line-height:" + face.leading
	if strings.Contains(inlineStyles[part], "line-height") {
		leading = ""
	}
	css := strings.NewReplacer(
		"{serif}", "font-family:"+face.serif+leading, "{sans}", "font-family:"+face.sans+leading, "{sansonly}", "font-family:"+face.sans,
		"{paper}", l.Light.Paper, "{sheet}", l.Light.Sheet, "{ink}", l.Light.Ink, "{soft}", l.Light.Soft, "{accent}", l.Light.Accent,
		"{mark}", l.Light.Mark, "{line}", l.Light.Line, "{onaccent}", l.Light.OnAccent,
	).Replace(inlineStyles[part])
	l.made[key] = template.HTMLAttr(`style="` + css + `"`) //nolint:gosec // put together from tables and checked colours
	return l.made[key]
}

// filler keeps what follows the preheader out of the inbox: characters without width between spaces without words.
func filler(preheader string) template.HTML {
	missing := max(preheaderColumns-displaywidth.String(preheader), 0)
	return template.HTML(strings.Repeat("&#847;&#8199;", missing/2)) //nolint:gosec // two characters
}

// outlook returns what only Outlook on Windows reads. Its comments cannot stand in a template, which drops comments.
func outlook(part string) template.HTML {
	switch part {
	case "settings":
		return "<!--[if mso]><xml><o:OfficeDocumentSettings><o:AllowPNG/><o:PixelsPerInch>96</o:PixelsPerInch></o:OfficeDocumentSettings></xml><![endif]-->"
	case "open":
		return `<!--[if mso]><table role="presentation" width="600" align="center" cellpadding="0" cellspacing="0" border="0"><tr><td><![endif]-->`
	}
	return "<!--[if mso]></td></tr></table><![endif]-->"
}
