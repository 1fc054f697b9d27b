package templates

import (
	"html/template"
	"strings"

	"silkpost/internal/language"
)

// Mail programs read style attributes only, so the mails' looks are written into their tags. Colours are those of
// static/silkpost.css in light; mail-parts.html turns them for dark.
var inlineStyles = map[string]string{
	"paper":     "margin:0;padding:0;background-color:#f6f4ef;-webkit-text-size-adjust:100%;text-size-adjust:100%",
	"preheader": "display:none;max-height:0;overflow:hidden;mso-hide:all;font-size:1px;line-height:1px;color:#f6f4ef",
	"outer":     "padding:16px 12px 32px",
	"column":    "max-width:600px",
	"top":       "padding:0 32px 12px;font-size:13px;color:#5c5a55;{sans}",
	"head":      "padding:28px 32px 24px;background-color:#ffffff;border-top:3px solid #14606b;overflow-wrap:anywhere;word-break:break-word",
	"list":      "margin:0;font-size:25px;font-weight:bold;color:#1c1b19;line-height:1.3;{serif}",
	"day":       "margin:8px 0 0;font-size:15px;color:#5c5a55;{sans}",
	"article":   "padding:24px 32px 28px;background-color:#ffffff;border-top:1px solid #dedad2;overflow-wrap:anywhere;word-break:break-word",
	"label":     "margin:0 0 4px;font-size:13px;color:#5c5a55;{sans}",
	"mark":      "margin:0 0 4px;font-size:13px;font-weight:bold;color:#805300;{sans}",
	"title":     "margin:0;font-size:20px;font-weight:bold;color:#1c1b19;line-height:1.35;{serif}",
	"titlelink": "color:#1c1b19;text-decoration:none",
	"picture":   "padding:16px 0 4px",
	"image":     "display:block;width:100%;max-width:536px;height:auto;border:0;font-size:15px;color:#5c5a55;{sans}",
	"text":      "margin:12px 0 0;font-size:17px;color:#1c1b19;{serif}",
	"heading":   "margin:20px 0 0;font-size:17px;font-weight:bold;color:#1c1b19;line-height:1.35;{serif}",
	"items":     "margin:12px 0 0;padding:0 24px;font-size:17px;color:#1c1b19;{serif}",
	"item":      "margin:0 0 4px;font-size:17px;color:#1c1b19;{serif}",
	"rule":      "margin:12px 0 0;text-align:center;font-size:17px;color:#5c5a55;{serif}",
	"code":      "margin:12px 0 0;font-size:15px;color:#1c1b19;font-family:Consolas,Menlo,monospace",
	"more":      "margin:12px 0 0;font-size:15px;{sans}",
	"link":      "color:#14606b;text-decoration:underline",
	"foot":      "padding:20px 32px 0;border-top:1px solid #dedad2;font-size:13px;color:#5c5a55;{sans};overflow-wrap:anywhere;word-break:break-word",
	"footline":  "margin:0 0 12px;font-size:13px;color:#5c5a55;{sans}",
	"quiet":     "color:#5c5a55;text-decoration:underline",
	"imagelink": "color:#5c5a55;text-decoration:none",

	"quote-left":  "margin:12px 0 0;padding:0 0 0 16px;border-left:3px solid #dedad2",
	"quote-right": "margin:12px 0 0;padding:0 16px 0 0;border-right:3px solid #dedad2",

	"notice":     "padding:28px 32px 32px;background-color:#ffffff;border-top:3px solid #14606b;overflow-wrap:anywhere;word-break:break-word",
	"said":       "margin:16px 0 0;font-size:17px;color:#1c1b19;{sans}",
	"buttonbox":  "margin:24px 0 0",
	"button":     "background-color:#14606b;border-radius:6px",
	"buttonlink": "display:inline-block;padding:12px 20px;font-size:17px;font-weight:bold;color:#ffffff;text-decoration:none;{sans}",
	"besides":    "margin:24px 0 0;font-size:15px;color:#5c5a55;{sans}",
}

// typefaces of a script, with the leading that its characters need.
type typefaces struct {
	serif, sans string
	leading     string
}

var latin = typefaces{
	serif:   "Georgia,'Times New Roman',serif",
	sans:    "-apple-system,'Segoe UI',Roboto,Helvetica,Arial,sans-serif",
	leading: "1.5",
}

var faces = map[string]typefaces{
	"Cyrl": {"Georgia,'PT Serif','Times New Roman',serif", "-apple-system,'Segoe UI',Roboto,'PT Sans',Arial,sans-serif", "1.5"},
	"Hans": {"'Songti SC','Noto Serif CJK SC','Source Han Serif SC',SimSun,serif", "'PingFang SC','Microsoft YaHei','Noto Sans CJK SC',sans-serif", "1.7"},
	"Hant": {"'Songti TC','Noto Serif CJK TC','Source Han Serif TC',PMingLiU,serif", "'PingFang TC','Microsoft JhengHei','Noto Sans CJK TC',sans-serif", "1.7"},
	"Jpan": {"'Hiragino Mincho ProN','Yu Mincho','Noto Serif CJK JP',serif", "'Hiragino Sans','Yu Gothic',Meiryo,'Noto Sans CJK JP',sans-serif", "1.7"},
	"Kore": {"AppleMyungjo,Batang,'Noto Serif CJK KR',serif", "'Apple SD Gothic Neo','Malgun Gothic','Noto Sans CJK KR',sans-serif", "1.7"},
	"Arab": {"'Geeza Pro','Noto Naskh Arabic','Traditional Arabic',Tahoma,serif", "'Geeza Pro','Segoe UI','Noto Sans Arabic',Tahoma,sans-serif", "1.7"},
	"Thai": {"Thonburi,'Noto Serif Thai','Leelawadee UI',Tahoma,serif", "Thonburi,'Leelawadee UI','Noto Sans Thai',Tahoma,sans-serif", "1.7"},
}

// inlineStyle returns the style attribute of a part of the digest, with the typefaces of the language that is written in it.
func inlineStyle(part, tag string) template.HTMLAttr {
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
		"{serif}", "font-family:"+face.serif+leading,
		"{sans}", "font-family:"+face.sans+leading,
	).Replace(inlineStyles[part])
	return template.HTMLAttr(`style="` + css + `"`) //nolint:gosec // put together from the tables above
}

// outlook returns what only Outlook on Windows reads. Its comments cannot stand in a template, which drops comments.
func outlook(part string) template.HTML {
	switch part {
	case "settings":
		return "<!--[if mso]><xml><o:OfficeDocumentSettings><o:PixelsPerInch>96</o:PixelsPerInch></o:OfficeDocumentSettings></xml><![endif]-->"
	case "open":
		return `<!--[if mso]><table role="presentation" width="600" align="center" cellpadding="0" cellspacing="0" border="0"><tr><td><![endif]-->`
	}
	return "<!--[if mso]></td></tr></table><![endif]-->"
}
