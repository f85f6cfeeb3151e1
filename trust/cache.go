package trust

import (
	"errors"
	"fmt"
	"io"
	"os"

	"github.com/go-json-experiment/json"

	"github.com/trustedparty/ddcc-gateway/internal/platform/durable"
)

// maxCache bounds the cache file, in bytes: both signed forms at their limits, in base64.
const maxCache = 4 * DefaultMaxBytes

// cacheFile is the last good statement as a gateway keeps it over a restart.
type cacheFile struct {
	JWS []byte `json:"jws"` // base64
	DID []byte `json:"did,omitempty"`
}

// writeCache replaces the file in one step, so that a crash leaves the old or the new one.
func writeCache(path string, signed Signed) error {
	raw, err := json.Marshal(cacheFile(signed))
	if err != nil {
		return err
	}
	return durable.Replace(path, raw)
}

// readCache gives what writeCache wrote; a file that is not there is no error.
func readCache(path string) (Signed, bool, error) {
	file, err := os.Open(path)
	if errors.Is(err, os.ErrNotExist) {
		return Signed{}, false, nil
	}
	if err != nil {
		return Signed{}, false, err
	}
	defer func() { _ = file.Close() }()
	raw, err := io.ReadAll(io.LimitReader(file, maxCache+1))
	if err != nil {
		return Signed{}, false, err
	}
	if len(raw) > maxCache {
		return Signed{}, false, errors.New("the file is too large")
	}
	var content cacheFile
	if err := json.Unmarshal(raw, &content, json.RejectUnknownMembers(true)); err != nil {
		return Signed{}, false, fmt.Errorf("the file is not a cached statement: %w", err)
	}
	return Signed(content), true, nil
}
