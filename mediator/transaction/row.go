package transaction

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strconv"
	"time"

	"github.com/google/uuid"

	"github.com/trustedparty/ddcc-gateway/internal/platform/docstore"
	"github.com/trustedparty/ddcc-gateway/internal/platform/orchestration"
)

// The collections of the store.
const (
	records = "transactions"
	calls   = "calls"
	bodies  = "bodies"
	replays = "replays"
)

// inlineCalls bounds the calls that stand in the record's own document, in bytes: those of a
// large batch would make a page of records long.
const inlineCalls = 8 << 10

// The certificates whose keys one document carries (docstore.MaxKeys): the first document of
// a record has other keys as well.
const (
	firstKeys = 48
	moreKeys  = 60
)

// head is how a record is stored. Its calls follow behind a line feed, so that a page of
// records is read without them, or stand in a document of their own.
type head struct {
	Started      time.Time `json:"t"`
	TookUS       int64     `json:"us"`
	Client       string    `json:"c,omitempty"`
	Unknown      string    `json:"u,omitempty"`
	Peer         string    `json:"p,omitempty"`
	Via          string    `json:"v"`
	OpenHIM      string    `json:"oh,omitempty"`
	Correlation  string    `json:"x,omitempty"`
	Method       string    `json:"m,omitempty"`
	Route        string    `json:"r"`
	Status       int       `json:"s,omitempty"`
	Outcome      string    `json:"o"`
	Gone         bool      `json:"g,omitempty"`
	Certificates []string  `json:"ids,omitempty"`
	Omitted      int       `json:"idsx,omitempty"`
	Replayed     bool      `json:"re,omitempty"`
	Failed       int       `json:"f,omitempty"`
	Request      part      `json:"q"`
	Response     part      `json:"a"`
	LegsOmitted  int       `json:"lx,omitempty"`
	LegsApart    bool      `json:"la,omitempty"`
}

type part struct {
	Size   int64  `json:"n"`
	Digest string `json:"d,omitempty"`
	Kept   string `json:"k,omitempty"`
}

// encode gives the body of a record's document and, where they stand apart, the calls.
func encode(t Transaction) (body, apart []byte, err error) {
	var legs []byte
	if len(t.Legs) > 0 {
		if legs, err = json.Marshal(t.Legs); err != nil {
			return nil, nil, err
		}
	}
	h := head{
		t.Started, t.Took.Microseconds(), t.Client, t.Unknown, t.Peer, t.Via, t.OpenHIM, t.Correlation, t.Method, t.Route,
		t.Status, t.Outcome, t.Gone, t.Certificates, t.Omitted, t.Replayed, t.Failed, part(t.Request), part(t.Response), t.LegsOmitted,
		len(legs) > inlineCalls,
	}
	raw, err := json.Marshal(h)
	switch {
	case err != nil || legs == nil:
		return raw, nil, err
	case h.LegsApart:
		return raw, legs, nil
	}
	return slices.Concat(raw, []byte{'\n'}, legs), nil, nil
}

var errRow = errors.New("transaction: a stored record is damaged")

// decode reads a record without its calls. It gives them as they are stored, or says that
// they stand apart.
func decode(id uuid.UUID, raw []byte) (t Transaction, legs []byte, apart bool, err error) {
	first, rest, _ := bytes.Cut(raw, []byte{'\n'})
	var h head
	if err := json.Unmarshal(first, &h); err != nil {
		return Transaction{}, nil, false, errRow
	}
	return Transaction{
		ID: id.String(), Started: h.Started, Took: time.Duration(h.TookUS) * time.Microsecond,
		Client: h.Client, Unknown: h.Unknown, Peer: h.Peer, Via: h.Via, OpenHIM: h.OpenHIM, Correlation: h.Correlation, Method: h.Method, Route: h.Route,
		Status: h.Status, Outcome: h.Outcome, Gone: h.Gone, Certificates: h.Certificates, Omitted: h.Omitted, Replayed: h.Replayed, Failed: h.Failed,
		Request: Body(h.Request), Response: Body(h.Response), LegsOmitted: h.LegsOmitted,
	}, rest, h.LegsApart, nil
}

func decodeLegs(raw []byte) ([]orchestration.Leg, error) {
	if len(raw) == 0 {
		return nil, nil
	}
	var legs []orchestration.Leg
	if err := json.Unmarshal(raw, &legs); err != nil {
		return nil, errRow
	}
	return legs, nil
}

// The index keys. Every record has that of all.
const allKey = "all"

func clientKey(id string) string      { return "client:" + id }
func routeKey(route string) string    { return "route:" + route }
func outcomeKey(word string) string   { return "outcome:" + word }
func classKey(class int) string       { return "status:" + strconv.Itoa(class) }
func certificateKey(id string) string { return "certificate:" + id }
func openHIMKey(id string) string     { return "openhim:" + id }
func correlationKey(id string) string { return "correlation:" + id }

// keys are those of the first document. What nearly every record has (done, 2xx) has no key
// of its own: a key costs a write, and finding such records needs none.
func keys(t Transaction) []string {
	out := []string{allKey, routeKey(t.Route)}
	if t.Client != "" {
		out = append(out, clientKey(t.Client))
	}
	if t.Outcome != OutcomeDone {
		out = append(out, outcomeKey(t.Outcome))
	}
	if class := t.Status / 100; class >= 4 {
		out = append(out, classKey(class))
	}
	if t.OpenHIM != "" {
		out = append(out, openHIMKey(t.OpenHIM))
	}
	if t.Correlation != "" {
		out = append(out, correlationKey(t.Correlation))
	}
	return out
}

// writes gives a record as it is stored: its document, calls that stand apart, and documents
// that only carry keys where there are more certificates than one has room for.
func writes(id uuid.UUID, t Transaction, expires time.Time) ([]write, error) {
	body, apart, err := encode(t)
	if err != nil {
		return nil, err
	}
	at := place(id)
	certificates := slices.Compact(slices.Sorted(slices.Values(t.Certificates)))
	n := min(firstKeys, len(certificates))
	out := make([]write, 1, 4)
	out[0] = write{records, docstore.Document{ID: at, Index: withCertificates(keys(t), certificates[:n]), Expires: expires, Body: body}}
	if apart != nil {
		out = append(out, write{calls, docstore.Document{ID: at, Expires: expires, Body: apart}})
	}
	for i, chunk := range slices.Collect(slices.Chunk(certificates[n:], moreKeys)) {
		further := docstore.Document{ID: fmt.Sprintf("%s%s%d", at, more, i+1), Index: withCertificates(nil, chunk), Expires: expires}
		out = append(out, write{records, further})
	}
	return out, nil
}

func withCertificates(index, ids []string) []string {
	for _, id := range ids {
		index = append(index, certificateKey(id))
	}
	return index
}
