package templates

// Example is the foreign words of a digest that shows what one looks like, in one language.
type Example struct {
	List, Section            string
	Title, Summary, Alt      string // of the article with a picture
	OtherTitle, OtherSummary string
}

// ExampleOf returns the example of a language, the English one where there is none.
func ExampleOf(tag string) Example {
	if words, ok := examples[tag]; ok {
		return words
	}
	return examples[reference]
}

// examples has one for each language that comes with the program. A language that is added shows English articles until it has one.
var examples = map[string]Example{
	"en": {
		"News for our partners", "News", "A hundred schools measure the water of their river",
		"In a single morning classes in four countries took more than three thousand samples. The results are open to everyone. The next measurement is planned for spring.\n\nSchools can sign up until the end of January.",
		"Pupils taking samples of river water", "Science night returns to the square", "The full programme comes out in January.",
	},
	"it": {
		"Notizie per i partner", "Notizie", "Cento scuole misurano la qualità dell’acqua del loro fiume",
		"In una sola mattina le classi di quattro paesi hanno raccolto più di tremila campioni. I risultati sono aperti a tutti. Il prossimo rilevamento è previsto per la primavera.",
		"Ragazze e ragazzi prelevano acqua dal fiume", "La notte dei ricercatori torna in piazza", "Il programma completo uscirà a gennaio.",
	},
	"zh-Hans": {
		"合作伙伴通讯", "新闻", "一百所学校共同测量身边河流的水质，结果向所有人公开",
		"四个国家的班级在一个上午采集了三千多份水样。测量结果已经全部公开，任何人都可以使用。下一次测量计划在明年春天进行，新的学校现在就可以报名参加（名额有限）。",
		"学生们在河边取水样", "科学之夜重返广场", "完整日程将于一月公布。",
	},
	"zh-Hant": {
		"合作夥伴通訊", "新聞", "一百所學校共同測量身邊河流的水質，結果向所有人公開",
		"四個國家的班級在一個上午採集了三千多份水樣。測量結果已經全部公開，任何人都可以使用。下一次測量預定在明年春天進行，新的學校現在就可以報名參加（名額有限）。",
		"學生們在河邊取水樣", "科學之夜重返廣場", "完整節目將於一月公布。",
	},
	"ar": {
		"أخبار لشركائنا", "أخبار", "مئة مدرسة تقيس جودة المياه في نهرها",
		"جمعت صفوف من أربعة بلدان أكثر من ثلاثة آلاف عينة في صباح واحد. النتائج متاحة للجميع. والقياس التالي في الربيع.",
		"تلاميذ يأخذون عينات من ماء النهر", "ليلة العلوم تعود إلى الساحة", "يُعلن البرنامج الكامل في يناير.",
	},
	"fr": {
		"Actualités pour nos partenaires", "Actualités", "Cent écoles mesurent la qualité de l’eau de leur rivière",
		"En une seule matinée, des classes de quatre pays ont prélevé plus de trois mille échantillons. Les résultats sont ouverts à tous. La prochaine mesure est prévue au printemps.",
		"Des élèves prélèvent de l’eau dans la rivière", "La nuit des sciences revient sur la place", "Le programme complet paraîtra en janvier.",
	},
	"de": {
		"Nachrichten für unsere Partner", "Nachrichten", "Hundert Schulen messen die Wasserqualität ihres Flusses",
		"An einem einzigen Vormittag haben Klassen aus vier Ländern mehr als dreitausend Proben genommen. Die Ergebnisse stehen allen offen. Die nächste Messung ist für das Frühjahr geplant.",
		"Schülerinnen und Schüler nehmen Wasserproben am Fluss", "Die Nacht der Wissenschaft kehrt auf den Marktplatz zurück", "Das vollständige Programm erscheint im Januar.",
	},
	"es": {
		"Noticias para nuestros socios", "Noticias", "Cien escuelas miden la calidad del agua de su río",
		"En una sola mañana, clases de cuatro países tomaron más de tres mil muestras. Los resultados están abiertos a todo el mundo. La próxima medición está prevista para la primavera.",
		"Alumnos toman muestras de agua del río", "La noche de la ciencia vuelve a la plaza", "El programa completo se publicará en enero.",
	},
	"pt": {
		"Notícias para nossos parceiros", "Notícias", "Cem escolas medem a qualidade da água de seu rio",
		"Em uma só manhã, turmas de quatro países coletaram mais de três mil amostras. Os resultados estão abertos a todos. A próxima medição está prevista para a primavera.",
		"Alunos coletam amostras de água do rio", "A noite da ciência volta à praça", "O programa completo sai em janeiro.",
	},
	"nl": {
		"Nieuws voor onze partners", "Nieuws", "Honderd scholen meten de waterkwaliteit van hun rivier",
		"In één ochtend namen klassen uit vier landen meer dan drieduizend monsters. De resultaten zijn voor iedereen toegankelijk. De volgende meting staat gepland voor het voorjaar.",
		"Leerlingen nemen watermonsters bij de rivier", "De nacht van de wetenschap keert terug op het plein", "Het volledige programma verschijnt in januari.",
	},
	"cs": {
		"Zprávy pro partnery", "Zprávy", "Sto škol měří kvalitu vody ve své řece",
		"Během jediného dopoledne odebraly třídy ze čtyř zemí přes tři tisíce vzorků. Výsledky jsou přístupné všem. Další měření se chystá na jaro.",
		"Žáci odebírají vzorky říční vody", "Noc vědců se vrací na náměstí", "Úplný program vyjde v lednu.",
	},
	"ro": {
		"Știri pentru partenerii noștri", "Știri", "O sută de școli măsoară calitatea apei din râul lor",
		"Într-o singură dimineață, clase din patru țări au luat peste trei mii de probe. Rezultatele sunt deschise tuturor. Următoarea măsurătoare este prevăzută pentru primăvară.",
		"Elevi care iau probe de apă din râu", "Noaptea științei se întoarce în piață", "Programul complet apare în ianuarie.",
	},
	"sr-Cyrl": {
		"Вести за наше партнере", "Вести", "Сто школа мери квалитет воде у својој реци",
		"За само једно преподне разреди из четири земље узели су више од три хиљаде узорака. Резултати су доступни свима. Следеће мерење планирано је за пролеће.",
		"Ученици узимају узорке речне воде", "Ноћ науке враћа се на трг", "Цео програм излази у јануару.",
	},
	"sr-Latn": {
		"Vesti za naše partnere", "Vesti", "Sto škola meri kvalitet vode u svojoj reci",
		"Za samo jedno prepodne razredi iz četiri zemlje uzeli su više od tri hiljade uzoraka. Rezultati su dostupni svima. Sledeće merenje planirano je za proleće.",
		"Učenici uzimaju uzorke rečne vode", "Noć nauke vraća se na trg", "Ceo program izlazi u januaru.",
	},
	"ru": {
		"Новости для партнёров", "Новости", "Сто школ измеряют качество воды в своей реке",
		"За одно утро классы из четырёх стран взяли более трёх тысяч проб. Результаты открыты для всех. Следующее измерение намечено на весну.",
		"Школьники берут пробы речной воды", "Ночь науки возвращается на площадь", "Полная программа выйдет в январе.",
	},
	"uk": {
		"Новини для партнерів", "Новини", "Сто шкіл вимірюють якість води у своїй річці",
		"За один ранок класи з чотирьох країн узяли понад три тисячі проб. Результати відкриті для всіх. Наступне вимірювання заплановано на весну.",
		"Школярі беруть проби річкової води", "Ніч науки повертається на площу", "Повна програма вийде в січні.",
	},
	"ur": {
		"شراکت داروں کے لیے خبریں", "خبریں", "سو اسکول اپنے دریا کے پانی کا معیار جانچتے ہیں",
		"چار ملکوں کی جماعتوں نے ایک ہی صبح میں تین ہزار سے زیادہ نمونے لیے۔ نتائج سب کے لیے دستیاب ہیں۔ اگلی پیمائش بہار میں ہو گی۔",
		"طلبہ دریا کے پانی کے نمونے لے رہے ہیں", "سائنس کی رات پھر چوک میں", "مکمل پروگرام جنوری میں جاری ہو گا۔",
	},
	"th": {
		"ข่าวสำหรับหน่วยงานพันธมิตร", "ข่าว", "โรงเรียนหนึ่งร้อยแห่งตรวจวัดคุณภาพน้ำในแม่น้ำของตน",
		"ภายในเช้าวันเดียว นักเรียนจากสี่ประเทศเก็บตัวอย่างน้ำได้มากกว่าสามพันตัวอย่าง ผลการตรวจเปิดให้ทุกคนเข้าถึงได้ การตรวจวัดครั้งต่อไปกำหนดไว้ในฤดูใบไม้ผลิ",
		"นักเรียนเก็บตัวอย่างน้ำจากแม่น้ำ", "ค่ำคืนวิทยาศาสตร์กลับมาที่จัตุรัสอีกครั้ง", "กำหนดการทั้งหมดจะเผยแพร่ในเดือนมกราคม",
	},
	"ja": {
		"パートナー向けニュース", "ニュース", "100の学校が地元の川の水質を測定",
		"4か国の学級が午前中だけで3,000を超える水のサンプルを採取しました。結果は誰でも利用できます。次回の測定は春に予定されています。",
		"川で水のサンプルを採取する生徒たち", "サイエンス・ナイトが広場に帰ってくる", "全プログラムは1月に発表されます。",
	},
}
