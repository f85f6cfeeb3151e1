package ceremony

import (
	"encoding/json"
	"errors"
	"os"
	"time"
)

// line is one event of a transcript. It holds names, digests and times, no secrets.
type line struct {
	Time        time.Time `json:"time"`
	Event       string    `json:"event"` // begin, key-made, request-signed, certified, crl-signed, output, failed, end
	Ceremony    string    `json:"ceremony,omitempty"`
	Kind        Kind      `json:"kind,omitempty"`
	File        string    `json:"file,omitempty"`
	SHA256      string    `json:"sha256,omitempty"` // of the file, the DER of the certificate or list, or of the public key (key-made)
	For         string    `json:"for,omitempty"`    // usage, or csca
	Key         string    `json:"key,omitempty"`    // label:version
	Serial      string    `json:"serial,omitempty"`
	Fingerprint string    `json:"fingerprint,omitempty"` // SHA-256 of the issuer's certificate
	Ignored     []string  `json:"ignored,omitempty"`
	Failure     string    `json:"failure,omitempty"`
}

// transcript is the record of a ceremony for the archive: one JSON object a line, each on
// disk before the next step begins. One without its end is of a ceremony that stopped.
type transcript struct {
	out *os.File
	now func() time.Time
}

// openTranscript begins a transcript. Its name is taken from then on, so that of two runs
// of one ceremony only one goes on.
func openTranscript(f folder, name string, now func() time.Time) (*transcript, error) {
	out, err := os.OpenFile(f.path(name), os.O_WRONLY|os.O_CREATE|os.O_EXCL|os.O_APPEND, 0o600)
	if errors.Is(err, os.ErrExist) {
		return nil, taken(f.path(name))
	}
	if err != nil {
		return nil, err
	}
	return &transcript{out, now}, f.sync()
}

func (t *transcript) note(l line) error {
	l.Time = t.now().UTC()
	raw, err := json.Marshal(l)
	if err != nil {
		return err
	}
	if _, err := t.out.Write(append(raw, '\n')); err != nil {
		return err
	}
	return t.out.Sync()
}

func (t *transcript) close() error { return t.out.Close() }
