package foreign

import (
	"context"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/sha256"
	"crypto/x509"
	"errors"
	"fmt"
	"maps"
	"regexp"
	"slices"
	"time"
)

// Format says what a document looks like.
type Format string

// The formats that can be read.
const (
	// FormatDID is a GDHCN trust list, version 2 embedded: a DID document with a
	// verification method for every certificate.
	FormatDID Format = "did"
	// FormatGateway is the answer of a DGCG or TNG gateway to GET /trustList.
	FormatGateway Format = "gateway"
	// FormatGatewayCertificates is its answer to GET /trustList/certificate.
	FormatGatewayCertificates Format = "gateway-certificates"
	// FormatSignedList is a list of DSCs as the German verifier backend publishes it: an
	// ECDSA signature in base64, a line end, JSON.
	FormatSignedList Format = "signed-list"
	// FormatPathCheck is the CSV of the PathCheck trust registry: keys without certificates.
	FormatPathCheck Format = "pathcheck"
)

// Formats lists them.
func Formats() []Format {
	return []Format{FormatDID, FormatGateway, FormatGatewayCertificates, FormatSignedList, FormatPathCheck}
}

// Limits of one document.
const (
	MaxBytes   = 16 << 20
	MaxEntries = 20_000
)

// DefaultMaxAge is how long a document counts without being fetched again.
const DefaultMaxAge = 48 * time.Hour

// DefaultMaxProofAge is how long a document counts after its proof was made, however often
// it is fetched: so long may a server that is not pinned hide a withdrawal.
const DefaultMaxProofAge = 30 * 24 * time.Hour

// Authenticity says by what means a document is believed. Every means that is set must
// hold. docs/foreign-trust.md compares them.
type Authenticity struct {
	// Digests are SHA-256 digests of documents that are accepted, compared out of band.
	Digests [][sha256.Size]byte

	// ProofKeys may have made the proof of a DID document; P-256.
	ProofKeys []*ecdsa.PublicKey

	// Anchors: of a gateway, the trust anchors that sign CSCA and upload certificates; of
	// a DID document, the only CSCAs that are accepted from it.
	Anchors []*x509.Certificate

	// ListKeys may have signed a FormatSignedList; P-256.
	ListKeys []*ecdsa.PublicKey

	// PinnedTransport accepts what a pinned connection delivers. It says nothing about a
	// document that is imported by hand.
	PinnedTransport bool
}

// Fetcher gets the present document of a source.
type Fetcher interface {
	// Fetch returns at most MaxBytes.
	Fetch(ctx context.Context) ([]byte, error)
	// Pinned says whether the server proved itself with a pinned key.
	Pinned() bool
}

// Source is one foreign list.
type Source struct {
	Name         string // of the file it is kept in: a-z, 0-9 and -, at most 40
	Format       Format
	Authenticity Authenticity
	Fetch        Fetcher // nil: imported by hand only

	// Countries are the only ones the list may speak for; empty: any.
	Countries []string
	// Participants are codes of the GDHCN beyond ISO 3166-1 alpha-3 and the test nations
	// XXA to XXZ, with the alpha-2 code their certificates carry.
	Participants map[string]string
	// Domains of a GDHCN or TNG list that count, e.g. "DCC"; empty: all.
	Domains []string

	MaxAge      time.Duration // since the import; 0: DefaultMaxAge
	MaxProofAge time.Duration // since the proof was made, where ProofKeys vouch for that; 0: DefaultMaxProofAge
}

var sourceName = regexp.MustCompile(`^[a-z0-9][a-z0-9-]{0,39}$`)

// check refuses a source that could not be authenticated, before anything is read.
func (s Source) check() error {
	switch {
	case !sourceName.MatchString(s.Name):
		return errors.New("foreign: the name of a source is 1 to 40 of a-z, 0-9 and -, not beginning with -")
	case !slices.Contains(Formats(), s.Format):
		return fmt.Errorf("foreign: source %s: the format is unknown; use one of %v", s.Name, Formats())
	case s.MaxAge < 0 || s.MaxProofAge < 0:
		return fmt.Errorf("foreign: source %s: an age limit is negative", s.Name)
	case s.MaxProofAge > 0 && len(s.Authenticity.ProofKeys) == 0:
		return fmt.Errorf("foreign: source %s: the age of proofs is limited, but there are no proof keys to check them", s.Name)
	}
	if problem := s.Authenticity.problem(s.Format, s.Fetch); problem != "" {
		return fmt.Errorf("foreign: source %s: %s", s.Name, problem)
	}
	for _, country := range slices.Concat(s.Countries, slices.Collect(maps.Values(s.Participants))) {
		if !isCountry(country) {
			return fmt.Errorf("foreign: source %s: a country is two capital letters", s.Name)
		}
	}
	return nil
}

// problem says why the means do not suffice; empty: they do.
func (a Authenticity) problem(format Format, fetch Fetcher) string {
	pinned := fetch != nil && fetch.Pinned()
	switch {
	case a.PinnedTransport && !pinned:
		return "a pinned connection is demanded, but the source is not fetched over one"
	case slices.ContainsFunc(slices.Concat(a.ListKeys, a.ProofKeys), func(key *ecdsa.PublicKey) bool { return key == nil || key.Curve != elliptic.P256() }):
		return "a key that signs a list or a proof must be on P-256"
	}
	return a.formatProblem(format, fetch != nil, pinned)
}

func (a Authenticity) formatProblem(format Format, fetched, pinned bool) string {
	digests := len(a.Digests) > 0
	replayable := fetched && !pinned && !digests // whoever is on the line may deliver an older document
	switch format {
	case FormatDID:
		switch {
		case digests || len(a.ProofKeys) > 0:
		case len(a.Anchors) == 0:
			return "nothing makes the document authentic: give proof keys, digests, or CSCAs as anchors"
		case replayable:
			return "CSCAs alone do not show which DSCs were withdrawn: fetch the document over a pinned connection, or give proof keys or digests"
		}
	case FormatGateway, FormatGatewayCertificates:
		if len(a.Anchors) == 0 {
			return "nothing makes the list authentic: give the trust anchors of the gateway"
		}
		if replayable {
			return "trust anchors alone do not show which DSCs were withdrawn: fetch the list over a pinned connection, or give digests"
		}
	case FormatSignedList:
		if len(a.ListKeys) == 0 && !digests {
			return "nothing makes the list authentic: give the keys that sign it, or digests"
		}
		if replayable {
			return "the signature does not say when it was made: fetch the list over a pinned connection, or give digests"
		}
	case FormatPathCheck:
		if !a.PinnedTransport && !digests {
			return "nothing makes the registry authentic, it is not signed: give digests, or demand a pinned connection"
		}
	}
	return ""
}

func (s Source) maxAge() time.Duration {
	if s.MaxAge == 0 {
		return DefaultMaxAge
	}
	return s.MaxAge
}

// until is when a document gets too old that was imported then; created is the time of its
// proof, zero without one.
func (s Source) until(imported, created time.Time) time.Time {
	byImport := imported.Add(s.maxAge())
	if created.IsZero() {
		return byImport
	}
	if byProof := created.Add(s.maxProofAge()); byProof.Before(byImport) {
		return byProof
	}
	return byImport
}

func (s Source) maxProofAge() time.Duration {
	if s.MaxProofAge == 0 {
		return DefaultMaxProofAge
	}
	return s.MaxProofAge
}
