package mllp

import (
	"bufio"
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"io"
	"log/slog"
	"net"
	"os"
	"time"

	"github.com/trustedparty/ddcc-gateway/internal/platform/task"
	"github.com/trustedparty/ddcc-gateway/internal/platform/tlsconf"
	"github.com/trustedparty/ddcc-gateway/mediator"
	"github.com/trustedparty/ddcc-gateway/mediator/hl7"
)

// connection is one client.
type connection struct {
	*Server

	raw  net.Conn
	tls  *tls.Conn
	cert *x509.Certificate
	by   mediator.IssuerPolicy
}

// handshake finds out who the client is.
func (c *connection) handshake(ctx context.Context) bool {
	ctx, cancel := context.WithTimeout(ctx, c.HandshakeTimeout)
	defer cancel()
	if err := c.tls.HandshakeContext(ctx); err != nil {
		if refusal, refused := tlsconf.RefusalOf(c.tls, c.Clock()); refused {
			c.Log.Warn("MLLP client refused", slog.String("reason", string(refusal.Reason)), slog.String("name", refusal.Name),
				slog.String("fingerprint", refusal.Fingerprint), slog.String("remote", refusal.Remote))
		}
		return false
	}
	cert, ok := tlsconf.VerifiedPeer(c.tls.ConnectionState())
	if !ok {
		return false
	}
	by, err := c.Issuers.Authenticate(tlsconf.PeerName(cert))
	c.cert, c.by = cert, by
	return err == nil
}

// run answers messages until the client goes, breaks a rule or the server ends.
func (c *connection) run(ctx context.Context) {
	r := &reader{from: bufio.NewReader(c.tls), limit: c.MaxMessage, begun: func() { c.await(c.FrameTimeout) }}
	for c.await(c.IdleTimeout) {
		message, err := r.next()
		if err != nil && !errors.Is(err, errTooLong) {
			c.ended(err)
			return
		}
		if c.Clock().After(c.cert.NotAfter) { // a connection may outlive it
			c.closing("the client's certificate has expired")
			return
		}
		if !c.answer(ctx, message) {
			return
		}
		if err != nil { // its end was not read, so no frame can follow
			c.closing("message too long")
			return
		}
	}
}

// await sets how long the peer has. It is false when the server ends; an interruption that
// comes later ends the reading.
func (c *connection) await(d time.Duration) bool {
	_ = c.raw.SetReadDeadline(time.Now().Add(d))
	if c.ending() {
		c.interrupt()
		return false
	}
	return true
}

// interrupt ends reading, not processing or writing.
func (c *connection) interrupt() { _ = c.raw.SetReadDeadline(time.Unix(1, 0)) }

// answer processes a message and writes what is to be said about it.
func (c *connection) answer(ctx context.Context, message []byte) bool {
	if c.Begin != nil {
		ctx = c.Begin(ctx)
	}
	e := Exchange{Issuer: c.by.ID, Certificate: tlsconf.PeerName(c.cert), Started: c.Clock(), Request: len(message)}
	err := task.Protect(ctx, func(ctx context.Context) error {
		e.Answer = c.Handler.Process(ctx, c.by, message)
		return nil
	})
	e.Took, e.Response = c.Clock().Sub(e.Started), len(e.Answer.Acknowledgement)
	if c.Observe != nil {
		c.Observe(ctx, e)
	}
	if err != nil {
		// Unanswered, so that the sender repeats it.
		c.Log.ErrorContext(ctx, "MLLP message failed", slog.String("issuer", c.by.ID), slog.Any("error", err), stack(err))
		return false
	}
	c.log(ctx, e.Answer)
	if len(e.Answer.Acknowledgement) == 0 {
		return true
	}
	_ = c.raw.SetWriteDeadline(time.Now().Add(c.WriteTimeout))
	_, err = c.tls.Write(frame(e.Answer.Acknowledgement))
	return err == nil
}

func stack(err error) slog.Attr {
	var p *task.PanicError
	if errors.As(err, &p) {
		return slog.String("stack", string(p.Stack))
	}
	return slog.Attr{}
}

// log names what failed for reasons of our own; messages are counted, not logged.
func (c *connection) log(ctx context.Context, a hl7.Answer) {
	if a.Cause != nil && a.Temporary {
		c.Log.WarnContext(ctx, "HL7 v2 message to be repeated", slog.String("issuer", c.by.ID), slog.String("event", a.Event), slog.Any("error", a.Cause))
	}
}

// ended says why a connection ended, unless its client or the server simply closed it.
func (c *connection) ended(err error) {
	switch {
	case errors.Is(err, io.EOF) || c.ending():
	case errors.Is(err, errFraming):
		c.closing("not MLLP")
	case errors.Is(err, os.ErrDeadlineExceeded):
		c.closing("too slow, or idle")
	default:
		c.closing("connection lost inside a message")
	}
}

func (c *connection) closing(reason string) {
	c.Log.Info("MLLP connection closed", slog.String("issuer", c.by.ID), slog.String("reason", reason))
}
