package trust

import (
	"bytes"
	"cmp"
	"crypto/x509"
	"slices"
	"time"
)

// Options of a list.
type Options struct {
	// Anchors are CSCAs to list although no entry needs them, e.g. a successor whose
	// first DSC is still to come. The CSCAs of entries are anchors anyway.
	Anchors []*x509.Certificate

	// DirectTrust accepts entries without CSCA: presence on the list alone makes the DSC
	// trusted, as the DSC lists of the EU gateway do. Its flags, key usage and subject
	// are then the list's responsibility; key id, kind of key and usage are still
	// checked. Set it only for lists that come authenticated.
	DirectTrust bool
}

// List is an immutable set of trusted keys. The certificates it hands out are shared and
// must not be changed. A nil List trusts nobody.
type List struct {
	entries []Entry
	byKID   map[string][]Entry
	cards   []string               // thumbprints of the keys of SMART Health Cards
	byCard  map[string][]cardEntry // keys of SMART Health Cards, by the issuer's address
	anchors []*x509.Certificate
}

// NewList builds a list of the entries that pass every check and says why others are
// refused. A caller that must not lose a key treats any refusal as a failure.
func NewList(entries []Entry, options Options) (*List, []Refusal) {
	l := &List{byKID: make(map[string][]Entry, len(entries))}
	var refusals []Refusal
	seen := make(map[string]bool, len(entries))
	for i, candidate := range entries {
		entry, refusal := checkEntry(candidate, options.DirectTrust)
		if refusal == nil && seen[string(entry.DSC.Raw)] {
			refusal = refuse("duplicate", "the certificate is listed twice")
		}
		if refusal != nil {
			refusal.Index = i
			refusals = append(refusals, *refusal)
			continue
		}
		seen[string(entry.DSC.Raw)] = true
		l.entries = append(l.entries, entry)
	}
	refusals = append(refusals, l.setAnchors(options.Anchors)...)
	l.sort()
	return l, refusals
}

func (l *List) setAnchors(extra []*x509.Certificate) []Refusal {
	known := map[string]bool{}
	add := func(csca *x509.Certificate) {
		if !known[string(csca.Raw)] {
			known[string(csca.Raw)] = true
			l.anchors = append(l.anchors, csca)
		}
	}
	for _, entry := range l.entries {
		if entry.CSCA != nil {
			add(entry.CSCA)
		}
	}
	var refusals []Refusal
	for i, csca := range extra {
		if refusal := checkAnchor(csca); refusal != nil {
			refusal.Index, refusal.Anchor = i, true
			refusals = append(refusals, *refusal)
			continue
		}
		add(csca)
	}
	return refusals
}

// sort brings everything into the order of the published forms.
func (l *List) sort() {
	slices.SortFunc(l.entries, func(a, b Entry) int { return compareCertificates(a.DSC, b.DSC) })
	slices.SortFunc(l.anchors, compareCertificates)
	for _, entry := range l.entries {
		l.index(entry)
	}
}

// cardEntry is a key of SMART Health Cards and its thumbprint.
type cardEntry struct {
	Entry
	thumbprint string
}

// index lets an entry be found by its key id, and the key of a SMART Health Card by the
// address of its issuer too.
func (l *List) index(entry Entry) {
	l.byKID[string(entry.KID)] = append(l.byKID[string(entry.KID)], entry)
	if !entry.Allows(UsageSHC) {
		return
	}
	key, err := newJWK(entry)
	if err != nil { // cannot be: what is listed is a point of its curve
		return
	}
	l.cards = append(l.cards, key.thumbprint())
	if l.byCard == nil {
		l.byCard = map[string][]cardEntry{}
	}
	for _, uri := range entry.DSC.URIs {
		l.byCard[uri.String()] = append(l.byCard[uri.String()], cardEntry{entry, key.thumbprint()})
	}
}

// LookupCard gives the entries for SMART Health Cards whose certificate names the issuer's
// address and whose key has the thumbprint (RFC 7638). named says that certificates name the
// address, be it with other keys: the list then knows the keys of this issuer, all of them.
func (l *List) LookupCard(issuer, thumbprint string) (found []Entry, named bool) {
	if l == nil {
		return nil, false
	}
	keys := l.byCard[issuer]
	for _, key := range keys {
		if key.thumbprint == thumbprint {
			found = append(found, key.Entry)
		}
	}
	return found, len(keys) > 0
}

func compareCertificates(a, b *x509.Certificate) int {
	return cmp.Or(bytes.Compare(KID(a), KID(b)), bytes.Compare(a.Raw, b.Raw))
}

// Lookup gives every entry with the key id. Key ids may collide: try them all.
func (l *List) Lookup(kid []byte) []Entry {
	if l == nil {
		return nil
	}
	return slices.Clone(l.byKID[string(kid)])
}

// Entries gives all entries, sorted by key id.
func (l *List) Entries() []Entry {
	if l == nil {
		return nil
	}
	return slices.Clone(l.entries)
}

// Anchors gives all CSCAs, sorted by key id.
func (l *List) Anchors() []*x509.Certificate {
	if l == nil {
		return nil
	}
	return slices.Clone(l.anchors)
}

// unexpired gives the list without what has ended by then.
func (l *List) unexpired(now time.Time) *List {
	out := &List{byKID: map[string][]Entry{}}
	for _, entry := range l.Entries() {
		if !entry.expiredAt(now) {
			out.entries = append(out.entries, entry)
			out.index(entry)
		}
	}
	for _, csca := range l.Anchors() {
		if now.Before(csca.NotAfter.Add(time.Second)) {
			out.anchors = append(out.anchors, csca)
		}
	}
	return out
}

// firstEnd is when the first certificate of the list ends; zero for an empty list.
func (l *List) firstEnd() time.Time {
	var first time.Time
	earlier := func(end time.Time) {
		if first.IsZero() || end.Before(first) {
			first = end
		}
	}
	for _, entry := range l.Entries() {
		earlier(entry.end())
	}
	for _, csca := range l.Anchors() {
		earlier(csca.NotAfter.Add(time.Second))
	}
	return first
}
