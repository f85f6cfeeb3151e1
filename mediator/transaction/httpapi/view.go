package httpapi

import (
	"time"

	"github.com/trustedparty/ddcc-gateway/internal/platform/orchestration"
	"github.com/trustedparty/ddcc-gateway/mediator/transaction"
)

// pageView is the answer of a search.
type pageView struct {
	Transactions []summaryView `json:"transactions"`
	Next         string        `json:"next,omitzero"`
}

// summaryView is a transaction without its calls.
type summaryView struct {
	ID           string    `json:"id"`
	Started      time.Time `json:"started"`
	DurationUS   int64     `json:"durationMicros"`
	Client       string    `json:"client,omitzero"`
	Unknown      string    `json:"clientUnknown,omitzero"`
	Peer         string    `json:"peer,omitzero"`
	Via          string    `json:"via"`
	OpenHIM      string    `json:"openhimTransaction,omitzero"`
	Correlation  string    `json:"correlation,omitzero"`
	Method       string    `json:"method,omitzero"`
	Route        string    `json:"route"`
	Status       int       `json:"status,omitzero"`
	Outcome      string    `json:"outcome"`
	Gone         bool      `json:"clientGone,omitzero"`
	Certificates []string  `json:"certificates,omitzero"`
	Omitted      int       `json:"certificatesOmitted,omitzero"`
	Replayed     bool      `json:"replayed"`
	Failed       int       `json:"failedEntries,omitzero"`
	Request      bodyView  `json:"request"`
	Response     bodyView  `json:"response"`
}

type bodyView struct {
	Size   int64  `json:"size"`
	Digest string `json:"digest,omitzero"`
	Kept   string `json:"kept,omitzero"`
}

// wholeView is a transaction with its calls, by peer.
type wholeView struct {
	summaryView

	Parent      string      `json:"parent,omitzero"`
	Peers       []groupView `json:"calls"`
	LegsOmitted int         `json:"legsOmitted,omitzero"`
}

// groupView is a peer with the calls of it: the children of the transaction and theirs.
type groupView struct {
	Peer       string    `json:"peer"`
	Host       string    `json:"host"`
	Started    time.Time `json:"started"`
	DurationUS int64     `json:"durationMicros"` // from the first call's begin to the last one's end
	Failed     int       `json:"failed"`
	Legs       []legView `json:"legs"`
}

type legView struct {
	N          int       `json:"n"`
	Name       string    `json:"name"`
	Method     string    `json:"method"`
	Path       string    `json:"path"`
	Started    time.Time `json:"started"`
	DurationUS int64     `json:"durationMicros"`
	Status     int       `json:"status,omitzero"`
	Failure    string    `json:"failure,omitzero"`
	Request    bodyView  `json:"request"`
	Response   bodyView  `json:"response"`
}

type statisticsView struct {
	From     time.Time   `json:"from"`
	Until    time.Time   `json:"until"`
	Counted  int         `json:"counted"`
	Complete bool        `json:"complete"`
	Groups   []countView `json:"groups"`
}

type countView struct {
	Route   string `json:"route"`
	Outcome string `json:"outcome"`
	Count   int    `json:"count"`
	P50     int64  `json:"p50Micros"`
	P95     int64  `json:"p95Micros"`
	P99     int64  `json:"p99Micros"`
	Max     int64  `json:"maxMicros"`
}

type replayedView struct {
	At    time.Time `json:"replayedAt"`
	Again bool      `json:"repeated"` // it had been done before, nothing was done now
}

func pageOf(p transaction.Page) pageView {
	out := pageView{Transactions: []summaryView{}, Next: p.Next}
	for _, t := range p.Transactions {
		out.Transactions = append(out.Transactions, summaryOf(t))
	}
	return out
}

func summaryOf(t transaction.Transaction) summaryView {
	return summaryView{
		ID: t.ID, Started: t.Started, DurationUS: t.Took.Microseconds(), Client: t.Client, Unknown: t.Unknown, Peer: t.Peer,
		Via: t.Via, OpenHIM: t.OpenHIM, Correlation: t.Correlation, Method: t.Method, Route: t.Route, Status: t.Status,
		Outcome: t.Outcome, Gone: t.Gone, Certificates: t.Certificates, Omitted: t.Omitted, Replayed: t.Replayed, Failed: t.Failed,
		Request: bodyView(t.Request), Response: bodyView(t.Response),
	}
}

func wholeOf(f transaction.Found) wholeView {
	return wholeView{summaryView: summaryOf(f.Transaction), Parent: f.Parent, Peers: groups(f.Legs), LegsOmitted: f.LegsOmitted}
}

// groups puts the calls under their peers, in the order of the first call of each.
func groups(legs []orchestration.Leg) []groupView {
	out, places := []groupView{}, map[[2]string]int{}
	for i, l := range legs {
		key := [2]string{l.Group, l.Host}
		at, ok := places[key]
		if !ok {
			at = len(out)
			places[key] = at
			out = append(out, groupView{Peer: l.Group, Host: l.Host, Started: l.Started})
		}
		g := &out[at]
		g.DurationUS = max(g.DurationUS, l.Started.Add(l.Took).Sub(g.Started).Microseconds())
		if transaction.Failed(l) {
			g.Failed++
		}
		g.Legs = append(g.Legs, legOf(i+1, l))
	}
	return out
}

func legOf(n int, l orchestration.Leg) legView {
	return legView{
		N: n, Name: l.Name, Method: l.Method, Path: l.Path, Started: l.Started, DurationUS: l.Took.Microseconds(),
		Status: l.Status, Failure: l.Failure,
		Request:  bodyView{Size: l.Request.Size, Digest: l.Request.Digest},
		Response: bodyView{Size: l.Response.Size, Digest: l.Response.Digest},
	}
}

func statisticsOf(s transaction.Statistics) statisticsView {
	out := statisticsView{From: s.From.UTC(), Until: s.Until.UTC(), Counted: s.Counted, Complete: s.Complete, Groups: []countView{}}
	for _, g := range s.Groups {
		out.Groups = append(out.Groups, countView{
			Route: g.Route, Outcome: g.Outcome, Count: g.Count,
			P50: g.P50.Microseconds(), P95: g.P95.Microseconds(), P99: g.P99.Microseconds(), Max: g.Max.Microseconds(),
		})
	}
	return out
}

func replayedOf(r transaction.Replayed) replayedView {
	return replayedView{At: r.At.UTC(), Again: r.Again}
}
