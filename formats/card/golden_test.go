package card

import (
	"flag"
	"strings"
	"testing"

	"github.com/trustedparty/ddcc-gateway/formats/pdf/pdftest"
)

var update = flag.Bool("update", false, "write the golden pictures")

// The pictures have been looked at. A change shows in them: look again before -update.
func TestGoldenPictures(t *testing.T) {
	t.Parallel()
	for _, g := range []struct {
		name string
		page int
		card func(testing.TB) Card
	}{
		{"en", 1, formats},
		{"ar", 1, arabic},
		{"zh", 1, chinese},
		{"hi", 1, hindi},
		{"ru-hebrew-thai", 1, mixed},
		{"long-names", 1, longNames},
		{"six-doses-page-2", 2, sixDoses},
		{"test", 1, testResult},
	} {
		t.Run(g.name, func(t *testing.T) {
			t.Parallel()
			pdftest.Golden(t, mustPDF(t, g.card(t)), g.page, g.name, *update)
		})
	}
}

// formats is a dose in all formats.
func formats(t testing.TB) Card {
	c := english(t)
	dcc, shc := whoCode(t), shcCode(t)
	c.Events[0].Codes = nil
	for _, format := range []string{"who", "dcc", "shc", "vdsnc", "icvp"} {
		code := dcc
		if format == "shc" {
			code = shc
		}
		code.Format = format
		c.Events[0].Codes = append(c.Events[0].Codes, code)
	}
	return c
}

func arabic(t testing.TB) Card {
	c := english(t)
	c.Language, c.Authority, c.HCID = "ar", "وزارة الصحة والسكان", "123-456-7890"
	c.Holder = Holder{Name: "فاطمة الزهراء عبد الله", BirthDate: "1982-05-04", Sex: "female", Identifier: "٢٩٨٠٥٠٤-٧"}
	v := c.Events[0].Vaccination
	v.Vaccine, v.Country, v.Centre = "لقاح كوفيد-19 (mRNA)", "يوتوبيا", "مركز التطعيم الشمالي"
	return c
}

func chinese(t testing.TB) Card {
	c := english(t)
	c.Language, c.Authority = "zh-CN", "乌托邦卫生部"
	c.Holder = Holder{Name: "李明·樣本", BirthDate: "1982-05-04", Sex: "male", Identifier: "110-样本-42"}
	v := c.Events[0].Vaccination
	v.Vaccine, v.Country, v.Centre = "新型冠状病毒疫苗（信使核糖核酸）", "乌托邦", "北区疫苗接种中心第一接种点暨社区卫生服务站"
	return c
}

func hindi(t testing.TB) Card {
	c := english(t)
	c.Language, c.Authority = "hi", "स्वास्थ्य और परिवार कल्याण मंत्रालय"
	c.Holder = Holder{Name: "श्रीमती क्षमा नमूना", BirthDate: "1982-05-04", Sex: "female", Identifier: "४२-नमूना"}
	v := c.Events[0].Vaccination
	v.Vaccine, v.Country, v.Centre = "कोविड-19 टीका (mRNA)", "यूटोपिया", "उत्तरी टीकाकरण केंद्र"
	return c
}

// mixed has many scripts on a Russian card.
func mixed(t testing.TB) Card {
	c := english(t)
	c.Language, c.Authority = "ru", "Министерство здравоохранения Утопии"
	c.Holder = Holder{Name: "דוד בן גוריון (David Specimen)", BirthDate: "1982", Sex: "unknown", Identifier: "Ελλάδα 42"}
	v := c.Events[0].Vaccination
	v.Manufacturer, v.Country, v.Centre, v.Practitioner = "บริษัทตัวอย่าง น้ำใจ", "საქართველო", "アルファ診療所 (김철수)", "አበበ ናሙና"
	return c
}

func longNames(t testing.TB) Card {
	c := english(t)
	c.Language = "de"
	c.Authority = "Bundesministerium für Gesundheit, Vorsorge und bevölkerungsbezogene Impfprogramme der Vereinigten Utopischen Republik"
	c.HCID = strings.Repeat("ABCDEFGH", 8)
	c.Holder.Name = "Maria Magdalena Theresia Freifrau von und zu Musterhausen-Beispielsdorf geborene Gräfin von Specimen-Specimen " +
		"Hubert­Blaine­Wolfe­schlegel­stein­hausen­berger­dorff­Wolfe­schlegel­stein­hausen­berger­dorff"
	c.Holder.Identifier = strings.Repeat("0123456789", 6)
	c.Events[0].ID = "URN:UVCI:01:UT:" + strings.Repeat("SPECIMEN", 8)
	c.Events[0].Vaccination.Centre = strings.Repeat("Donaudampfschifffahrtsgesellschaftskapitän", 3)
	c.Events[0].Vaccination.Manufacturer = strings.Repeat("Specimen Pharma and Biologicals Manufacturing ", 5)
	return c
}

func sixDoses(t testing.TB) Card {
	c := english(t)
	c.Language, c.Events = "es", doses(t, 6)
	return c
}

func testResult(t testing.TB) Card {
	c := english(t)
	c.Language, c.Events = "fr", []Event{laboratory(t)}
	return c
}
