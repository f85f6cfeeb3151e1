package vault

import (
	"context"
	"crypto/elliptic"
	"encoding/base64"
	"errors"
	"fmt"
	"strconv"
	"strings"

	"github.com/trustedparty/ddcc-gateway/signing/keystore"
)

// Sign signs the digests in as few requests as they fit into. What one request of several
// lost is an error of its digests alone.
func (s *Store) Sign(ctx context.Context, ref keystore.Ref, digests []keystore.Digest) ([]keystore.Result, error) {
	if err := ref.Validate(); err != nil {
		return nil, fmt.Errorf("%w: %w", keystore.ErrNoKey, err)
	}
	ctx, cancel, err := s.conn.operation(ctx)
	if err != nil {
		return nil, err
	}
	defer cancel()
	results := make([]keystore.Result, 0, len(digests))
	for from := 0; from < len(digests); from += maxBatch {
		part := digests[from:min(from+maxBatch, len(digests))]
		signed, err := s.signBatch(ctx, ref, part)
		if err != nil && from == 0 {
			return nil, fmt.Errorf("sign with %s: %w", ref, err)
		}
		for range len(part) - len(signed) {
			signed = append(signed, keystore.Result{Err: err})
		}
		results = append(results, signed...)
	}
	return results, nil
}

func (s *Store) signBatch(ctx context.Context, ref keystore.Ref, digests []keystore.Digest) ([]keystore.Result, error) {
	raw, err := s.authorised(ctx, request{
		client: s.conn.client, path: s.path("sign", ref.Label) + "/sha2-256", body: signBody(ref.Version, digests),
	})
	switch {
	case errors.Is(err, errDenied):
		return nil, s.whyDenied(ctx, ref)
	case isRefused(err, missing):
		return nil, keystore.ErrNoKey
	case isRefused(err, invalid):
		return nil, fmt.Errorf("%w: %w", keystore.ErrDisabled, err)
	case err != nil:
		return nil, unavailable("sign", err)
	}
	return readSignatures(raw, ref.Version, len(digests))
}

// whyDenied tells a version that is not there from one that the policy does not list:
// Vault answers both alike.
func (s *Store) whyDenied(ctx context.Context, ref keystore.Ref) error {
	key, err := s.read(ctx, ref.Label)
	if err != nil {
		return err
	}
	if ref.Version > key.Latest {
		return keystore.ErrNoKey
	}
	return fmt.Errorf("%w: the policy does not list the version", keystore.ErrDisabled)
}

// signBody writes the request. The version is a JSON string: policies compare it with
// strings, and a number would never equal one.
func signBody(version int, digests []keystore.Digest) []byte {
	const item = len(`{"input":""},`) + 44 // a digest in Base64
	b := make([]byte, 0, len(digests)*item+128)
	b = append(b, `{"batch_input":[`...)
	for i, d := range digests {
		if i > 0 {
			b = append(b, ',')
		}
		b = append(b, `{"input":"`...)
		b = base64.StdEncoding.AppendEncode(b, d[:])
		b = append(b, `"}`...)
	}
	b = append(b, `],"prehashed":true,"marshaling_algorithm":"jws","key_version":"`...)
	b = strconv.AppendInt(b, int64(version), 10)
	return append(b, `"}`...)
}

// signAnswer is the answer to a batch. Vault answers 200 even when items fail.
type signAnswer struct {
	Data struct {
		Results []signResult `json:"batch_results"`
	} `json:"data"`
}

type signResult struct {
	Signature  string `json:"signature"`
	KeyVersion int    `json:"key_version"`
	Error      string `json:"error"`
}

// readSignatures reads the answer to a batch of n digests. When every item failed for one
// reason that lies in the key, so did the call.
func readSignatures(raw []byte, version, n int) ([]keystore.Result, error) {
	var answer signAnswer
	if err := decode(raw, &answer); err != nil {
		return nil, unavailable("sign", err)
	}
	if got := len(answer.Data.Results); got != n {
		return nil, fmt.Errorf("%w: Vault gave %d results for %d digests", keystore.ErrUnavailable, got, n)
	}
	results, usable := make([]keystore.Result, n), false
	for i, item := range answer.Data.Results {
		results[i].Signature, results[i].Err = item.read(version)
		usable = usable || !aboutKey(results[i].Err)
	}
	if !usable && n > 0 {
		return nil, results[0].Err
	}
	return results, nil
}

func aboutKey(err error) bool {
	return errors.Is(err, keystore.ErrNoKey) || errors.Is(err, keystore.ErrDisabled)
}

func (r signResult) read(version int) (keystore.Signature, error) {
	if r.Error != "" {
		return keystore.Signature{}, itemError(r.Error)
	}
	if r.KeyVersion != version {
		return keystore.Signature{}, fmt.Errorf("%w: Vault signed with another version", keystore.ErrOverwritten)
	}
	return parseSignature(r.Signature, version)
}

// itemError sorts the texts of transit (sdk/helper/keysutil, Policy.SignWithOptions). A text
// that is not known says nothing about the key.
func itemError(text string) error {
	switch {
	case strings.Contains(text, "higher than the latest"):
		return keystore.ErrNoKey
	case strings.Contains(text, "less than the minimum"):
		return fmt.Errorf("%w: below the lowest version that may sign", keystore.ErrDisabled)
	case strings.Contains(text, "no such key version"):
		return fmt.Errorf("%w: the version was archived", keystore.ErrDisabled)
	case strings.Contains(text, "private part"), strings.Contains(text, "not supported"):
		return fmt.Errorf("%w: the key cannot sign", keystore.ErrDisabled)
	}
	return fmt.Errorf("%w: Vault failed to sign the digest", keystore.ErrUnavailable)
}

// errSignature holds nothing of what came: it may be anything.
var errSignature = fmt.Errorf("%w: Vault's signature is not \"vault:v<version>:\" and 64 bytes of ECDSA on P-256", keystore.ErrUnavailable)

// parseSignature reads "vault:v<version>:<r and s in Base64url>", the form of
// marshaling_algorithm "jws".
func parseSignature(text string, version int) (keystore.Signature, error) {
	var s keystore.Signature
	rest, ok := strings.CutPrefix(text, "vault:v"+strconv.Itoa(version)+":")
	if !ok || len(rest) != base64.RawURLEncoding.EncodedLen(len(s)) || strings.ContainsAny(rest, "\r\n") {
		return s, errSignature
	}
	raw, err := base64.RawURLEncoding.Strict().DecodeString(rest)
	if err != nil || len(raw) != len(s) {
		return s, errSignature
	}
	s = keystore.Signature(raw)
	if !inRange(s[:len(s)/2]) || !inRange(s[len(s)/2:]) {
		return keystore.Signature{}, errSignature
	}
	return s, nil
}

// order of the group of P-256, 32 bytes big-endian.
var order = elliptic.P256().Params().N.Bytes()

// inRange reports whether 0 < n < order, for 32 bytes. Signatures are public: the
// comparison need not take constant time.
func inRange(n []byte) bool {
	return strings.Trim(string(n), "\x00") != "" && string(n) < string(order)
}
