// Package defects proves, one by one, that the 35 known defects B1 to B35 of the WHO
// reference mediator cannot happen here. The tests talk to the running system as its
// users do. A defect of something that this release does not have is listed with the
// reason why it cannot occur.
package defects

import (
	"testing"

	"github.com/trustedparty/ddcc-gateway/test/harness"
)

func TestMain(m *testing.M) { harness.Main(m) }

// defect is one entry of the list: what went wrong there, and the proof that it does not
// go wrong here.
type defect struct {
	id    string
	there string
	proof func(t *testing.T, s *harness.System)
}

// delivered are further proofs of some, for what goes on to a FHIR server and comes from there:
// all proofs have everything that they issue delivered.
var delivered = map[string]func(t *testing.T, l *landscape){
	"B18": serverErrorsAreNotDelivered,
	"B19": registeredLater,
	"B20": foldersAreWholeOnTheServer,
	"B23": hcidIsOneValueOnTheServer,
	"B24": serverAddressesAreNotFetched,
	"B32": deliveredHoldsNoInternals,
}

var defects = []defect{
	{"B1", "a body that is neither Parameters nor QuestionnaireResponse kills the process", foreignBodies},
	{"B2", "Parameters without response kills the process", parametersWithoutResponse},
	{"B3", "an invalid batch crashes, or issues although it is refused", invalidBatches},
	{"B4", "an absent optional element crashes, or issues and then crashes", absentElements},
	{"B5", "the status of the mapping engine is ignored", noOutboundMapping},
	{"B6", "submitIPS never answers", noSilentRoute},
	{"B7", "errors are answered with status 200 or a wrong one", honestStatus},
	{"B8", "a certificate without any QR code is reported as success", everyDocumentHasItsQR},
	{"B9", "getQRCode hands personal JSON to anybody under a picture's name", qrCodeIsAPictureForItsIssuer},
	{"B10", "an id in the path reaches other resources, which are logged whole", idsAreOnlyIDs},
	{"B11", "the published key set is empty", publishedKeysVerify},
	{"B12", "without a key file the process makes a key of its own and goes on", noKeyNoStart},
	{"B13", "no expiry, no issuer, key id of the wrong thing", claimsAreComplete},
	{"B14", "values are invented or altered in the payload", nothingInvented},
	{"B15", "the payload holds more than a verifier needs", payloadIsMinimal},
	{"B16", "the document is not valid FHIR", documentIsWellFormed},
	{"B17", "the signed bytes cannot be told from the stored ones", signatureSurvivesStorage},
	{"B18", "an error of a server is decorated, signed and returned", onlyLintedDocumentsAreSigned},
	{"B19", "registration happens after the answer and its failure is lost", answerComesAfterTheRecord},
	{"B20", "folder entries are lost under concurrency", foldersLoseNothing},
	{"B21", "one holder's data ends up on another's card", holdersAreNotMixedUp},
	{"B22", "anybody can append to somebody else's certificate id", hcidBelongsToOnePerson},
	{"B23", "an HCID is pasted into a search URL", hcidIsNotSyntax},
	{"B24", "addresses inside resources are fetched", addressesAreNotFetched},
	{"B25", "ids and resources are logged", logsShowNobody},
	{"B26", "stack traces, addresses and framework names reach the caller", errorsRevealNothing},
	{"B27", "no authentication, TLS, limits, health or shutdown", edgeIsGuarded},
	{"B28", "the same submission gives another certificate each time", resubmissionIsIdempotent},
	{"B29", "nothing is validated before it is signed", invalidContentIsRefused},
	{"B30", "test results, metadata and versioned canonicals are missing", testsMetadataAndVersions},
	{"B31", "only doses 1 and 2, only Latin names", anyDoseAnyScript},
	{"B32", "identifiers without value, internal addresses in documents", documentsHoldNoInternals},
	{"B33", "default password, verification switched off, misspelled systems", productionIsStrict},
	{"B34", "wrong content types, pictures encoded as JSON", contentTypesAreRight},
	{"B35", "no effective tests", func(*testing.T, *harness.System) {}}, // this list; see TestListIsComplete
}

func TestDefects(t *testing.T) {
	t.Parallel()
	l := newLandscape(t)
	s := l.System
	for _, d := range defects {
		t.Run(d.id, func(t *testing.T) {
			t.Log(d.there)
			d.proof(t, s)
			if onTheServer := delivered[d.id]; onTheServer != nil {
				onTheServer(t, l)
			}
			if a, err := s.Get("/ddcc/metadata"); err != nil || a.Status != 200 {
				t.Fatalf("the gateway did not survive: %v", err)
			}
		})
	}
	everythingIsOnTheServer(t, l)
	wholeRunShowsNobody(t, s)
}

// TestListIsComplete also holds when somebody removes an entry: a proof of B35 itself.
func TestListIsComplete(t *testing.T) {
	t.Parallel()
	if len(defects) != 35 {
		t.Fatalf("%d entries, want 35", len(defects))
	}
	for i, d := range defects {
		if want := "B" + itoa(i+1); d.id != want || d.proof == nil || d.there == "" {
			t.Errorf("entry %d is %q, want %s with a proof", i, d.id, want)
		}
	}
	for _, id := range []string{"B18", "B19", "B20", "B23", "B24", "B32"} {
		if delivered[id] == nil {
			t.Errorf("%s is not proven against a FHIR server", id)
		}
	}
}
