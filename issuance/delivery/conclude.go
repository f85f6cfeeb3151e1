package delivery

import (
	"context"
	"log/slog"
	"time"

	"github.com/trustedparty/ddcc-gateway/internal/platform/fault"
	"github.com/trustedparty/ddcc-gateway/internal/platform/faultpoint"
	"github.com/trustedparty/ddcc-gateway/issuance"
)

// conclude draws the consequences of an attempt.
func (w *Worker) conclude(ctx context.Context, d issuance.Delivery, began time.Time, err error) (next bool, ownErr error) {
	v := judge(err)
	a := Attempt{CertificateID: d.ID, Issuer: d.Issuer, Kind: d.Kind, Target: d.To, Began: began, Took: w.o.Clock().Sub(began), Outcome: string(v)}
	if err != nil {
		a.Code = fault.From(err).Code
	}
	if v == overtaken {
		a.Code = ""
	}
	w.count(a)
	w.o.Observe(ctx, a)
	switch v {
	case delivered:
		w.works(ctx, d)
		ownErr = w.o.Queue.Done(ctx, d)
		faultpoint.Here("gateway-after-delivered")
		return ownErr == nil, ownErr
	case refused:
		w.works(ctx, d)
		return w.refuse(ctx, d, a.Code, err)
	case away:
		w.pause(ctx, d, began, err)
	case strange:
		w.odd(ctx, d, began, err)
	case overtaken:
		w.o.Bell.Due(d.FolderID) // what took its place may be due
	case hindered:
		return false, err
	}
	return false, nil
}

// works notes that a server does what it is asked to.
func (w *Worker) works(ctx context.Context, d issuance.Delivery) {
	w.mu.Lock()
	delete(w.rows, d.ID)
	w.mu.Unlock()
	if w.paceOf(d.To).good() {
		w.o.Log.InfoContext(ctx, "the FHIR server is back", slog.String("server", d.To))
	}
}

// refuse puts a delivery aside that no repetition mends.
func (w *Worker) refuse(ctx context.Context, d issuance.Delivery, code string, cause error) (next bool, err error) {
	changed, err := w.o.Queue.Fail(ctx, d, code)
	if err != nil {
		return false, err
	}
	if changed {
		w.o.Log.ErrorContext(ctx, "a certificate cannot be delivered; it waits for an operator", slog.String("certificate", d.ID),
			slog.String("kind", string(d.Kind)), slog.String("server", d.To), slog.String("code", code), slog.Any("error", cause))
	}
	return true, nil
}

// pause leaves a server alone that is away.
func (w *Worker) pause(ctx context.Context, d issuance.Delivery, began time.Time, cause error) {
	w.paused(ctx, d, w.paceOf(d.To).bad(began, w.o.Clock(), fault.From(cause).RetryAfter), cause)
}

// odd leaves a delivery alone that failed, and its server where that fails for all.
func (w *Worker) odd(ctx context.Context, d issuance.Delivery, began time.Time, cause error) {
	now := w.o.Clock()
	w.mu.Lock()
	failed := w.rows[d.ID]
	failed.failures++
	// Longer than the server itself is left alone for the same number of failures: after a
	// pause another delivery has the first try.
	pause := 2 * w.pacing.after(failed.failures)
	failed.until = now.Add(pause)
	w.rows[d.ID] = failed
	w.mu.Unlock()
	if failed.failures == 1 {
		w.o.Log.WarnContext(ctx, "a delivery failed and is tried again", slog.String("certificate", d.ID), slog.String("server", d.To), slog.Any("error", cause))
	}
	w.later(d.FolderID, pause)
	w.paused(ctx, d, w.paceOf(d.To).strange(began, now), cause)
}

// paused sees to it that the server is tried after its pause; 0: it has none, or one already.
func (w *Worker) paused(ctx context.Context, d issuance.Delivery, pause time.Duration, cause error) {
	if pause == 0 {
		return
	}
	time.AfterFunc(pause, func() { poke(w.kick) })
	w.o.Log.WarnContext(ctx, "the FHIR server takes no certificates; they wait", slog.String("server", d.To),
		slog.Duration("pause", pause), slog.Any("error", cause))
}
