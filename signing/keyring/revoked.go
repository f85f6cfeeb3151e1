package keyring

import "bytes"

// Revoked reports whether the register holds a key as revoked. It is for the signing path:
// one look at memory.
func (r *Ring) Revoked(kid []byte) bool {
	for _, e := range r.current.Load().entries {
		if bytes.Equal(e.kid, kid) {
			return e.RevokedAt != nil
		}
	}
	return false
}
