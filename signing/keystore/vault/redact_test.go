package vault

import (
	"bytes"
	"encoding/json"
	"fmt"
	"log/slog"
	"strings"
	"testing"
)

func TestSecretIsRedacted(t *testing.T) {
	t.Parallel()
	const text = "hvs.SECRET"
	s := newSecret(text)
	for _, v := range []any{s, &s, grant{token: s}, &grant{token: s}, []secret{s}, authenticator{unwrapped: s}.unwrapped} {
		for _, verb := range []string{"%v", "%+v", "%#v", "%s", "%q", "%x", "%d"} {
			got := fmt.Sprintf(verb, v)
			if strings.Contains(got, text) || strings.Contains(got, fmt.Sprintf("%x", text)) {
				t.Errorf("%s of %T: %s", verb, v, got)
			}
		}
		var log bytes.Buffer
		slog.New(slog.NewJSONHandler(&log, nil)).Info("x", slog.Any("v", v))
		slog.New(slog.NewTextHandler(&log, nil)).Info("x", slog.Any("v", v))
		raw, err := json.Marshal(v)
		if err != nil || strings.Contains(string(raw)+log.String(), text) {
			t.Errorf("%T: %s %s", v, raw, log.String())
		}
	}
	if fmt.Sprint(s) != redacted || s.reveal() != text || (secret{}).reveal() != "" {
		t.Error("not redacted, or lost")
	}
}
