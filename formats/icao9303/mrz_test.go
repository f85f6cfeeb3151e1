package icao9303

import (
	"errors"
	"regexp"
	"strings"
	"testing"

	"pgregory.net/rapid"
)

var zone = regexp.MustCompile(`^[A-Z]*(<[A-Z]+)*$`)

func TestKnownNames(t *testing.T) {
	t.Parallel()
	for name, want := range map[string]string{
		// Doc 9303-3 §4.6 and §6.
		"Anna Maria":              "ANNA<MARIA",
		"van der Muellen":         "VAN<DER<MUELLEN",
		"d'Arsøns - van Halen":    "DARSOENS<VAN<HALEN",
		"O’Connor":                "OCONNOR",
		"Smith-Jones":             "SMITH<JONES",
		"Thérèse Cañon":           "THERESE<CANON",
		"Gößinger":                "GOESSINGER",
		"GÖẞINGER":                "GOESSINGER",
		"Ågesen":                  "AAGESEN",
		"Jørgensen":               "JOERGENSEN",
		"Þarf Að Prófa":           "THARF<AD<PROFA",
		"Łukasz Żółć":             "LUKASZ<ZOLC",
		"İbrahim Işık":            "IBRAHIM<ISIK",
		"Ďuriš Šťastný":           "DURIS<STASTNY",
		"Ķelpis":                  "KELPIS",
		"Đỗ Thị Hằng Nguyễn":      "DO<THI<HANG<NGUYEN",
		"Ĳsselstein":              "IJSSELSTEIN",
		"Cel·la":                  "CELLA",
		"Œuvray Ægir":             "OEUVRAY<AEGIR",
		"Æ Ǽ":                     "AE<AE",
		"A\u0308nne":              "AENNE", // a decomposed letter is the same letter
		"ＡＢＣ　ｄｅ":                  "ABC<DE",
		"  J.R.  Tolkien , Esq. ": "J<R<TOLKIEN<ESQ",
		"Kahananui\u02bbokeola":   "KAHANANUIOKEOLA",
		// §6.B
		"Юлия Щеглова":       "IULIIA<SHCHEGLOVA",
		"Объедков Соловьёв":  "OBIEEDKOV<SOLOVEV",
		"Цой Эдуард Хрущёв":  "TSOI<EDUARD<KHRUSHCHEV",
		"Ткаченко":           "TKACHENKO",
		"СТАМО ГЕОРГИЕВ":     "STAMO<GEORGIEV",
		"Љубица Њежић Џајић": "LJUBITSA<NJEZHIC<DZAJIC",
		// §6.C and its appendix
		"ابو بكر محمد بن زكريا الرازي": "ABW<BKR<MXHMD<BN<ZKRYA<ALRAZY",
		"ناصر":       "NAXSSR",
		"فاطمة":      "FAXTTMXAH",
		"فاطمة علي":  "FAXTTMXAH<ELY",
		"مدرستنا":    "MDRSTNA",
		"عبّاس":      "EBBAS",
		"فضّة":       "FXDZXDZXAH",
		"حَسَّان":    "XHSSAN", // the vowel sign stands between letter and shadda
		"محـــمد":    "MXHMD",
		"پرویز چنگی": "PRWXYAZ<XCNXGGXYA",
		// other scripts
		"Μενεξές":               "MENEXES",
		"ΜΑΡΙΟΣ":                "MARIOS",
		"Παπαδόπουλος":          "PAPADOPOULOS",
		"Ευάγγελος Αυγερινός":   "EVANGELOS<AVGERINOS",
		"Λευτέρης Μπέσσης":      "LEFTERIS<BESSIS",
		"Ταΰγετος Κάλπη":        "TAYGETOS<KALPI",
		"Λαμπρου Χριστος Ψ":     "LAMPROU<CHRISTOS<PS",
		"ვაჟა ეზუგბაია":         "VAZHA<EZUGBAIA",
		"Მარიამ":                "MARIAM",
		"Երևան Ոսկան Արմենուհի": "YEREVAN<VOSKAN<ARMENUHI",
		"Գևորգ":                 "GEVORG",
		"דוד כהן":               "DVD<KHN",
		"שָׂרָה פֶּרֶץ":         "SARAH<PERETS",
		"יוסף לוי":              "YVSF<LVY",
		"やまだ たろう":               "YAMADA<TARO",
		"ほんま しんぺい":              "HOMMA<SHIMPEI",
		"はっちょう きっぺい":            "HATCHO<KIPPEI",
		"おおの じゅんいち":             "ONO<JUNICHI",
		"いのうえ まつうら":             "INOUE<MATSUURA",
		"せのお ゆうこ":               "SENOO<YUKO",
		"ジェニファー・ウィリアムズ":         "JENIFA<WIRIAMUZU",
		"ｶﾞﾘﾚｵ":                 "GARIREO",
		"김민준":                   "GIMMINJUN",
		"한 복남":                  "HAN<BOKNAM",
		"이 석우":                  "I<SEOGU",
		"설린 박":                  "SEOLLIN<BAK",
		"홍 빛나":                  "HONG<BITNA",
		// nothing to say
		"":    "",
		" \t": "",
	} {
		got, err := MRZ(name)
		if err != nil || got != want {
			t.Errorf("%s: got %s (%v), want %s", name, got, err, want)
		}
	}
}

func TestRefusals(t *testing.T) {
	t.Parallel()
	for name, want := range map[string]error{
		"PREZIME01":               ErrDigit,
		"محمد٣":                   ErrDigit,
		"Ada Ⅱ2":                  ErrDigit,
		"李明":                      ErrNoTransliteration,
		"佐々木 はるか":                 ErrNoTransliteration,
		"สมชาย":                   ErrNoTransliteration,
		"राम":                     ErrNoTransliteration,
		"ңурлан":                  ErrNoTransliteration, // no row in §6.B
		"ڢاطمة":                   ErrNoTransliteration, // "not encoded" in §6.C
		"😀😃😄":                     ErrNoTransliteration,
		"--":                      ErrNoTransliteration,
		"אע":                      ErrNoTransliteration, // no letter is left
		"\xff":                    ErrNoTransliteration,
		"a@b":                     ErrNoTransliteration,
		strings.Repeat("a", 5000): ErrTooLong,
	} {
		got, err := MRZ(name)
		if !errors.Is(err, want) || got != "" {
			t.Errorf("%d bytes: got %q (%v), want %v", len(name), got, err, want)
		}
		if err != nil && len(name) > 2 && strings.Contains(err.Error(), name) {
			t.Error("the error repeats the name")
		}
	}
}

// Every row of the printed tables, as a reader of Doc 9303-3 would check them.
func TestEveryLetterOfTheLatinTable(t *testing.T) {
	t.Parallel()
	rows := map[string]string{
		"A": "ÀÁÂÃĀĂĄ", "AE": "ÄÆ", "AA": "Å", "C": "ÇĆĈĊČ", "D": "ĎĐÐ", "E": "ÈÉÊËĒĔĖĘĚ", "G": "ĜĞĠĢ",
		"H": "ĤĦ", "I": "ÌÍÎÏĨĪĬĮİı", "IJ": "Ĳ", "J": "Ĵ", "K": "Ķ", "L": "ĹĻĽĿŁ", "N": "ÑŃŅŇŊ",
		"O": "ÒÓÔÕŌŎŐ", "OE": "ÖØŒ", "R": "ŔŖŘ", "S": "ŚŜŞŠ", "SS": "ẞ", "T": "ŢŤŦ", "TH": "Þ",
		"U": "ÙÚÛŨŪŬŮŰŲ", "UE": "Ü", "W": "Ŵ", "Y": "ÝŶŸ", "Z": "ŹŻŽ",
	}
	count := 0
	for want, letters := range rows {
		for _, letter := range letters {
			count++
			for _, form := range []string{string(letter), strings.ToLower(string(letter))} {
				if got, err := MRZ(form); err != nil || got != want {
					t.Errorf("%U: got %s (%v), want %s", letter, got, err, want)
				}
			}
		}
	}
	if count != 95 {
		t.Errorf("the table has 95 rows, here are %d", count)
	}
}

func TestMRZMax(t *testing.T) {
	t.Parallel()
	long := strings.Repeat("abcdefghi ", 20)
	got, err := MRZMax(long, 80)
	if err != nil || len(got) != 79 || strings.HasSuffix(got, "<") {
		t.Errorf("got %d letters (%v)", len(got), err)
	}
	if got, _ := MRZMax(strings.Repeat("é", 90), 80); got != strings.Repeat("E", 80) {
		t.Error("wrong cut")
	}
	if got, _ := MRZMax("Ada", 0); got != "" {
		t.Error("nothing fits into nothing")
	}
	if _, err := MRZMax("李", 80); !errors.Is(err, ErrNoTransliteration) {
		t.Error(err)
	}
}

func TestSplit(t *testing.T) {
	t.Parallel()
	for full, want := range map[string][2]string{
		"Ada Specimen":            {"Ada", "Specimen"},
		"Ada  Maria\tSpecimen ":   {"Ada Maria", "Specimen"},
		"Specimen":                {"", "Specimen"},
		"van Specimen, Ada Maria": {"Ada Maria", "van Specimen"},
		"Specimen ،Ada":           {"Ada", "Specimen"},
		"Specimen,":               {"", "Specimen"},
		",Ada":                    {"Ada", ""},
		"Ada Smith-Specimen":      {"Ada", "Smith-Specimen"},
		"":                        {"", ""},
		"  ":                      {"", ""},
	} {
		if given, family := Split(full); given != want[0] || family != want[1] {
			t.Errorf("got %q and %q, want %q", given, family, want)
		}
	}
}

// anyName draws from every script there is a table for, and from beside them.
var anyName = rapid.OneOf(
	rapid.String(),
	rapid.StringMatching(`[A-Za-zÀ-ž' .,<-]{0,120}`),
	rapid.StringMatching(`[Ѐ-ӿ -]{0,40}`),
	rapid.StringMatching(`[ء-يپچژگ-ۓّـ ]{0,40}`),
	rapid.StringMatching(`[Ͱ-Ͽἀ-῾א-ת֑-ׇԱ-ևა-ჰ ]{0,40}`),
	rapid.StringMatching(`[ぁ-んァ-ヶー・가-힣 ]{0,40}`),
)

func TestResultIsAZone(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(r *rapid.T) { checkZone(r, anyName.Draw(r, "name")) })
}

type failer interface {
	Fatalf(format string, arguments ...any)
}

func checkZone(t failer, name string) {
	got, err := MRZ(name)
	if err != nil {
		if got != "" {
			t.Fatalf("an error and a result")
		}
		return
	}
	if !zone.MatchString(got) {
		t.Fatalf("%q is no name field", got)
	}
	if again, err := MRZ(got); err != nil || again != got {
		t.Fatalf("%q becomes %q (%v)", got, again, err)
	}
	cut, err := MRZMax(name, 80)
	if err != nil || len(cut) > 80 || !strings.HasPrefix(got, cut) || !zone.MatchString(cut) {
		t.Fatalf("%q is no cut of %q (%v)", cut, got, err)
	}
}

func FuzzMRZ(f *testing.F) {
	for _, seed := range []string{"Ada Specimen", "Ñandú", "Юлия", "فضّة", "Ευάγγελος", "שָׂרָה", "Գևորգ", "ვაჟა", "はっちょう", "김민준", "李", "x2", "ّ", "\xff"} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, name string) {
		checkZone(t, name)
		Split(name)
	})
}

func BenchmarkMRZ(b *testing.B) {
	for script, name := range map[string]string{"ascii": "Anna-Maria Specimen", "latin": "Žofia Müller Ångström", "arabic": "ابو بكر محمد", "greek": "Ευάγγελος Παπαδόπουλος", "hangul": "김민준"} {
		b.Run(script, func(b *testing.B) {
			b.ReportAllocs()
			for b.Loop() {
				if _, err := MRZ(name); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}
