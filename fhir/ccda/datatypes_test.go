package ccda

import (
	"encoding/json"
	"fmt"
	"testing"
	"time"

	"pgregory.net/rapid"
)

// read parses one element and gives a converter to map it with.
func read(t testing.TB, element string) (*converter, *node) {
	t.Helper()
	doc, err := parse([]byte(`<ClinicalDocument xmlns="urn:hl7-org:v3" xmlns:sdtc="urn:hl7-org:sdtc" xmlns:xsi="http://www.w3.org/2001/XMLSchema-instance">` +
		element + `<text><content ID="there">Text that is  <content>pointed</content> to</content></text></ClinicalDocument>`))
	if err != nil {
		t.Fatal(err)
	}
	c := &converter{doc: doc.root, anchors: doc.anchors, taken: map[string]*resource{}, texts: map[*node]string{}}
	return c, doc.root.kids[0]
}

func TestTime(t *testing.T) {
	t.Parallel()
	for in, want := range map[string]string{
		"2026": "2026", "202611": "2026-11", "20261101": "2026-11-01", "20240229": "2024-02-29",
		"202611010930+0100": "2026-11-01T09:30:00+01:00", "20261101093015-0530": "2026-11-01T09:30:15-05:30",
		"20261101093015.123+00": "2026-11-01T09:30:15.123+00:00", "20261101093015Z": "2026-11-01T09:30:15Z", "20161231235960+0000": "2016-12-31T23:59:60+00:00",
		"20261101+0100": "2026-11-01", "20261101093015+1400": "2026-11-01T09:30:15+14:00",
		"202611010930": "2026-11-01 cut", "2026110109+0100": "2026-11-01 cut",
		"": "", "20": "", "2026-11-01": "", "202613": "", "20261100": "", "20230229": "", "202611012430+0100": "", "20261101093061+0100": "",
		"20261101093015+1500": "", "20261101093015+1430": "", "20261101093015+0160": "", "0000": "", "x": "", "20261101093015+": "", "20261101T0930": "",
	} {
		got, cut := parseTime(in)
		if cut {
			got += " cut"
		}
		if got != want {
			t.Errorf("%q: %q, want %q", in, got, want)
		}
	}
}

// Whatever time.Time writes in the form of TS reads back as the same instant.
func TestTimeRoundTrip(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		zone := time.FixedZone("", 60*rapid.IntRange(-14*60, 14*60).Draw(t, "minutes"))
		at := time.Unix(rapid.Int64Range(-5e9, 2e10).Draw(t, "seconds"), 0).In(zone)
		text, cut := parseTime(at.Format("20060102150405-0700"))
		back, err := time.Parse(time.RFC3339, text)
		if cut || err != nil || !back.Equal(at) {
			t.Fatalf("%s: %q %v", at, text, err)
		}
	})
}

func TestDecimal(t *testing.T) {
	t.Parallel()
	for in, want := range map[string]number{
		"1": "1", "0.30": "0.30", "-2.5": "-2.5", "+3": "3", ".5": "0.5", "5.": "5", "007.10": "7.10", "1e3": "1e3", "1.5E-2": "1.5e-2", "000": "0", "-.0": "-0.0",
		"": "", ".": "", "1,5": "", "INF": "", "NaN": "", "0x1": "", "1e": "", "1e9999": "", "--1": "", "12345678901234567890123456789012345678901": "",
	} {
		if got := decimal(in); got != want {
			t.Errorf("%q: %q, want %q", in, got, want)
		}
	}
	rapid.Check(t, func(t *rapid.T) {
		in := rapid.StringMatching(`[+-]?[0-9]{0,5}\.?[0-9]{0,5}(e[+-]?[0-9]{1,3})?`).Draw(t, "in")
		if got := decimal(in); got != "" && !json.Valid([]byte(got)) {
			t.Fatalf("%q gives %q, no JSON", in, got)
		}
	})
}

// TestDatatypes maps one element of each kind and form.
func TestDatatypes(t *testing.T) {
	t.Parallel()
	identifier := func(c *converter, n *node) any { return c.identifiers([]*node{n}) }
	concept := func(c *converter, n *node) any { return c.concept(n) }
	telecom := func(c *converter, n *node) any { return c.telecoms([]*node{n}) }
	address := func(c *converter, n *node) any { return c.addresses([]*node{n}) }
	name := func(c *converter, n *node) any { return c.names([]*node{n}) }
	value := func(c *converter, n *node) any { o := newObject(); c.value(o, n); return o }
	period := func(c *converter, n *node) any { return c.period(n) }
	required := func(c *converter, n *node) any { return c.required(n) }
	dosage := func(c *converter, n *node) any { return c.dosage(n) }
	for _, tc := range []struct {
		map1   func(*converter, *node) any
		in     string
		want   string
		issues int
	}{
		{identifier, `<id root="2.16.840.1.113883.4.1" extension="1"/>`, `[{"system":"http://hl7.org/fhir/sid/us-ssn","value":"1"}]`, 0},
		{identifier, `<id root="1.2.3" extension="1" assigningAuthorityName="A"/>`, `[{"system":"urn:oid:1.2.3","value":"1","assigner":{"display":"A"}}]`, 0},
		{identifier, `<id root="1.2.3"/>`, `[{"system":"urn:ietf:rfc:3986","value":"urn:oid:1.2.3"}]`, 0},
		{identifier, `<id root="2A620155-9D11-439E-92B3-5D9815FF4DE8"/>`, `[{"system":"urn:ietf:rfc:3986","value":"urn:uuid:2a620155-9d11-439e-92b3-5d9815ff4de8"}]`, 0},
		{identifier, `<id root="2A620155-9D11-439E-92B3-5D9815FF4DE8" extension="X"/>`, `[{"system":"urn:uuid:2a620155-9d11-439e-92b3-5d9815ff4de8","value":"X"}]`, 0},
		{identifier, `<id root="home made" extension="X"/>`, `[{"value":"X"}]`, 1},
		{identifier, `<id root="01.2"/>`, `[]`, 1},
		{identifier, `<id extension="X"/>`, `[{"value":"X"}]`, 0},
		{identifier, `<id nullFlavor="UNK" root="1.2"/>`, `[]`, 0},
		{identifier, `<id/>`, `[]`, 0},

		{concept, `<code code="718-7" codeSystem="2.16.840.1.113883.6.1" codeSystemVersion="2.74" displayName="Hb"/>`, `{"coding":[{"system":"http://loinc.org","version":"2.74","code":"718-7","display":"Hb"}]}`, 0},
		{concept, `<code code="1" codeSystem="2.16.840.1.113883.6.96" codeSystemVersion="2020"/>`, `{"coding":[{"system":"http://snomed.info/sct","code":"1"}]}`, 0},
		{concept, `<code code=" a  b " codeSystem="1.2.3"/>`, `{"coding":[{"system":"urn:oid:1.2.3","code":"a b"}]}`, 0},
		{concept, `<code code="a" codeSystem="nonsense"/>`, `{"coding":[{"code":"a"}]}`, 1},
		{concept, `<code code="a"/>`, `{"coding":[{"code":"a"}]}`, 0},
		{concept, `<code nullFlavor="OTH"><originalText>Words</originalText><translation code="b" codeSystem="1.2"/><translation code="b" codeSystem="1.2"/></code>`, `{"coding":[{"system":"urn:oid:1.2","code":"b"}],"text":"Words"}`, 0},
		{concept, `<code nullFlavor="UNK"><originalText><reference value="#there"/></originalText></code>`, `{"text":"Text that is pointed to"}`, 0},
		{concept, `<code code="a"><originalText><reference value="#missing"/></originalText></code>`, `{"coding":[{"code":"a"}]}`, 1},
		{concept, `<code code="a"><originalText representation="B64">YQ==</originalText></code>`, `{"coding":[{"code":"a"}]}`, 1},
		{concept, `<code nullFlavor="UNK"/>`, `{}`, 0},
		{required, `<code nullFlavor="MSK"/>`, `{"extension":[{"url":"http://hl7.org/fhir/StructureDefinition/data-absent-reason","valueCode":"masked"}]}`, 0},

		{telecom, `<telecom use="HP" value="tel:+1"/>`, `[{"system":"phone","value":"+1","use":"home"}]`, 0},
		{telecom, `<telecom use="WP BAD" value="fax: 1"/>`, `[{"system":"fax","value":"1","use":"work"}]`, 0},
		{telecom, `<telecom value="MAILTO:a@example.org"/>`, `[{"system":"email","value":"a@example.org"}]`, 0},
		{telecom, `<telecom value="a@example.org"/>`, `[{"system":"email","value":"a@example.org"}]`, 0},
		{telecom, `<telecom value="(555)555"/>`, `[{"system":"phone","value":"(555)555"}]`, 0},
		{telecom, `<telecom value="https://example.org"/>`, `[{"system":"url","value":"https://example.org"}]`, 0},
		{telecom, `<telecom value="sms:1" use="MC"><useablePeriod xsi:type="IVL_TS"><low value="2020"/></useablePeriod></telecom>`, `[{"system":"sms","value":"1","use":"mobile","period":{"start":"2020"}}]`, 0},
		{telecom, `<telecom nullFlavor="UNK" value="tel:1"/>`, `[]`, 0},
		{telecom, `<telecom value="tel:"/>`, `[]`, 0},

		{address, `<addr use="TMP PST"><streetAddressLine>A</streetAddressLine><streetAddressLine>B</streetAddressLine><city>C</city></addr>`, `[{"use":"temp","type":"postal","line":["A","B"],"city":"C"}]`, 0},
		{address, `<addr><houseNumber>1</houseNumber> <streetName>Road</streetName><country>US</country></addr>`, `[{"line":["1 Road"],"country":"US"}]`, 0},
		{address, `<addr use="H">All in one</addr>`, `[{"use":"home","text":"All in one"}]`, 0},
		{address, `<addr use="H"/>`, `[]`, 0},
		{address, `<addr nullFlavor="UNK"><city>X</city></addr>`, `[]`, 0},

		{name, `<name use="C"><given>A</given><family>B</family></name>`, `[{"use":"official","family":"B","given":["A"]}]`, 0},
		{name, `<name use="P">One Text</name>`, `[{"use":"anonymous","text":"One Text"}]`, 0},
		{name, `<name><family>B</family><family>C</family><given nullFlavor="UNK"/></name>`, `[{"family":"B C"}]`, 0},
		{name, `<name><family qualifier="BR">B</family></name>`, `[{"family":"B"}]`, 0},
		{name, `<name use="L"><family nullFlavor="UNK"/></name>`, `[]`, 0},
		{name, `<name><family>B</family><validTime><low value="2020"/><high nullFlavor="NI"/></validTime></name>`, `[{"family":"B","period":{"start":"2020"}}]`, 0},

		{period, `<effectiveTime><low value="2020"/><high value="2021"/></effectiveTime>`, `{"start":"2020","end":"2021"}`, 0},
		{period, `<effectiveTime><low nullFlavor="UNK"/><high value="2021"/></effectiveTime>`, `{"end":"2021"}`, 0},
		{period, `<effectiveTime value="202001"/>`, `{"start":"2020-01","end":"2020-01"}`, 0},
		{period, `<effectiveTime><low value="2022"/><high value="202101"/></effectiveTime>`, `{"start":"2022"}`, 1},
		{period, `<effectiveTime><low value="202201011200+0000"/><high value="202201011230+0100"/></effectiveTime>`, `{"start":"2022-01-01T12:00:00+00:00"}`, 1},
		{period, `<effectiveTime><low value="202201011200+0000"/><high value="20220101"/></effectiveTime>`, `{"start":"2022-01-01","end":"2022-01-01"}`, 1},
		{period, `<effectiveTime><low value="20220305"/><high value="2022"/></effectiveTime>`, `{"start":"2022","end":"2022"}`, 1},
		{period, `<effectiveTime><low value="20220305"/><high value="2023"/></effectiveTime>`, `{"start":"2022-03-05","end":"2023"}`, 0},
		{period, `<effectiveTime><low value="nonsense"/></effectiveTime>`, `{}`, 1},

		{value, `<value xsi:type="PQ" value="1.50" unit="mg"/>`, `{"valueQuantity":{"value":1.50,"unit":"mg","system":"http://unitsofmeasure.org","code":"mg"}}`, 0},
		{value, `<value xsi:type="PQ" value="1" unit="per day"/>`, `{"valueQuantity":{"value":1,"unit":"per day"}}`, 0},
		{value, `<value xsi:type="PQ" value="1" unit="10+3/ul"/>`, `{"valueQuantity":{"value":1,"unit":"10+3/ul"}}`, 0},
		{value, `<value xsi:type="PQ" value="many" unit="mg"/>`, `{}`, 2},
		{value, `<value xsi:type="PQ" nullFlavor="NA"/>`, `{"dataAbsentReason":{"coding":[{"system":"http://terminology.hl7.org/CodeSystem/data-absent-reason","code":"not-applicable"}]}}`, 0},
		{value, `<value xsi:type="v3:INT" value="7"/>`, `{"valueInteger":7}`, 0},
		{value, `<value xsi:type="INT" value="99999999999"/>`, `{}`, 1},
		{value, `<value xsi:type="REAL" value="7.5"/>`, `{"valueQuantity":{"value":7.5}}`, 0},
		{value, `<value xsi:type="IVL_PQ"><low value="1" unit="mg"/><high value="2" unit="mg"/></value>`, `{"valueRange":{"low":{"value":1,"unit":"mg","system":"http://unitsofmeasure.org","code":"mg"},"high":{"value":2,"unit":"mg","system":"http://unitsofmeasure.org","code":"mg"}}}`, 0},
		{value, `<value xsi:type="IVL_PQ"><low value="1" inclusive="false"/></value>`, `{"valueQuantity":{"value":1,"comparator":">"}}`, 0},
		{value, `<value xsi:type="IVL_PQ"><high value="1"/></value>`, `{"valueQuantity":{"value":1,"comparator":"<="}}`, 0},
		{value, `<value xsi:type="CD" code="a" codeSystem="1.2"/>`, `{"valueCodeableConcept":{"coding":[{"system":"urn:oid:1.2","code":"a"}]}}`, 0},
		{value, `<value xsi:type="ST"> two  words </value>`, `{"valueString":"two words"}`, 0},
		{value, `<value xsi:type="ED"><reference value="#there"/></value>`, `{"valueString":"Text that is pointed to"}`, 0},
		{value, `<value xsi:type="BL" value="false"/>`, `{"valueBoolean":false}`, 0},
		{value, `<value xsi:type="TS" value="20200101"/>`, `{"valueDateTime":"2020-01-01"}`, 0},
		{value, `<value xsi:type="IVL_TS"><low value="20200101"/></value>`, `{"valuePeriod":{"start":"2020-01-01"}}`, 0},
		{value, `<value xsi:type="RTO"><numerator xsi:type="INT" value="1"/><denominator xsi:type="INT" value="8"/></value>`, `{"valueRatio":{"numerator":{"value":1},"denominator":{"value":8}}}`, 0},
		{value, `<value xsi:type="RTO"><numerator xsi:type="INT" value="1"/></value>`, `{}`, 1},
		{value, `<value xsi:type="GLIST_PQ"><head value="1"/></value>`, `{}`, 1},
		{value, `<value code="a"/>`, `{"valueCodeableConcept":{"coding":[{"code":"a"}]}}`, 0},

		{dosage, `<a><effectiveTime xsi:type="PIVL_TS"><period value="12" unit="h"/></effectiveTime></a>`, `{"timing":{"repeat":{"frequency":1,"period":12,"periodUnit":"h"}}}`, 0},
		{dosage, `<a><effectiveTime xsi:type="PIVL_TS"><period xsi:type="IVL_PQ"><low value="4" unit="h"/><high value="6" unit="h"/></period></effectiveTime></a>`, `{"timing":{"repeat":{"frequency":1,"period":4,"periodMax":6,"periodUnit":"h"}}}`, 0},
		{dosage, `<a><effectiveTime xsi:type="PIVL_TS"><period value="1" unit="fortnight"/></effectiveTime></a>`, `{}`, 1},
		{dosage, `<a><effectiveTime xsi:type="EIVL_TS"><event code="ACM"/></effectiveTime></a>`, `{"timing":{"repeat":{"when":["ACM"]}}}`, 0},
		{dosage, `<a><doseQuantity><low value="1" unit="mg"/><high value="2" unit="mg"/></doseQuantity></a>`, `{"doseAndRate":[{"doseRange":{"low":{"value":1,"unit":"mg","system":"http://unitsofmeasure.org","code":"mg"},"high":{"value":2,"unit":"mg","system":"http://unitsofmeasure.org","code":"mg"}}}]}`, 0},
		{dosage, `<a><doseQuantity><high value="2"/></doseQuantity></a>`, `{"doseAndRate":[{"doseRange":{"high":{"value":2}}}]}`, 0},
		{dosage, `<a><precondition><criterion><text>pain</text></criterion></precondition></a>`, `{"asNeededCodeableConcept":{"text":"pain"}}`, 0},
		{dosage, `<a><precondition><criterion><value xsi:type="CE" code="a"/></criterion></precondition></a>`, `{"asNeededCodeableConcept":{"coding":[{"code":"a"}]}}`, 0},
		{dosage, `<a><precondition><criterion/></precondition></a>`, `{"asNeededBoolean":true}`, 0},
	} {
		c, n := read(t, tc.in)
		got := string(appendJSON(nil, tc.map1(c, n)))
		if got == "null" {
			got = "[]"
		}
		if got != tc.want || len(c.issues.found) != tc.issues {
			t.Errorf("%s\n got %s\nwant %s\n%+v", tc.in, got, tc.want, c.issues.found)
		}
		if !json.Valid([]byte(got)) {
			t.Errorf("%s: no JSON", got)
		}
	}
}

func TestNullFlavors(t *testing.T) {
	t.Parallel()
	for flavor, want := range map[string]string{
		"NI": "unknown", "UNK": "unknown", "ASKU": "asked-unknown", "NAV": "temp-unknown", "NASK": "not-asked", "MSK": "masked", "NA": "not-applicable",
		"OTH": "unsupported", "UNC": "unsupported", "TRC": "unsupported", "NINF": "negative-infinity", "PINF": "positive-infinity", "NP": "unknown", "nonsense": "unknown", "": "unknown",
	} {
		_, n := read(t, fmt.Sprintf(`<value nullFlavor="%s"/>`, flavor))
		if got := absentReason(n); got != want {
			t.Errorf("%s: %s, want %s", flavor, got, want)
		}
	}
	if absentReason(nil) != "unknown" {
		t.Error("absent")
	}
}

func TestEncounterClass(t *testing.T) {
	t.Parallel()
	for in, want := range map[string]string{
		`code="AMB" codeSystem="2.16.840.1.113883.5.4"`: "AMB", `code="99213" codeSystem="2.16.840.1.113883.6.12"`: "AMB",
		`code="99222" codeSystem="2.16.840.1.113883.6.12"`: "IMP", `code="99285" codeSystem="2.16.840.1.113883.6.12"`: "EMER",
		`code="99349" codeSystem="2.16.840.1.113883.6.12"`: "HH", `code="1" displayName="Outpatient visit"`: "AMB", `code="emergency"`: "EMER",
		`code="1" displayName="Inpatient stay"`: "IMP", `code="home"`: "HH", `code="virtual"`: "VR", `code="field"`: "FLD", `code="99999" codeSystem="2.16.840.1.113883.6.12"`: "UNK", ``: "UNK",
	} {
		_, n := read(t, "<code "+in+"/>")
		if got := class(n).get("code"); got != want {
			t.Errorf("%s: %v, want %s", in, got, want)
		}
	}
	if class(nil).get("system") != systemNullFlavor {
		t.Error("absent")
	}
}
