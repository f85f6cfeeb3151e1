package telemetry

import (
	"context"
	"fmt"
	"io"
	"log/slog"
)

// The log formats.
const (
	FormatJSON = "json"
	FormatText = "text"
)

// NewLogger writes to w from level ("debug", "info", "warn", "error") on, as FormatJSON
// or FormatText, with times in UTC and the attributes of the context of each call. An
// unknown level or format is an error.
func NewLogger(w io.Writer, level, format string) (*slog.Logger, error) {
	var l slog.Level
	if err := l.UnmarshalText([]byte(level)); err != nil {
		return nil, fmt.Errorf("unknown log level; use debug, info, warn or error")
	}
	opts := &slog.HandlerOptions{Level: l, ReplaceAttr: utc}
	switch format {
	case FormatJSON:
		return slog.New(contextHandler{slog.NewJSONHandler(w, opts)}), nil
	case FormatText:
		return slog.New(contextHandler{slog.NewTextHandler(w, opts)}), nil
	}
	return nil, fmt.Errorf("unknown log format; use %s or %s", FormatJSON, FormatText)
}

func utc(groups []string, a slog.Attr) slog.Attr {
	if len(groups) == 0 && a.Key == slog.TimeKey {
		return slog.Time(slog.TimeKey, a.Value.Time().UTC())
	}
	return a
}

// contextHandler adds what the context knows about the request.
type contextHandler struct{ slog.Handler }

// Handle implements slog.Handler.
func (h contextHandler) Handle(ctx context.Context, r slog.Record) error {
	if id := CorrelationID(ctx); id != "" {
		r.AddAttrs(slog.String("correlation_id", id))
	}
	if name := PrincipalName(ctx); name != "" {
		r.AddAttrs(slog.String("principal", name))
	}
	return h.Handler.Handle(ctx, r)
}

// WithAttrs implements slog.Handler.
func (h contextHandler) WithAttrs(attrs []slog.Attr) slog.Handler {
	return contextHandler{h.Handler.WithAttrs(attrs)}
}

// WithGroup implements slog.Handler.
func (h contextHandler) WithGroup(name string) slog.Handler {
	return contextHandler{h.Handler.WithGroup(name)}
}
