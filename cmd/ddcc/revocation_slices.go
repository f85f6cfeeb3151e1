package main

import (
	"bytes"
	"encoding/base64"
	"net/http"
	"os"
	"path/filepath"

	formats "github.com/trustedparty/ddcc-gateway/formats/revocation"
	"github.com/trustedparty/ddcc-gateway/trust/revocation"
)

// allSlices keeps every exact list.
func (m *mirror) allSlices(manifest formats.Manifest) error {
	for _, a := range manifest.Artefacts {
		if a.Kind != formats.KindSlices {
			continue
		}
		raw, err := base64.StdEncoding.DecodeString(a.KID)
		if err != nil {
			return err
		}
		for n := range 1 << (8 * a.Depth) {
			prefix := []byte{byte(n >> 8), byte(n)}[2-a.Depth:]
			if _, err := m.slice(manifest, formats.KID(raw), prefix); err != nil {
				return err
			}
		}
	}
	return nil
}

// slice gives a slice that the manifest vouches for, from the folder or from the server.
func (m *mirror) slice(manifest formats.Manifest, kid formats.KID, prefix []byte) ([]byte, error) {
	name := revocation.SlicePath(kid, prefix)
	path := filepath.Join(m.dir, filepath.FromSlash(name))
	if raw, err := os.ReadFile(path); err == nil && vouched(manifest, kid, prefix, raw) {
		return raw, nil
	}
	raw, status, err := m.get(listsRoute+name, nil)
	if status == http.StatusNotFound {
		return nil, errListChanged
	}
	if err != nil {
		return nil, err
	}
	if !vouched(manifest, kid, prefix, raw) {
		return nil, errListChanged
	}
	m.files, m.bytes = m.files+1, m.bytes+int64(len(raw))
	return raw, m.write(name, raw)
}

// vouched holds a slice against the hash tree of the manifest.
func vouched(manifest formats.Manifest, kid formats.KID, prefix, raw []byte) bool {
	slice, err := formats.ParseSlice(raw)
	if err != nil || slice.KID != kid || !bytes.Equal(slice.Prefix, prefix) {
		return false
	}
	for _, a := range manifest.Artefacts {
		if a.Name == formats.SlicesName(kid) {
			root := slice.Root()
			want, ok := a.Digest()
			return ok && bytes.Equal(root[:], want)
		}
	}
	return false
}
