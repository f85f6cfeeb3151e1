package vdsnc_test

import (
	"encoding/json"
	"errors"
	"strings"
	"testing"

	"github.com/gowebpki/jcs"

	"github.com/trustedparty/ddcc-gateway/formats/vdsnc"
)

func TestCanonical(t *testing.T) {
	t.Parallel()
	got, err := specimenTest().Canonical()
	if err != nil {
		t.Fatal(err)
	}
	const want = `{"hdr":{"is":"D","t":"icao.test","v":1},"msg":{` +
		`"dat":{"ri":"2026-02-15T14:00:00Z","sc":"2026-02-15T12:00:00+08:00"},"opt":"ID12345",` +
		`"pid":{"dn":"C01X00T47","dob":"1964-08-12","dt":"P","n":"SPECIMEN  ERIKA"},` +
		`"sp":{"cd":{"a":"1 Example Street","e":"lab@example.org","p":"+49 30 0000000"},"ctr":"D","spn":"Specimen Laboratory"},` +
		`"tr":{"m":"nasopharyngeal","r":"negative","tc":"molecular(PCR)"},"utci":"U00000002"}}`
	if string(got) != want {
		t.Errorf("got  %s\nwant %s", got, want)
	}
}

// TestCanonicalSecondOpinion holds our form against another implementation of RFC 8785,
// with characters that JSON writers escape in different ways.
func TestCanonicalSecondOpinion(t *testing.T) {
	t.Parallel()
	data := specimenVaccination()
	data.Message.Person.Name = "S\"P\\E<C>&I/MEN  \u2028\U0001F600é"
	got, err := data.Canonical()
	if err != nil {
		t.Fatal(err)
	}
	plain, err := json.Marshal(data)
	if err != nil {
		t.Fatal(err)
	}
	want, err := jcs.Transform(plain)
	if err != nil {
		t.Fatal(err)
	}
	if string(got) != string(want) {
		t.Errorf("got  %s\nwant %s", got, want)
	}
}

// TestCanonicalRefuses changes one member at a time; the error must name that member and
// hold no value.
func TestCanonicalRefuses(t *testing.T) {
	t.Parallel()
	type change = func(*vdsnc.Data)
	dose := func(d *vdsnc.Data) *vdsnc.Dose { return &d.Message.Vaccinations[0].Doses[1] }
	for path, changes := range map[string][]change{
		"data.hdr.t":               {func(d *vdsnc.Data) { d.Header.Type = "icao.visa" }},
		"data.hdr.v":               {func(d *vdsnc.Data) { d.Header.Version = 2 }},
		"data.hdr.is":              {func(d *vdsnc.Data) { d.Header.State = "uto" }, func(d *vdsnc.Data) { d.Header.State = "UT" }},
		"data.msg.uvci":            {func(d *vdsnc.Data) { d.Message.UVCI = "" }, func(d *vdsnc.Data) { d.Message.UVCI = "U1 " }},
		"data.msg.utci":            {func(d *vdsnc.Data) { d.Message.UTCI = "U2" }},
		"data.msg.sp":              {func(d *vdsnc.Data) { d.Message.Provider = &vdsnc.Provider{} }},
		"data.msg.dat":             {func(d *vdsnc.Data) { d.Message.Times = &vdsnc.Times{} }},
		"data.msg.tr":              {func(d *vdsnc.Data) { d.Message.Result = &vdsnc.Result{} }},
		"data.msg.opt":             {func(d *vdsnc.Data) { d.Message.Optional = "x" }},
		"data.msg.pid":             {func(d *vdsnc.Data) { d.Message.Person = vdsnc.Person{Name: "SPECIMEN"} }},
		"data.msg.pid.dt":          {func(d *vdsnc.Data) { d.Message.Person.DocumentType = "P" }},
		"data.msg.pid.dn":          {func(d *vdsnc.Data) { d.Message.Person.TestDocument = "1" }},
		"data.msg.pid.sex":         {func(d *vdsnc.Data) { d.Message.Person.Sex = "f" }},
		"data.msg.pid.dob":         {func(d *vdsnc.Data) { d.Message.Person.BirthDate = "1974-02-30" }, func(d *vdsnc.Data) { d.Message.Person.BirthDate = "1974" }},
		"data.msg.pid.i":           {func(d *vdsnc.Data) { d.Message.Person.DocumentNumber = "\xff" }},
		"data.msg.pid.ai":          {func(d *vdsnc.Data) { d.Message.Person.AdditionalID = "a\x00b" }},
		"data.msg.pid.n":           {func(d *vdsnc.Data) { d.Message.Person.Name = "" }, func(d *vdsnc.Data) { d.Message.Person.Name = "Rene\u0301" }},
		"data.msg.ve":              {func(d *vdsnc.Data) { d.Message.Vaccinations = nil }},
		"data.msg.ve[0].vd":        {func(d *vdsnc.Data) { d.Message.Vaccinations[0].Doses = nil }},
		"data.msg.ve[0].des":       {func(d *vdsnc.Data) { d.Message.Vaccinations[0].Vaccine = "" }},
		"data.msg.ve[0].nam":       {func(d *vdsnc.Data) { d.Message.Vaccinations[0].Brand = "" }},
		"data.msg.ve[0].dis":       {func(d *vdsnc.Data) { d.Message.Vaccinations[0].Disease = " RA01.0" }},
		"data.msg.ve[0].vd[1].dvc": {func(d *vdsnc.Data) { dose(d).Date = "24.03.2026" }, func(d *vdsnc.Data) { dose(d).Date = "" }},
		"data.msg.ve[0].vd[1].seq": {func(d *vdsnc.Data) { dose(d).Number = 0 }, func(d *vdsnc.Data) { dose(d).Number = 100 }},
		"data.msg.ve[0].vd[1].ctr": {func(d *vdsnc.Data) { dose(d).Country = "" }},
		"data.msg.ve[0].vd[1].adm": {func(d *vdsnc.Data) { dose(d).Centre = "" }},
		"data.msg.ve[0].vd[1].lot": {func(d *vdsnc.Data) { dose(d).Lot = "" }},
		"data.msg.ve[0].vd[1].dvn": {func(d *vdsnc.Data) { dose(d).NextDose = "2026-03-23" }, func(d *vdsnc.Data) { dose(d).NextDose = "soon" }},
	} {
		for _, change := range changes {
			data := specimenVaccination()
			change(&data)
			mustRefuse(t, data, path)
		}
	}
}

func TestCanonicalRefusesTest(t *testing.T) {
	t.Parallel()
	for path, change := range map[string]func(*vdsnc.Data){
		"data.msg.uvci":    func(d *vdsnc.Data) { d.Message.UVCI = "U1" },
		"data.msg.utci":    func(d *vdsnc.Data) { d.Message.UTCI = "" },
		"data.msg.ve":      func(d *vdsnc.Data) { d.Message.Vaccinations = make([]vdsnc.Event, 1) },
		"data.msg.opt":     func(d *vdsnc.Data) { d.Message.Optional = "\t" },
		"data.msg.pid.n":   func(d *vdsnc.Data) { d.Message.Person.Name = "" },
		"data.msg.pid.dob": func(d *vdsnc.Data) { d.Message.Person.BirthDate = "" },
		"data.msg.pid.dt":  func(d *vdsnc.Data) { d.Message.Person.DocumentType = "passport" },
		"data.msg.pid.dn":  func(d *vdsnc.Data) { d.Message.Person.TestDocument = "" },
		"data.msg.pid.i":   func(d *vdsnc.Data) { d.Message.Person.DocumentNumber = "1" },
		"data.msg.pid.ai":  func(d *vdsnc.Data) { d.Message.Person.AdditionalID = "1" },
		"data.msg.pid.sex": func(d *vdsnc.Data) { d.Message.Person.Sex = "X" },
		"data.msg.sp":      func(d *vdsnc.Data) { d.Message.Provider = nil },
		"data.msg.sp.spn":  func(d *vdsnc.Data) { d.Message.Provider.Name = "" },
		"data.msg.sp.ctr":  func(d *vdsnc.Data) { d.Message.Provider.Country = "DE" },
		"data.msg.sp.cd":   func(d *vdsnc.Data) { d.Message.Provider.Contact = &vdsnc.Contact{} },
		"data.msg.sp.cd.p": func(d *vdsnc.Data) { d.Message.Provider.Contact.Phone = "\n" },
		"data.msg.sp.cd.e": func(d *vdsnc.Data) { d.Message.Provider.Contact.Mail = " " },
		"data.msg.sp.cd.a": func(d *vdsnc.Data) { d.Message.Provider.Contact.Address = "\u0041\u030a" },
		"data.msg.dat":     func(d *vdsnc.Data) { d.Message.Times = nil },
		"data.msg.dat.sc":  func(d *vdsnc.Data) { d.Message.Times.Sampled = "2026-02-15T12:00:00" },
		"data.msg.dat.ri":  func(d *vdsnc.Data) { d.Message.Times.Reported = "2026-02-15T03:59:59Z" },
		"data.msg.tr":      func(d *vdsnc.Data) { d.Message.Result = nil },
		"data.msg.tr.tc":   func(d *vdsnc.Data) { d.Message.Result.Type = "PCR" },
		"data.msg.tr.r":    func(d *vdsnc.Data) { d.Message.Result.Value = "Negative" },
		"data.msg.tr.m":    func(d *vdsnc.Data) { d.Message.Result.Method = "\u007f" },
	} {
		data := specimenTest()
		change(&data)
		mustRefuse(t, data, path)
	}
}

func mustRefuse(t *testing.T, data vdsnc.Data, path string) {
	t.Helper()
	canonical, err := data.Canonical()
	var refused *vdsnc.Error
	switch {
	case !errors.As(err, &refused) || canonical != nil:
		t.Errorf("%s: got %v", path, err)
	case refused.Path != path:
		t.Errorf("%s: refused %s: %s", path, refused.Path, refused.Rule)
	case strings.Contains(err.Error(), "SPECIMEN"):
		t.Errorf("%s: the error holds a value", path)
	}
}
