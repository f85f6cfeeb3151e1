package main

import (
	"context"
	"crypto/sha256"
	"crypto/tls"
	"crypto/x509"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"net/http"
	"os"
	"path/filepath"
	"strconv"
	"time"

	formats "github.com/trustedparty/ddcc-gateway/formats/revocation"
	"github.com/trustedparty/ddcc-gateway/internal/platform/fault"
	"github.com/trustedparty/ddcc-gateway/trust/revocation"
)

const (
	listsRoute   = "/trust/revocation/"
	manifestName = "manifest.jws"
	partialDir   = ".partial" // lists on their way, each under its digest
	maxManifest  = 4 << 20    // characters
)

var (
	errListChanged  = fault.New(fault.Unavailable, "revocation-changing", "The publication changes faster than it can be copied, or the server does not serve what its manifest names. Try again.")
	errListOld      = fault.New(fault.Conflict, "revocation-sequence", "The server's manifest is older than the one in the folder; somebody may be hiding revocations.")
	errNotPublished = fault.New(fault.Unavailable, "revocation-fetch", "The server does not give the lists.")
)

// mirror keeps a folder like what a gateway publishes. Files take their place when they are
// complete and what the signed manifest names, and the manifest last: who reads the folder in
// between is told that it does not fit together, and never anything wrong.
type mirror struct {
	ctx  context.Context
	base string
	http *http.Client
	dir  string
	keys revocation.Keys
	now  func() time.Time

	files int
	bytes int64
}

// update brings manifest, filters and card revocation lists up to date.
func (m *mirror) update(tries int) (formats.Manifest, error) {
	for {
		manifest, err := m.once()
		if tries--; tries == 0 || !errors.Is(err, errListChanged) {
			return manifest, err
		}
	}
}

func (m *mirror) once() (formats.Manifest, error) {
	jws, _, err := m.get(listsRoute+manifestName, nil)
	if err != nil {
		return formats.Manifest{}, err
	}
	manifest, err := revocation.VerifyManifest(jws, m.keys, m.now())
	if err != nil {
		return manifest, err
	}
	if err := m.notOlder(manifest); err != nil {
		return manifest, err
	}
	var wanted []formats.Artefact
	for _, a := range manifest.Artefacts {
		if a.Kind != formats.KindFilter && a.Kind != formats.KindCRL {
			continue
		}
		if !m.has(a) {
			if err := m.fetch(a); err != nil {
				return manifest, err
			}
			wanted = append(wanted, a)
		}
	}
	for _, a := range wanted {
		if err := m.place(filepath.Join(m.dir, partialDir, a.SHA256), a.Name); err != nil {
			return manifest, err
		}
	}
	if err := m.write(manifestName, jws); err != nil {
		return manifest, err
	}
	return manifest, m.sweep(manifest)
}

// notOlder holds a manifest against the one in the folder, if that is genuine.
func (m *mirror) notOlder(manifest formats.Manifest) error {
	jws, err := os.ReadFile(filepath.Join(m.dir, manifestName))
	if errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	if err != nil {
		return err
	}
	last, err := revocation.VerifyManifest(jws, m.keys, m.now())
	if err == nil && last.Country == manifest.Country && last.Sequence > manifest.Sequence {
		return errListOld
	}
	return nil
}

// has reports whether a list is in its place.
func (m *mirror) has(a formats.Artefact) bool {
	sum, size, err := digestOf(filepath.Join(m.dir, filepath.FromSlash(a.Name)))
	return err == nil && size == a.Size && sum == a.SHA256
}

func digestOf(path string) (digest string, size int64, err error) {
	file, err := os.Open(path)
	if err != nil {
		return "", 0, err
	}
	sum := sha256.New()
	size, err = io.Copy(sum, file)
	return hex.EncodeToString(sum.Sum(nil)), size, errors.Join(err, file.Close())
}

// fetch gets a list, or the rest of one that broke off (RFC 9110 §14.2, §13.1.5).
func (m *mirror) fetch(a formats.Artefact) (err error) {
	path := filepath.Join(m.dir, partialDir, a.SHA256)
	file, err := os.OpenFile(path, os.O_RDWR|os.O_CREATE, 0o600)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, file.Close()) }()
	have, err := file.Seek(0, io.SeekEnd)
	if err != nil {
		return err
	}
	if have < a.Size {
		if err := m.receive(file, a, have); err != nil {
			return err
		}
	}
	if err := file.Sync(); err != nil {
		return err
	}
	if sum, size, err := digestOf(path); err != nil || size != a.Size || sum != a.SHA256 {
		return errors.Join(errListChanged, err, os.Remove(path))
	}
	m.files++
	return nil
}

func (m *mirror) receive(file *os.File, a formats.Artefact, have int64) error {
	header := http.Header{}
	if have > 0 {
		header.Set("Range", "bytes="+strconv.FormatInt(have, 10)+"-")
		header.Set("If-Range", `"`+a.SHA256+`"`)
	}
	resp, err := m.send(listsRoute+a.Name, header)
	if err != nil {
		return err
	}
	defer func() { _ = resp.Body.Close() }()
	switch resp.StatusCode {
	case http.StatusOK: // from the beginning, whatever was asked
		if _, err := file.Seek(0, io.SeekStart); err != nil {
			return err
		}
		if err := file.Truncate(0); err != nil {
			return err
		}
		have = 0
	case http.StatusPartialContent:
	case http.StatusNotFound: // another publication has taken its place
		return errListChanged
	default:
		return refusedBy(resp.StatusCode)
	}
	n, err := io.Copy(file, io.LimitReader(resp.Body, a.Size-have+1))
	m.bytes += n
	if err != nil {
		return fmt.Errorf("%s: %w; run it again to go on", a.Name, err)
	}
	return nil
}

// sweep removes lists and slices that the manifest does not name.
func (m *mirror) sweep(manifest formats.Manifest) error {
	named := map[string]bool{}
	for _, a := range manifest.Artefacts {
		named[a.Name] = true
	}
	var failed error
	for _, pattern := range []string{"filter/*", "crl/*", "slices/*", partialDir + "/*"} {
		found, _ := filepath.Glob(filepath.Join(m.dir, filepath.FromSlash(pattern)))
		for _, path := range found {
			if name, err := filepath.Rel(m.dir, path); err != nil || !named[filepath.ToSlash(name)] {
				failed = errors.Join(failed, err, os.RemoveAll(path))
			}
		}
	}
	return failed
}

// write puts a small file into its place in one step.
func (m *mirror) write(name string, content []byte) error {
	path := filepath.Join(m.dir, partialDir, "file")
	if err := os.WriteFile(path, content, 0o600); err != nil {
		return err
	}
	return m.place(path, name)
}

func (m *mirror) place(from, name string) error {
	to := filepath.Join(m.dir, filepath.FromSlash(name))
	if err := os.MkdirAll(filepath.Dir(to), 0o700); err != nil {
		return err
	}
	return os.Rename(from, to)
}

// get reads a small answer.
func (m *mirror) get(route string, header http.Header) (body []byte, status int, err error) {
	resp, err := m.send(route, header)
	if err != nil {
		return nil, 0, err
	}
	body, err = io.ReadAll(io.LimitReader(resp.Body, maxManifest+1))
	if err = errors.Join(err, resp.Body.Close()); err == nil && resp.StatusCode != http.StatusOK {
		err = refusedBy(resp.StatusCode)
	}
	return body, resp.StatusCode, err
}

func (m *mirror) send(route string, header http.Header) (*http.Response, error) {
	req, err := http.NewRequestWithContext(m.ctx, http.MethodGet, m.base+route, http.NoBody)
	if err != nil {
		return nil, usage("gateway address: %v", err)
	}
	if header != nil {
		req.Header = header
	}
	req.Header.Set("Accept-Encoding", "identity") // what is digested is what is sent
	return m.http.Do(req)
}

func refusedBy(status int) error {
	return errNotPublished.Because(fmt.Errorf("status %d", status))
}

// serverTrust checks a server with a CA of one's own, or with those of the system.
func serverTrust(ca string) (*tls.Config, error) {
	config := &tls.Config{MinVersion: tls.VersionTLS13}
	if ca == "" {
		return config, nil
	}
	raw, err := os.ReadFile(ca)
	if err != nil {
		return nil, usage("CA: %v", err)
	}
	config.RootCAs = x509.NewCertPool()
	if !config.RootCAs.AppendCertsFromPEM(raw) {
		return nil, usage("CA: %s holds no certificate", ca)
	}
	return config, nil
}
