package hl7v2_test

import (
	"strings"
	"testing"

	"github.com/trustedparty/ddcc-gateway/fhir/hl7v2"
)

func TestHeader(t *testing.T) {
	t.Parallel()
	h := parsed(t, sample(t, "vxu_given.hl7")).Header
	if h.Type != "VXU" || h.Event != "V04" || h.ControlID != "SPEC-0001" || h.Processing != "P" || h.Version != "2.5.1" || h.AcceptAck != "ER" || h.ApplicationAck != "AL" || h.Facility != "Specimen Clinic" {
		t.Errorf("%+v", h)
	}
	h = parsed(t, sample(t, "vxu_v28.hl7")).Header
	if h.Type != "VXU" || h.ControlID != "SPEC-0003" || h.AcceptAck != "AL" || h.ApplicationAck != "NE" {
		t.Errorf("other delimiters: %+v", h)
	}
}

func TestLineEnds(t *testing.T) {
	t.Parallel()
	cr := string(sample(t, "vxu_given.hl7"))
	for name, end := range map[string]string{"CR": "\r", "LF": "\n", "CR LF": "\r\n"} {
		m := parsed(t, []byte(strings.ReplaceAll(cr, "\r", end)+end))
		if len(m.Segments) != 13 || m.Segments[12].Field(3).Text() != "59782-3" {
			t.Errorf("%s: %d segments", name, len(m.Segments))
		}
	}
	if m := parsed(t, []byte("\ufeff"+cr)); m.Header.ControlID != "SPEC-0001" {
		t.Error("a byte order mark is in the way")
	}
}

func TestValues(t *testing.T) {
	t.Parallel()
	m := parsed(t, []byte(head+`PID|1||A^^^N&1.2&ISO~""~B^""|x\F\\S\\T\\R\\E\y|\X4AC3BC\ \H\loud\N\\.br\\.sp2\end|""|a&b^c`+"\r"))
	pid := m.Segments[1]
	if reps := pid.Repetitions(3); len(reps) != 2 || reps[0].Component(4).Sub(2).Text() != "1.2" || reps[1].At().Repetition != 3 || reps[1].Component(2).Exists() {
		t.Errorf("repetitions: %+v", reps)
	}
	for n, want := range map[int]string{4: `x|^&~\y`, 5: "Jü loud\n\nend", 6: "", 7: "a", 8: "", 99: ""} {
		if got := pid.Field(n).Text(); got != want {
			t.Errorf("field %d: %q, want %q", n, got, want)
		}
	}
	if pid.Field(6).Exists() || pid.Field(7).Single() || pid.Field(7).Component(2).Text() != "c" || !pid.Field(4).Single() || pid.Field(0).Exists() {
		t.Error("what is there")
	}
	if at := pid.Field(3).Component(4).Sub(2).At().String(); at != "PID[1]-3.4.2" {
		t.Errorf("place %s", at)
	}
}

// TestUnreadable: what is refused, where the finding points, and that it repeats no value.
func TestUnreadable(t *testing.T) {
	t.Parallel()
	long := strings.Repeat("Specimen", 10_000)
	for name, test := range map[string]struct{ raw, want string }{
		"nothing":              {"", " 100 hl7v2-syntax error"},
		"line ends alone":      {"\r\n\r\n", " 100 hl7v2-syntax error"},
		"not HL7":              {"GET / HTTP/1.1\r\n", " 100 hl7v2-syntax error"},
		"JSON":                 {`{"resourceType":"Bundle"}`, " 100 hl7v2-syntax error"},
		"short":                {"MSH|", " 100 hl7v2-syntax error"},
		"batch":                {"FHS|^~\\&|x\r" + head, "FHS[1] 200 hl7v2-structure error"},
		"equal delimiters":     {"MSH|^^\\&|x|\r", "MSH[1]-2 102 hl7v2-syntax error"},
		"letters delimit":      {"MSH|ABCD|x|\r", "MSH[1]-2 102 hl7v2-syntax error"},
		"too few delimiters":   {"MSH|^~\\|Specimen|\r", "MSH[1]-2 102 hl7v2-syntax error"},
		"two messages":         {head + head, "MSH[2] 100 hl7v2-structure error"},
		"other charset":        {strings.Replace(head, "2.5.1\r", "2.5.1||||||ISO IR87\r", 1) + "PID|1||Specimen\r", "MSH[1]-18 103 hl7v2-charset error"},
		"not UTF-8":            {head + "PID|1||\xe4Specimen\r", "PID[1] 102 hl7v2-character error"},
		"not ASCII":            {strings.Replace(head, "2.5.1\r", "2.5.1||||||ASCII\r", 1) + "PID|1||ä\r", "PID[1] 102 hl7v2-character error"},
		"control character":    {head + "PID|1||Spec\x00imen\r", "PID[1]-3 102 hl7v2-character error"},
		"line feed in a text":  {head + "PID|1||Spec\nimen\r", "PID[1]-3 102 hl7v2-character error"},
		"C1 in Latin-1":        {strings.Replace(head, "2.5.1\r", "2.5.1||||||8859/1\r", 1) + "PID|1||\x93Specimen\x94\r", "PID[1]-3 102 hl7v2-character error"},
		"open escape":          {head + "PID|1||Spec\\imen\r", "PID[1]-3 102 hl7v2-escape error"},
		"unknown escape":       {head + "PID|1||\\Zspecimen\\\r", "PID[1]-3 102 hl7v2-escape error"},
		"other set by escape":  {head + "PID|1||\\C2842\\Specimen\r", "PID[1]-3 102 hl7v2-escape error"},
		"odd hexadecimal":      {head + "PID|1||\\X0\\\r", "PID[1]-3 102 hl7v2-escape error"},
		"hexadecimal NUL":      {head + "PID|1||\\X00\\\r", "PID[1]-3 102 hl7v2-escape error"},
		"hexadecimal no UTF-8": {head + "PID|1||\\XC3\\\r", "PID[1]-3 102 hl7v2-escape error"},
		"escape over parts":    {head + "PID|1||a\\X^41\\\r", "PID[1]-3 102 hl7v2-escape error"},
		"no truncation":        {head + "PID|1||\\P\\\r", "PID[1]-3 102 hl7v2-escape error"},
		"no segment name":      {head + "Pid|1||Specimen\r", "MSH[1] 100 hl7v2-syntax error"},
		"text for a segment":   {head + "Specimen\r", "MSH[1] 100 hl7v2-syntax error"},
		"long field":           {head + "PID|1||" + long + "\r", "PID[1]-3 104 hl7v2-limit error"},
		"many repetitions":     {head + "PID|1||" + strings.Repeat("~", 200) + "\r", "PID[1]-3 104 hl7v2-limit error"},
		"many fields":          {head + "PID" + strings.Repeat("|", 201) + "\r", "PID[1] 104 hl7v2-limit error"},
		"many segments":        {head + strings.Repeat("NTE|1\r", 2000), " 104 hl7v2-limit error"},
	} {
		_, findings := hl7v2.Parse([]byte(test.raw))
		if got := places(findings); got != test.want {
			t.Errorf("%s: %q, want %q", name, got, test.want)
		}
		for _, f := range findings {
			if f.Detail == "" || f.Fix == "" || strings.Contains(f.Path+f.Detail+f.Fix, "Specimen") {
				t.Errorf("%s: %+v", name, f)
			}
		}
	}
}

// TestTooLarge: bounded work, and a header to answer to.
func TestTooLarge(t *testing.T) {
	t.Parallel()
	m, findings := hl7v2.Parse([]byte(head + strings.Repeat("NTE|1|"+strings.Repeat("x", 1000)+"\r", 1000)))
	if !strings.HasPrefix(places(findings), " 104 hl7v2-limit error") || m.Header.ControlID != "C1" {
		t.Errorf("%s, header %+v", places(findings), m.Header)
	}
}

func TestCheckOfTheHeader(t *testing.T) {
	t.Parallel()
	for name, test := range map[string]struct{ msh, want string }{
		"good":         {"VXU^V04|C1|P|2.5.1", ""},
		"no id":        {"VXU^V04||P|2.5.1", "MSH[1]-10 101 required error"},
		"old version":  {"VXU^V04|C1|P|2.2", "MSH[1]-12 203 hl7v2-version error"},
		"no version":   {"VXU^V04|C1|P", "MSH[1]-12 203 hl7v2-version error"},
		"training":     {"VXU^V04|C1|T|2.5.1", "MSH[1]-11 202 hl7v2-processing error"},
		"other type":   {"ORU^R01|C1|P|2.5.1", "MSH[1]-9 200 hl7v2-event error"},
		"no type":      {"|C1|P|2.5.1", "MSH[1]-9 200 hl7v2-event error"},
		"other VXU":    {"VXU^V01|C1|P|2.5.1", "MSH[1]-9 201 hl7v2-event error"},
		"merge":        {"ADT^A40|C1|P|2.5.1", "MSH[1]-9 201 hl7v2-event error"},
		"swap":         {"ADT^A17|C1|P|2.5.1", "MSH[1]-9 201 hl7v2-event error"},
		"out of range": {"ADT^A60|C1|P|2.5.1", "MSH[1]-9 201 hl7v2-event error"},
	} {
		m := parsed(t, []byte("MSH|^~\\&|App|Fac|||20261110||"+test.msh+"\r"))
		if got := places(append(m.Header.Check([]string{"P"}), hl7v2.CheckEvent(m.Header)...)); got != test.want {
			t.Errorf("%s: %q", name, got)
		}
	}
}
