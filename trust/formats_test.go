package trust_test

import (
	"bytes"
	"crypto/rand"
	"crypto/rsa"
	"crypto/x509"
	"encoding/json"
	"errors"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/trustedparty/ddcc-gateway/internal/platform/fault"
	"github.com/trustedparty/ddcc-gateway/trust"
	"github.com/trustedparty/ddcc-gateway/trust/trusttest"
)

var issuedAt = time.Date(2026, 1, 15, 9, 0, 0, 0, time.UTC)

func specimenList(t testing.TB) trust.TrustList {
	t.Helper()
	ca, next := trusttest.CSCA(t), trusttest.CSCA(t)
	rsaKey, err := rsa.GenerateKey(rand.Reader, 2048)
	if err != nil {
		t.Fatal(err)
	}
	list, refusals := trust.NewList([]trust.Entry{
		ca.Entry(ca.DSC(t, trusttest.EKU(trusttest.VaccinationOID)), trust.UsageVaccination),
		ca.Entry(ca.DSC(t)),
		ca.Entry(ca.DSCFor(t, rsaKey), trust.UsageTest),
		next.Entry(next.DSC(t), trust.UsageDocument),
	}, trust.Options{Anchors: []*x509.Certificate{trusttest.CSCA(t).Cert}})
	if len(refusals) > 0 {
		t.Fatal(refusals)
	}
	return trust.TrustList{Country: "XX", IssuedAt: issuedAt, List: list}
}

func TestTrustListRoundTrip(t *testing.T) {
	t.Parallel()
	want := specimenList(t)
	raw, err := want.Encode()
	if err != nil {
		t.Fatal(err)
	}
	got, err := trust.ParseList(raw, trust.Limits{})
	if err != nil {
		t.Fatal(err)
	}
	if got.Country != want.Country || !got.IssuedAt.Equal(want.IssuedAt) || len(got.List.Anchors()) != 3 {
		t.Errorf("got %v", got)
	}
	for i, entry := range got.List.Entries() {
		old := want.List.Entries()[i]
		if !entry.DSC.Equal(old.DSC) || !entry.CSCA.Equal(old.CSCA) || !slices.Equal(entry.Usages, old.Usages) {
			t.Errorf("entry %d differs", i)
		}
	}
	again, err := got.Encode()
	if err != nil || !bytes.Equal(raw, again) {
		t.Errorf("encoded differently: %v\n%s\n%s", err, raw, again)
	}
}

func TestRepresentationsDoNotDependOnOrder(t *testing.T) {
	t.Parallel()
	want := specimenList(t)
	entries := want.List.Entries()
	slices.Reverse(entries)
	anchors := want.List.Anchors()
	slices.Reverse(anchors)
	list, _ := trust.NewList(entries, trust.Options{Anchors: anchors})
	got := trust.TrustList{Country: "XX", IssuedAt: issuedAt, List: list}
	rawWant, _ := want.Encode()
	rawGot, _ := got.Encode()
	jwksWant, _ := want.List.JWKS()
	jwksGot, _ := got.List.JWKS()
	if !bytes.Equal(rawWant, rawGot) || !bytes.Equal(jwksWant, jwksGot) || !bytes.Equal(want.List.AnchorsPEM(), list.AnchorsPEM()) {
		t.Error("another order gives other bytes")
	}
}

func TestEncodeRefusesNoCountry(t *testing.T) {
	t.Parallel()
	list := specimenList(t)
	list.Country = "xx"
	if _, err := list.Encode(); err == nil {
		t.Error("accepted")
	}
}

func TestParseListRefuses(t *testing.T) {
	t.Parallel()
	ca, other := trusttest.CSCA(t), trusttest.CSCA(t, func(c *x509.Certificate) { c.Subject.CommonName = "Other" })
	list := trusttest.List(t, ca.Entry(ca.DSC(t), trust.UsageVaccination))
	raw, err := trust.TrustList{Country: "XX", IssuedAt: issuedAt, List: list}.Encode()
	if err != nil {
		t.Fatal(err)
	}
	foreign, err := trust.TrustList{Country: "XX", IssuedAt: issuedAt, List: trusttest.List(t, other.Entry(other.DSC(t)))}.Encode()
	if err != nil {
		t.Fatal(err)
	}
	const cert = `"certificates"`
	edit := func(change func(list map[string]any, csca, dsc map[string]any)) []byte {
		var tree map[string]any
		if err := json.Unmarshal(raw, &tree); err != nil {
			t.Fatal(err)
		}
		all := tree["certificates"].([]any)
		change(tree, all[0].(map[string]any), all[1].(map[string]any))
		out, err := json.Marshal(tree)
		if err != nil {
			t.Fatal(err)
		}
		return out
	}
	type object = map[string]any
	var strangers map[string]any
	if err := json.Unmarshal(foreign, &strangers); err != nil {
		t.Fatal(err)
	}
	stranger := strangers["certificates"].([]any)[1]
	for name, test := range map[string]struct {
		raw  []byte
		path string // of the issue; empty: not even the form is right
	}{
		"nothing":           {nil, ""},
		"not an object":     {[]byte(`[]`), ""},
		"cut off":           {raw[:len(raw)/2], ""},
		"two values":        {append(slices.Clone(raw), raw...), ""},
		"member twice":      {bytes.Replace(raw, []byte(`{`), []byte(`{"version":1,`), 1), ""},
		"unknown member":    {bytes.Replace(raw, []byte(`{`), []byte(`{"extra":1,`), 1), ""},
		"other case":        {bytes.Replace(raw, []byte(cert), []byte(`"Certificates"`), 1), ""},
		"wrong type":        {edit(func(l, _, _ object) { l["country"] = 7 }), ""},
		"version":           {edit(func(l, _, _ object) { l["version"] = 2 }), "version"},
		"no version":        {edit(func(l, _, _ object) { delete(l, "version") }), "version"},
		"country of list":   {edit(func(l, _, _ object) { l["country"] = "X1" }), "country"},
		"issuedAt":          {edit(func(l, _, _ object) { l["issuedAt"] = "2026-01-15T09:00:00+00:00" }), "issuedAt"},
		"no certificates":   {edit(func(l, _, _ object) { delete(l, "certificates") }), "certificates"},
		"kid":               {edit(func(_, _, d object) { d["kid"] = "AAAAAAAAAAA=" }), "certificates[1].kid"},
		"kid of the CSCA":   {edit(func(_, c, _ object) { c["kid"] = "" }), "certificates[0].kid"},
		"country":           {edit(func(_, _, d object) { d["country"] = "XY" }), "certificates[1].country"},
		"type":              {edit(func(_, _, d object) { d["certificateType"] = "UPLOAD" }), "certificates[1].certificateType"},
		"usage missing":     {edit(func(_, _, d object) { delete(d, "usage") }), "certificates[1].usage"},
		"usage unknown":     {edit(func(_, _, d object) { d["usage"] = []string{"payment"} }), "certificates[1]"},
		"usage of a CSCA":   {edit(func(_, c, _ object) { c["usage"] = []string{"test"} }), "certificates[0].usage"},
		"timestamp":         {edit(func(_, _, d object) { d["timestamp"] = "2020-01-01T00:00:00Z" }), "certificates[1].timestamp"},
		"thumbprint":        {edit(func(_, _, d object) { d["thumbprint"] = strings.ToUpper(d["thumbprint"].(string)) }), "certificates[1].thumbprint"},
		"base64 line":       {edit(func(_, _, d object) { d["rawData"] = "\n" + d["rawData"].(string) }), "certificates[1].rawData"},
		"base64url":         {edit(func(_, _, d object) { d["rawData"] = "__" }), "certificates[1].rawData"},
		"not a certificate": {edit(func(_, _, d object) { d["rawData"] = "AAAA" }), "certificates[1].rawData"},
		"CSCA as DSC":       {edit(func(_, c, _ object) { c["certificateType"] = "DSC"; c["usage"] = []string{"test"} }), "certificates[0]"},
		"DSC as CSCA":       {edit(func(_, _, d object) { d["certificateType"] = "CSCA"; delete(d, "usage") }), "certificates[1]"},
		"foreign DSC":       {edit(func(l, _, _ object) { l["certificates"] = append(l["certificates"].([]any), stranger) }), "certificates[2]"},
		"CSCA twice":        {edit(func(l, c, _ object) { l["certificates"] = append(l["certificates"].([]any), c) }), "certificates[2]"},
		"DSC twice":         {edit(func(l, _, d object) { l["certificates"] = append(l["certificates"].([]any), d) }), "certificates[2]"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			parsed, err := trust.ParseList(test.raw, trust.Limits{})
			var f *fault.Error
			if !errors.As(err, &f) || parsed.List != nil {
				t.Fatalf("accepted: %v", err)
			}
			if test.path == "" {
				if f.Kind != fault.Malformed {
					t.Errorf("kind %d", f.Kind)
				}
				return
			}
			if !slices.ContainsFunc(f.Issues, func(i fault.Issue) bool { return i.Path == test.path }) {
				t.Errorf("issues %v, want one at %q", f.Issues, test.path)
			}
		})
	}
	several := edit(func(l, c, d object) { l["version"] = 3; c["kid"] = "x"; d["thumbprint"] = "x" })
	var f *fault.Error
	if _, err := trust.ParseList(several, trust.Limits{}); !errors.As(err, &f) || len(f.Issues) != 3 {
		t.Errorf("not all refusals at once: %v", f)
	}
	for _, limits := range []trust.Limits{{Bytes: len(raw) - 1}, {Certificates: 1}} {
		if _, err := trust.ParseList(raw, limits); fault.KindOf(err) != fault.TooLarge {
			t.Errorf("%+v: %v", limits, err)
		}
	}
}
