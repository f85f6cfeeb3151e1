package publication

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"slices"

	"github.com/trustedparty/ddcc-gateway/formats/cms"
	"github.com/trustedparty/ddcc-gateway/signing"
	"github.com/trustedparty/ddcc-gateway/signing/keystore"
)

// Audit actions of uploads.
const (
	actionUploadIntent = "upload.intent"
	actionUploadSigned = "upload.signed"
)

// uploadable are the usages whose certificates a national or WHO gateway takes.
var uploadable = []keystore.Usage{
	keystore.UsageVaccination, keystore.UsageTest, keystore.UsageRecovery,
	keystore.UsageDocument, keystore.UsageSHC, keystore.UsageVDSNC,
}

// Uploads gives each certificate that verifiers should know, signed by the upload key as
// the gateway protocol asks (CMS with the DSC inside). Without an upload key there are
// none. Errors: Unavailable.
func (p *Publisher) Uploads(ctx context.Context) ([]signing.Upload, error) {
	p.mu.Lock()
	defer p.mu.Unlock()
	key, err := p.deps.Register.Active(ctx, keystore.UsageUpload)
	if errors.Is(err, keystore.ErrNoKey) {
		return []signing.Upload{}, nil
	}
	if err != nil {
		return nil, errAway.Because(err)
	}
	keys, err := p.deps.Register.Keys(ctx)
	if err != nil {
		return nil, errAway.Because(err)
	}
	uploads, kept := []signing.Upload{}, map[string]signing.Upload{}
	for _, k := range keys {
		if !slices.Contains(uploadable, keystore.Usage(k.Usage)) || !keystore.State(k.State).Offered() {
			continue
		}
		id := string(key.KID) + string(k.Certificate)
		upload, ok := p.uploads[id]
		if !ok {
			if upload, err = p.upload(ctx, key, k); err != nil {
				return nil, errAway.Because(err)
			}
		}
		kept[id] = upload
		uploads = append(uploads, upload)
	}
	p.uploads = kept
	return uploads, nil
}

// upload signs one certificate of the register, audited before and after.
func (p *Publisher) upload(ctx context.Context, key keystore.Key, k signing.KeyStatus) (signing.Upload, error) {
	digest := sha256.Sum256(k.Certificate)
	if err := p.record(ctx, actionUploadIntent, key, digest[:]); err != nil {
		return signing.Upload{}, err
	}
	message, err := cms.Sign(k.Certificate, key.Certificate, key.Signer(ctx), p.deps.Clock())
	if err != nil {
		return signing.Upload{}, err
	}
	out := signing.Upload{KID: k.KID, Thumbprint: hex.EncodeToString(digest[:]), Certificate: k.Certificate, CMS: message}
	return out, p.record(ctx, actionUploadSigned, key, digest[:])
}
