package healthlink

import (
	"crypto/hmac"
	"encoding/base64"
	"encoding/binary"
	"strconv"
	"time"

	"github.com/trustedparty/ddcc-gateway/internal/platform/seal"
)

// ticketTime is how long a file's location is good. The specification allows an hour.
const ticketTime = 10 * time.Minute

// A ticket is the number of the file, its end in epoch seconds and a keyed digest of both
// with the link's handle. It needs no store and opens one file of one link.
const (
	ticketHead = 1 + 8
	ticketSize = ticketHead + seal.KeySize
)

// ticket makes one for file n, which is below maxFiles.
func (s *Service) ticket(handle string, n int) string {
	end := s.now().Add(ticketTime).Unix()
	raw := binary.BigEndian.AppendUint64([]byte{byte(n)}, uint64(end))
	return base64.RawURLEncoding.EncodeToString(append(raw, s.ticketSum(handle, n, end)...))
}

func (s *Service) ticketSum(handle string, n int, end int64) []byte {
	return seal.Pseudonym(s.tickets, handle, strconv.Itoa(n), strconv.FormatInt(end, 10))
}

// redeem gives the number of the file; false for any ticket but a good one of this link.
func (s *Service) redeem(handle, ticket string) (int, bool) {
	raw, err := base64.RawURLEncoding.Strict().DecodeString(ticket)
	if err != nil || len(raw) != ticketSize {
		return 0, false
	}
	n, end := int(raw[0]), int64(binary.BigEndian.Uint64(raw[1:ticketHead]))
	if !hmac.Equal(raw[ticketHead:], s.ticketSum(handle, n, end)) {
		return 0, false
	}
	return n, s.now().Before(time.Unix(end, 0))
}
