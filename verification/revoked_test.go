package verification_test

import (
	"encoding/base64"
	"slices"
	"strings"
	"testing"
	"testing/fstest"
	"time"

	format "github.com/trustedparty/ddcc-gateway/formats/revocation"
	"github.com/trustedparty/ddcc-gateway/formats/vdsnc"
	"github.com/trustedparty/ddcc-gateway/trust"
	"github.com/trustedparty/ddcc-gateway/trust/revocation"
	"github.com/trustedparty/ddcc-gateway/trust/revocation/revocationtest"
	"github.com/trustedparty/ddcc-gateway/trust/trusttest"
	"github.com/trustedparty/ddcc-gateway/verification"
)

// answer is what is always said, by lists of a country until a time; it keeps the questions.
type answer struct {
	verdict revocation.Verdict
	country string
	until   time.Time
	asked   []revocation.Identity
}

func (a *answer) Check(id revocation.Identity) revocation.Verdict {
	a.asked = append(a.asked, id)
	return a.verdict
}
func (a *answer) Country() string       { return a.country }
func (a *answer) NextUpdate() time.Time { return a.until }

// In every format that has lists, a revoked certificate is refused for that reason alone.
func TestRevokedInEveryFormat(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	exact, filter, good := revocation.Verdict{Revoked: true, Certainty: revocation.Exact}, revocation.Verdict{Revoked: true, Certainty: revocation.FromFilter}, revocation.Verdict{Certainty: revocation.Exact}
	for name, text := range w.texts(t) {
		for label, test := range map[string]struct {
			answer  answer
			reason  verification.Reason
			warning string // the one about revocation
		}{
			"revoked":         {answer{verdict: exact, country: "XX"}, verification.ReasonRevoked, ""},
			"revoked, abroad": {answer{verdict: exact, country: "XA"}, verification.ReasonRevoked, ""},
			"filter":          {answer{verdict: filter, country: "XX"}, verification.ReasonRevoked, verification.WarningUnconfirmed},
			"good":            {answer{verdict: good, country: "XX"}, verification.ReasonVerified, ""},
			"good, fresh":     {answer{verdict: good, country: "xx", until: now.Add(time.Second)}, verification.ReasonVerified, ""},
			"good, stale":     {answer{verdict: good, country: "XX", until: now}, verification.ReasonVerified, verification.WarningStale},
			"good, abroad":    {answer{verdict: good, country: "XA", until: now}, verification.ReasonVerified, verification.WarningRevocation},
		} {
			if name == "divoc" { // without lists
				test.reason, test.warning = verification.ReasonVerified, verification.WarningRevocation
			}
			v := w.verifier(t)
			v.Revocations = &test.answer
			result := v.VerifyText(text)
			checkConsistent(t, result)
			if result.Reason != test.reason {
				t.Errorf("%s, %s: %s (%s)", name, label, result.Reason, result.Detail)
			}
			about := slices.DeleteFunc(slices.Clone(result.Warnings), func(w string) bool { return !strings.HasPrefix(w, "revocation") })
			if strings.Join(about, " ") != test.warning {
				t.Errorf("%s, %s: %v", name, label, result.Warnings)
			}
		}
	}
}

// A certificate that is refused for another reason is never asked for.
func TestRevocationIsAskedLast(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	for name, text := range w.texts(t) {
		v, asked := w.verifier(t), &answer{verdict: revocation.Verdict{Revoked: true, Certainty: revocation.Exact}}
		v.Revocations, v.Clock = asked, func() time.Time { return trusttest.Start.AddDate(9, 0, 0) }
		if result := v.VerifyText(text); result.Reason == verification.ReasonRevoked || len(asked.asked) > 0 {
			t.Errorf("%s: %s", name, result.Reason)
		}
	}
}

// entryOf lists a certificate as its issuer does.
func (w world) entryOf(t testing.TB, name, text string) format.Entry {
	t.Helper()
	v, asked := w.verifier(t), &answer{country: "XX"}
	v.Revocations = asked
	if result := v.VerifyText(text); !result.Valid || len(asked.asked) != 1 {
		t.Fatalf("%s: %s (%s)", name, result.Reason, result.Detail)
	}
	id := asked.asked[0]
	return format.Entry{
		KID: id.KID, Signature: id.Signature, UCI: id.UCI, CountryUCI: id.CountryUCI, RID: id.RID, SHCKID: id.SHCKID,
		Format: name, RevokedAt: now, ExpiresAt: expires,
	}
}

// The identity of a certificate is the one that the fact sheets of the lists define.
func TestIdentities(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	texts := w.texts(t)
	dcc := w.entryOf(t, "dcc", texts["dcc"])
	if dcc.UCI != format.UCIHash(specimenUVCI) || dcc.CountryUCI != format.CountryUCIHash("XX", specimenUVCI) || string(dcc.KID) != string(trust.KID(w.vaccination.Cert)) {
		t.Errorf("DCC: %+v", dcc)
	}
	who := w.entryOf(t, "who", texts["who"])
	if who.Signature.IsZero() || !who.UCI.IsZero() || !who.CountryUCI.IsZero() {
		t.Errorf("WHO: %+v", who)
	}
	cards := w.entryOf(t, "shc", texts["shc"])
	signature, err := base64.RawURLEncoding.DecodeString(texts["shc"][strings.LastIndexByte(texts["shc"], '.')+1:])
	if err != nil || cards.Signature != format.SignatureHash("ES256", signature) || cards.RID != "c3BlY2ltZW4" || cards.SHCKID != thumbprint(t, w.shc) || cards.KID != nil {
		t.Errorf("SHC: %+v, %v", cards, err)
	}
	seals := w.entryOf(t, "vdsnc", texts["vdsnc"])
	if seals.Signature.IsZero() || seals.UCI != format.UCIHash("U00000001") || string(seals.KID) != string(trust.KID(w.bsc.Cert)) {
		t.Errorf("VDS-NC: %+v", seals)
	}
}

// Whoever holds a revoked seal can write its signature in other ways that readers take; it
// stays the same certificate.
func TestRevokedSealStaysRevoked(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	data := seal()
	canonical, err := data.Canonical()
	if err != nil {
		t.Fatal(err)
	}
	signature := signES256(t, w.bsc, canonical)
	for signature[0] >= 0x80 || signature[32] < 0x80 { // only s needs a sign byte
		signature = signES256(t, w.bsc, canonical)
	}
	plain, err := vdsnc.Assemble(canonical, w.bsc.Cert.Raw, signature)
	if err != nil {
		t.Fatal(err)
	}
	want := w.entryOf(t, "vdsnc", plain).Signature
	rewrite := func(form []byte) string {
		encode := base64.RawURLEncoding.EncodeToString
		return strings.Replace(plain, encode(signature), encode(form), 1)
	}
	zero := []byte{0}
	for name, form := range map[string][]byte{
		"both signs": slices.Concat(zero, signature[:32], zero, signature[32:]),
		"sign of s":  slices.Concat(signature[:32], zero, signature[32:]),
		"sign of r":  slices.Concat(zero, signature),
	} {
		if got := w.entryOf(t, name, rewrite(form)).Signature; got != want {
			t.Errorf("%s: another identity", name)
		}
	}
	padded := strings.Replace(plain, `"}}`, `=="}}`, 1)
	if got := w.entryOf(t, "padded", padded).Signature; got != want {
		t.Error("padded: another identity")
	}
}

// The published lists, loaded from files: what is on them is refused, what is not is valid.
func TestPublishedRevocations(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	signer := w.ca.ListSigner(t)
	keys := trusttest.List(t, w.ca.Entry(signer.Pair, trust.UsageTrustList))
	load := func(files fstest.MapFS) *revocation.Set {
		set, err := revocation.Load(files, keys, now)
		if err != nil {
			t.Fatal(err)
		}
		return set
	}
	texts, others := w.texts(t), w.texts(t) // the same, signed again
	var entries []format.Entry
	for _, name := range []string{"who", "dcc", "icvp", "shc", "vdsnc"} {
		entry := w.entryOf(t, name, texts[name])
		entry.UCI, entry.CountryUCI, entry.RID = format.Hash{}, format.Hash{}, "" // by signature alone
		if name == "shc" {
			entry.KID = nil
		}
		entries = append(entries, entry)
	}
	exact := load(revocationtest.Copy(t, signer, now, true, entries...))
	filter := load(revocationtest.Copy(t, signer, now, false, entries...))
	for _, entry := range entries {
		for set, warning := range map[*revocation.Set]string{exact: "", filter: verification.WarningUnconfirmed} {
			v := w.verifier(t)
			v.Revocations = set
			result := v.VerifyText(texts[entry.Format])
			if result.Reason != verification.ReasonRevoked || (warning != "") != slices.Contains(result.Warnings, verification.WarningUnconfirmed) {
				t.Errorf("%s: %s %v", entry.Format, result.Reason, result.Warnings)
			}
		}
		v := w.verifier(t)
		v.Revocations = exact
		if result := v.VerifyText(others[entry.Format]); !result.Valid || slices.Contains(result.Warnings, verification.WarningRevocation) {
			t.Errorf("another %s: %s %v", entry.Format, result.Reason, result.Warnings)
		}
	}
}

// A card revocation list, and a UVCI that revokes every certificate with it.
func TestPublishedIdentifiers(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	signer := w.ca.ListSigner(t)
	texts := w.texts(t)
	var entries []format.Entry
	for _, name := range []string{"dcc", "shc", "vdsnc"} {
		entry := w.entryOf(t, name, texts[name])
		entry.Signature = format.Hash{}
		entries = append(entries, entry)
	}
	set, err := revocation.Load(revocationtest.Copy(t, signer, now, true, entries...), trusttest.List(t, w.ca.Entry(signer.Pair, trust.UsageTrustList)), now)
	if err != nil {
		t.Fatal(err)
	}
	for name, text := range w.texts(t) { // signed again
		v := w.verifier(t)
		v.Revocations = set
		listed := slices.ContainsFunc(entries, func(e format.Entry) bool { return e.Format == name })
		if result := v.VerifyText(text); listed != (result.Reason == verification.ReasonRevoked) || listed == result.Valid {
			t.Errorf("%s: %s %v", name, result.Reason, result.Warnings)
		}
	}
}
