package verification_test

import (
	"slices"
	"testing"

	"github.com/trustedparty/ddcc-gateway/verification"
)

// A document carries its event in other formats, too; each must be genuine and of the same
// birth date.
func TestOtherFormatsInDocuments(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	texts := w.texts(t)
	all := []string{texts["who"], texts["dcc"], texts["shc"], texts["vdsnc"], texts["icvp"]}
	elder, nobody := credential(), seal()
	elder.Card.Patient.BirthDate, nobody.Message.Person.BirthDate = "1960-02-03", ""
	older, younger := euContent("v"), icvpContent()
	older["dob"], younger["dob"] = "1960", "2000-02-03"
	eu := func(content object) string { return text(t, sign(t, w.vaccination, encode(t, 1, content))) }
	icvp := text(t, sign(t, w.vaccination, encode(t, -6, younger)))
	aged := seal()
	aged.Message.Person.BirthDate = "1960-02-03"
	const mismatch = verification.ReasonDocumentCertificateMismatch
	for name, test := range map[string]struct {
		texts []string
		want  verification.Reason
	}{
		"all formats":            {all, verification.ReasonVerified},
		"in another order":       {slices.Concat(all[1:], all[:1]), verification.ReasonVerified},
		"none is the document's": {all[1:], mismatch},
		"seal without birth":     {[]string{texts["who"], sealText(t, w.bsc, nobody)}, verification.ReasonVerified},
		"card of another":        {[]string{texts["who"], card(t, w.shc, elder)}, mismatch},
		"DCC of another":         {[]string{texts["who"], eu(older)}, mismatch},
		"ICVP of another":        {[]string{texts["who"], icvp}, mismatch},
		"seal of another":        {[]string{texts["who"], sealText(t, w.bsc, aged)}, mismatch},
		"DIVOC":                  {[]string{texts["who"], texts["divoc"]}, mismatch},
	} {
		result := w.verifier(t).VerifyDocument(signDocument(t, document(immunization(), test.texts...), w.jws()))
		checkConsistent(t, result)
		if result.Reason != test.want || result.Format != verification.FormatDocument {
			t.Errorf("%s: %s (%s), want %s", name, result.Reason, result.Detail, test.want)
		}
		if result.Valid && (result.Profile != verification.ProfileDDCCVaccination || !slices.Equal(result.Warnings, []string{verification.WarningRevocation})) {
			t.Errorf("%s: %+v", name, result)
		}
	}
	stranger := newWorld(t)
	if result := w.verifier(t).VerifyDocument(signDocument(t, document(immunization(), texts["who"], stranger.texts(t)["shc"]), w.jws())); result.Reason != verification.ReasonUnknownKey {
		t.Errorf("card of a stranger: %s", result.Reason)
	}
}
