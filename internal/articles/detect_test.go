package articles

import "testing"

func TestDetectLanguage(t *testing.T) {
	t.Parallel()
	tests := map[string]string{
		"":            "en",
		"2020 – 2021": "en",
		"OK":          "en",
		"The museum opens its new hall in May, and everybody who likes robots and their makers is invited to come.":                       "en",
		"Il museo della scienza apre la nuova sala a maggio e invita tutti gli appassionati di robot a visitarla con la famiglia.":        "it",
		"Das Wissenschaftsmuseum öffnet im Mai seine neue Halle und lädt alle Freunde der Roboter herzlich zu einem Besuch ein.":          "de",
		"Музей науки відкриває нову залу в травні та запрошує всіх, хто любить роботів, завітати з родиною і друзями.":                    "uk",
		"Музей науки открывает новый зал в мае и приглашает всех любителей роботов прийти вместе с семьёй и друзьями.":                    "ru",
		"Muzej nauke otvara novu salu u maju i poziva sve ljubitelje robota da dođu sa porodicom i prijateljima, jer će biti zanimljivo.": "hr",
		"يفتح متحف العلوم قاعته الجديدة في شهر مايو ويدعو جميع محبي الروبوتات إلى زيارته مع عائلاتهم وأصدقائهم":                           "ar",
		"سائنس میوزیم مئی میں اپنا نیا ہال کھول رہا ہے اور روبوٹ کے تمام شائقین کو خاندان کے ساتھ آنے کی دعوت دیتا ہے":                    "ur",
		"พิพิธภัณฑ์วิทยาศาสตร์เปิดห้องใหม่":                                                                                               "th",
		"科学中心将于五月向公众开放新展厅":                    "zh-Hans",
		"科學中心將於五月向公眾開放新展廳，歡迎大家來參觀":            "zh-Hant",
		"国际机器人大赛 International Robot Contest": "zh-Hans",
		"国立科学博物館の新しい展示室が五月に開館します":             "ja",
		"과학관은 오월에 새 전시실을 엽니다":                 "ko",
		"Привет":     "ru",
		"Το μουσείο": "el",
	}
	for text, want := range tests {
		if got := DetectLanguage(text); got != want {
			t.Errorf("DetectLanguage(%.40q…) = %q, want %q", text, got, want)
		}
	}
}
