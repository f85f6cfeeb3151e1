package issuance

import (
	"bytes"
	"context"
	"encoding/hex"
	"encoding/json"
	"errors"
	"slices"
	"strings"
	"time"

	"golang.org/x/text/cases"
	"golang.org/x/text/unicode/norm"

	"github.com/trustedparty/ddcc-gateway/fhir"
	"github.com/trustedparty/ddcc-gateway/internal/platform/docstore"
	"github.com/trustedparty/ddcc-gateway/internal/platform/fault"
	"github.com/trustedparty/ddcc-gateway/internal/platform/seal"
	"github.com/trustedparty/ddcc-gateway/internal/platform/uuid8"
)

// State of a record. intent and cancelling are open: the reconciler ends them.
type State string

// The states.
const (
	StateIntent     State = "intent"
	StateIssued     State = "issued"
	StateCancelling State = "cancelling"
	StateCancelled  State = "cancelled"
	StateRevoked    State = "revoked" // it was issued, and must not be relied on any more
)

// Collections of the registry.
const (
	records = "certificates"
	folders = "folders"
)

// Index keys of records with work left for the reconciler.
const (
	openIndex       = "open"       // without an end
	unsettledIndex  = "unsettled"  // revoked, content not gone yet
	successionIndex = "succession" // issued in the place of another that is not revoked yet
)

// revokedIndex lists what was revoked, for whoever publishes it.
const revokedIndex = "revoked"

// eventKey makes sure that an event that a system names has one standing certificate.
const eventKey = "event:"

// supersedesKey makes sure that one certificate takes the place of another once.
const supersedesKey = "supersedes:"

// record is one row of the registry. Digests are keyed.
type record struct {
	ID             string    `json:"id"`
	State          State     `json:"state"`
	Issuer         string    `json:"issuer"`
	Profile        string    `json:"profile"`
	ContentDigest  string    `json:"contentDigest"`
	FolderID       string    `json:"folderId"`
	BirthDigest    string    `json:"birthDigest,omitempty"` // of the holder's birth date, under the record's id
	CreatedAt      time.Time `json:"createdAt"`
	UpdatedAt      time.Time `json:"updatedAt"`
	ReferenceID    string    `json:"referenceId,omitempty"`
	KID            []byte    `json:"kid,omitempty"`
	DocumentDigest string    `json:"documentDigest,omitempty"`
	IssuedAt       time.Time `json:"issuedAt,omitzero"`
	ExpiresAt      time.Time `json:"expiresAt,omitzero"`
	Signed         bool      `json:"signed,omitempty"` // cancelled after something had been signed
	Reason         string    `json:"reason,omitempty"` // of a cancellation or revocation

	Formats    []Format    `json:"formats,omitempty"`    // asked for beside WHO's own
	Beside     []reference `json:"beside,omitempty"`     // what was issued of them
	Identities []identity  `json:"identities,omitempty"` // what revokes its certificates, digests alone

	Supersedes   string     `json:"supersedes,omitempty"`   // the record this one takes the place of
	SupersededBy string     `json:"supersededBy,omitempty"` // the record that took the place of this one
	RevokedAt    *time.Time `json:"revokedAt,omitempty"`
	RevokedBy    string     `json:"revokedBy,omitempty"`  // id of the issuer who revoked it
	Unsettled    bool       `json:"unsettled,omitempty"`  // it is revoked, and its content is not gone yet
	Succession   bool       `json:"succession,omitempty"` // what it supersedes is not revoked yet

	Outbox *outbox `json:"outbox,omitempty"` // what a FHIR server is to be told of it; nil: nothing

	requestKey string
	event      string // unique key; empty where the request named no event
	version    int64
}

// reference ties a format to its QR DocumentReference.
type reference struct {
	Format      Format `json:"format"`
	ReferenceID string `json:"referenceId"`
	KID         []byte `json:"kid"`
}

// folder binds a HCID to a person.
type folder struct {
	ID        string    `json:"id"`
	PatientID string    `json:"patientId"`
	Person    string    `json:"person"` // keyed digest of name and birth date
	CreatedAt time.Time `json:"createdAt"`
}

// registry maps records and folders to documents of the store.
type registry struct {
	store     docstore.Store
	digestKey []byte
}

func (r registry) digest(parts ...string) string {
	return hex.EncodeToString(seal.Pseudonym(r.digestKey, parts...))
}

// requestKey identifies a request: by the issuer's Idempotency-Key, else by its content.
func (r registry) requestKey(in Request, content string) string {
	if in.IdempotencyKey != "" {
		return "request:" + r.digest("key", in.Issuer.ID, in.IdempotencyKey)
	}
	return "request:" + r.digest("content", in.Issuer.ID, content)
}

// event is the unique key of an event that an issuer's system names, empty for none.
func (r registry) event(in Request) string {
	if in.Event == "" {
		return ""
	}
	return eventKey + r.digest("event", in.Issuer.ID, in.Event)
}

// birth digests a birth date under the id of a certificate, so that equal dates of two
// certificates are not seen to be equal.
func (r registry) birth(id, birthDate string) string { return r.digest("birth", id, birthDate) }

// person identifies the holder by name and birth date. Case, spacing and Unicode form do
// not make another person.
func (r registry) person(core fhir.CoreDataSet) string {
	name := cases.Fold().String(norm.NFKC.String(core.Name))
	return r.digest("person", strings.Join(strings.Fields(name), " "), core.BirthDate)
}

// bind claims the HCID for its person, or finds it claimed. One insert-if-absent decides.
// The ids derive from the HCID's digest, so that a claim has no state of its own to lose.
func (r registry) bind(ctx context.Context, core fhir.CoreDataSet, now time.Time) (folder, error) {
	key := r.digest("hcid", core.Certificate.HCID)
	mine := folder{ID: r.folderID(core.Certificate.HCID), PatientID: r.derivedID("patient", key), Person: r.person(core), CreatedAt: now}
	body, err := json.Marshal(mine)
	if err != nil {
		return folder{}, err
	}
	_, err = r.store.Insert(ctx, folders, docstore.Document{ID: key, Body: body})
	var exists *docstore.ExistsError
	if err == nil {
		return mine, nil
	}
	if !errors.As(err, &exists) {
		return folder{}, errRegistry.Because(err)
	}
	doc, err := r.store.Get(ctx, folders, key)
	if err != nil {
		return folder{}, errRegistry.Because(err)
	}
	var theirs folder
	if err := json.Unmarshal(doc.Body, &theirs); err != nil {
		return folder{}, fault.From(err)
	}
	if theirs.Person != mine.Person {
		return folder{}, errHCID
	}
	return theirs, nil
}

// folderID is the id of a HCID's folder, claimed or not.
func (r registry) folderID(hcid string) string { return r.derivedID("folder", r.digest("hcid", hcid)) }

// derivedID is the id that a keyed digest makes.
func (r registry) derivedID(kind, key string) string {
	return uuid8.From(seal.Pseudonym(r.digestKey, kind, key))
}

// insert records an intent, or gives the record that holds its request key.
func (r registry) insert(ctx context.Context, rec record) (record, bool, error) {
	doc, err := r.store.Insert(ctx, records, rec.document())
	var exists *docstore.ExistsError
	switch {
	case err == nil:
		rec.version = doc.Version
		return rec, true, nil
	case errors.As(err, &exists) && strings.HasPrefix(exists.Key, supersedesKey):
		return record{}, false, errSuperseded
	case errors.As(err, &exists) && strings.HasPrefix(exists.Key, eventKey):
		return record{}, false, errEventChanged
	case errors.As(err, &exists):
		rec, err := r.get(ctx, exists.ID)
		return rec, false, err
	default:
		return record{}, false, errRegistry.Because(err)
	}
}

func (r registry) get(ctx context.Context, id string) (record, error) {
	doc, err := r.store.Get(ctx, records, id)
	return r.parse(doc, err)
}

// byKey finds the record that holds a unique key: of a request, or of an event.
func (r registry) byKey(ctx context.Context, key string) (record, error) {
	doc, err := r.store.GetUnique(ctx, records, key)
	return r.parse(doc, err)
}

// byReference finds the record whose document holds a DocumentReference.
func (r registry) byReference(ctx context.Context, id string) (record, error) {
	doc, err := r.store.GetUnique(ctx, records, "reference:"+id)
	return r.parse(doc, err)
}

// page lists records under an index key in id order. A record that cannot be read is left
// out and reported with the others.
func (r registry) page(ctx context.Context, index, after string, limit int) ([]record, string, error) {
	docs, next, err := r.store.Range(ctx, records, index, after, limit)
	if err != nil {
		return nil, "", errRegistry.Because(err)
	}
	page := make([]record, 0, len(docs))
	var unreadable error
	for _, d := range docs {
		rec, err := r.parse(d, nil)
		if err != nil {
			unreadable = err
			continue
		}
		page = append(page, rec)
	}
	return page, next, unreadable
}

func (r registry) parse(doc docstore.Document, err error) (record, error) {
	if errors.Is(err, docstore.ErrNotFound) {
		return record{}, errNotFound
	}
	if err != nil {
		return record{}, errRegistry.Because(err)
	}
	var rec record
	if err := json.Unmarshal(doc.Body, &rec); err != nil {
		return record{}, fault.From(err)
	}
	rec.version = doc.Version
	for _, key := range doc.Unique {
		if strings.HasPrefix(key, "request:") {
			rec.requestKey = key
		}
		if strings.HasPrefix(key, eventKey) {
			rec.event = key
		}
	}
	return rec, nil
}

// swap writes rec over the version it was read at; docstore.ErrVersion when somebody was
// faster.
func (r registry) swap(ctx context.Context, rec record) (record, error) {
	doc, err := r.store.Update(ctx, records, rec.document())
	var exists *docstore.ExistsError
	switch {
	case errors.Is(err, docstore.ErrVersion):
		return record{}, err
	case errors.As(err, &exists) && strings.HasPrefix(exists.Key, eventKey):
		return record{}, errEventChanged
	case err != nil:
		return record{}, errRegistry.Because(err)
	}
	rec.version = doc.Version
	return rec, nil
}

// amend changes rec as it stands by now: a change that somebody else made meanwhile stays.
// A change that reports false is not written.
func (r registry) amend(ctx context.Context, rec record, change func(*record) bool) error {
	for {
		if !change(&rec) {
			return nil
		}
		_, err := r.swap(ctx, rec)
		if !errors.Is(err, docstore.ErrVersion) {
			return err
		}
		if rec, err = r.get(ctx, rec.ID); err != nil {
			return err
		}
	}
}

// document is the stored form. A cancelled record gives its request key back, so that the
// request can be made again; a revoked one keeps it: the same request again gets no second
// certificate.
func (rec record) document() docstore.Document {
	body, err := json.Marshal(rec)
	if err != nil {
		panic("issuance: a record does not marshal: " + err.Error()) // plain strings and times: impossible
	}
	doc := docstore.Document{ID: rec.ID, Version: rec.version, Body: body}
	if rec.State != StateCancelled {
		doc.Unique = append(doc.Unique, rec.requestKey)
		if rec.Supersedes != "" {
			doc.Unique = append(doc.Unique, supersedesKey+rec.Supersedes)
		}
		if rec.event != "" && rec.State != StateRevoked { // then the event may be certified with other content
			doc.Unique = append(doc.Unique, rec.event)
		}
	}
	switch rec.State {
	case StateIntent, StateCancelling:
		doc.Index = append(doc.Index, openIndex)
	case StateIssued, StateRevoked:
		rec.indexIssued(&doc)
	case StateCancelled:
	}
	return doc
}

// indexIssued lets a certificate be found by its folder, its QR codes and its keys, and the
// reconciler find what is still to be done about it.
func (rec record) indexIssued(doc *docstore.Document) {
	doc.Unique = append(doc.Unique, "reference:"+rec.ReferenceID)
	doc.Index = append(doc.Index, "folder:"+rec.FolderID)
	for _, b := range rec.Beside {
		doc.Unique = append(doc.Unique, "reference:"+b.ReferenceID)
	}
	if rec.State == StateRevoked {
		doc.Index = append(doc.Index, revokedIndex)
	} else { // what is revoked needs no second revocation
		for _, kid := range rec.kids() {
			doc.Index = append(doc.Index, keyIndex(kid))
		}
	}
	if rec.Unsettled {
		doc.Index = append(doc.Index, unsettledIndex)
	}
	if rec.Succession {
		doc.Index = append(doc.Index, successionIndex)
	}
	doc.Index = append(doc.Index, rec.Outbox.index()...)
}

// kids are the keys that signed the record's certificates, each once.
func (rec record) kids() [][]byte {
	kids := [][]byte{rec.KID}
	for _, b := range rec.Beside {
		if !slices.ContainsFunc(kids, func(k []byte) bool { return bytes.Equal(k, b.KID) }) {
			kids = append(kids, b.KID)
		}
	}
	return kids
}

// keyIndex finds the issued certificates that a key signed.
func keyIndex(kid []byte) string { return "kid:" + hex.EncodeToString(kid) }
