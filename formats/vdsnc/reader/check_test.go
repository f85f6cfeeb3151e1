package reader

import (
	"slices"
	"strings"
	"testing"

	"github.com/go-json-experiment/json"
)

func TestCheck(t *testing.T) {
	t.Parallel()
	long := strings.Repeat("X", 50)
	for _, tc := range []struct {
		data, old, other string
		want             string // path, colon, rule, with a question mark in front of a warning
	}{
		{specimenVaccination, `"uvci":"U32870",`, ``, "data.msg.uvci: is required"},
		{specimenVaccination, `"U32870"`, `7`, "data.msg.uvci: must be a text that is not empty"},
		{specimenVaccination, `"U32870"`, `" "`, "data.msg.uvci: must be a text that is not empty"},
		{specimenVaccination, `U32870`, long, "?data.msg.uvci: is longer than the specification allows"},
		{specimenVaccination, `ANNA`, "RENE\u0301", "?data.msg.pid.n: should be in Unicode normalisation form C"},
		{specimenVaccination, `"dob":"1974-08-12","i":"L898902C3",`, ``, "data.msg.pid: must have i, the number of a travel document, or dob"},
		{specimenVaccination, `1974-08-12`, `1974-02-30`, "data.msg.pid.dob: must be a date of the calendar, YYYY-MM-DD"},
		{specimenVaccination, `"dob"`, `"sex":"female","dob"`, "?data.msg.pid.sex: is not a code of the specification"},
		{specimenVaccination, `"dob"`, `"nationality":"UTO","dob"`, "?data.msg.pid: has members that the specification does not know"},
		{specimenVaccination, `"uvci"`, `"utci":"1","uvci"`, "?data.msg: has members that the specification does not know"},
		{specimenVaccination, `"hdr":{`, `"hdr":{"x":1,`, "?data.hdr: has members that the specification does not know"},
		{specimenVaccination, `"hdr"`, `"more":1,"hdr"`, "?data: has members that the specification does not know"},
		{specimenVaccination, `"vd":[{`, `"vd":[5,{`, "data.msg.ve[0].vd[0]: must be an object"},
		{specimenVaccination, `"seq":1`, `"seq":0`, "data.msg.ve[0].vd[0].seq: must be a number, 1 to 99"},
		{specimenVaccination, `"seq":1`, `"seq":1.5`, "data.msg.ve[0].vd[0].seq: must be a number, 1 to 99"},
		{specimenVaccination, `"seq":1`, `"seq":"1"`, "data.msg.ve[0].vd[0].seq: must be a number, 1 to 99"},
		{specimenVaccination, `"ctr":"UTO"`, `"ctr":"UT"`, "data.msg.ve[0].vd[0].ctr: must be a code of ICAO 9303-3 in capital letters"},
		{specimenVaccination, `"adm":"RIVM",`, ``, "?data.msg.ve[0].vd[0].adm: should be there"},
		{specimenVaccination, `"lot"`, `"dvn":"2026-03-02","lot"`, "?data.msg.ve[0].vd[0].dvn: is before dvc"},
		{specimenTest, `"dob":"1964-08-12",`, ``, "?data.msg.pid.dob: should be there"},
		{specimenTest, `"dt":"P"`, `"dt":""`, "data.msg.pid.dt: must be a code"},
		{specimenTest, `"dt":"P"`, `"dt":"X"`, "?data.msg.pid.dt: is not a code of the specification"},
		{specimenTest, `negative`, `not found`, "data.msg.tr.r: is not a code of the specification"},
		{specimenTest, `molecular(PCR)`, `LAMP`, "?data.msg.tr.tc: is not a code of the specification"},
		{specimenTest, `14:00:00Z`, `14:00:00`, "data.msg.dat.ri: must be a time with its zone, RFC 3339"},
		{specimenTest, `T14:00:00Z`, `T03:00:00Z`, "?data.msg.dat.ri: is before sc"},
		{specimenTest, `"spn":"Laboratory"`, `"cd":{"p":""},"spn":"L"`, "data.msg.sp.cd.p: must be a text that is not empty"},
	} {
		if !strings.Contains(tc.data, tc.old) {
			t.Fatalf("no %s", tc.old)
		}
		data := strings.Replace(tc.data, tc.old, tc.other, 1)
		m := message(t, data)
		if got := paths(m.Check()); !slices.Equal(got, []string{tc.want}) {
			t.Errorf("%s: got %q, want %q", tc.other, got, tc.want)
		}
	}
	for _, data := range []string{specimenVaccination, specimenTest} {
		if got := message(t, data).Check(); len(got) > 0 {
			t.Errorf("got %v", got)
		}
	}
}

// TestCheckOfNothing: an empty message misses all there must be.
func TestCheckOfNothing(t *testing.T) {
	t.Parallel()
	for data, want := range map[string][]string{
		`{"hdr":{"is":"UTO","t":"icao.vacc","v":1},"msg":{}}`:                           {"data.msg.pid: is required", "data.msg.uvci: is required", "data.msg.ve: is required"},
		`{"hdr":{"is":"UTO","t":"icao.vacc","v":1},"msg":{"pid":1,"uvci":"1","ve":[]}}`: {"data.msg.pid: must be an object", "data.msg.ve: must be a list of at least one object"},
		`{"hdr":{"is":"UTO","t":"icao.test","v":1},"msg":{}}`: {
			"data.msg.dat: is required", "data.msg.pid: is required", "data.msg.sp: is required", "data.msg.tr: is required", "data.msg.utci: is required",
		},
	} {
		if got := paths(message(t, data).Check()); !slices.Equal(got, want) {
			t.Errorf("got %q, want %q", got, want)
		}
	}
}

func message(t testing.TB, data string) *Message {
	t.Helper()
	m := &Message{}
	if err := m.setData([]byte(data)); err != nil {
		t.Fatal(err)
	}
	var again map[string]any
	if err := json.Unmarshal([]byte(data), &again); err != nil || len(again) != len(m.Data) {
		t.Fatal("data was not taken over")
	}
	return m
}

func paths(problems []Problem) []string {
	var lines []string
	for _, p := range problems {
		line := p.Path + ": " + p.Rule
		if p.Warning {
			line = "?" + line
		}
		lines = append(lines, line)
	}
	return lines
}
