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
	actionUploadFailed = "upload.failed"
)

// hcertUsages are the usages whose certificates a national or WHO gateway is for.
var hcertUsages = []keystore.Usage{keystore.UsageVaccination, keystore.UsageTest, keystore.UsageRecovery}

// uploadable are the usages that may be uploaded. A key for documents is not among them:
// its certificate has no extended key usage, and verifiers abroad take such a one for the
// key of every kind of certificate (HCERT specification, extended key usages).
var uploadable = slices.Concat(hcertUsages, []keystore.Usage{keystore.UsageSHC, keystore.UsageVDSNC})

// Uploads gives each certificate that verifiers abroad should know, signed by the upload
// key as the gateway protocol asks (CMS with the DSC inside). Without an upload key there
// are none. Errors: Unavailable, also during an emergency stop.
func (p *Publisher) Uploads(ctx context.Context) ([]signing.Upload, error) {
	if err := p.uploading.take(ctx); err != nil {
		return nil, errAway.Because(err)
	}
	defer p.uploading.end()
	if p.deps.Stopped() {
		return nil, signing.ErrStopped
	}
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
		if !slices.Contains(p.deps.UploadUsages, keystore.Usage(k.Usage)) || !keystore.State(k.State).Offered() {
			continue
		}
		id := string(key.KID) + string(k.Certificate)
		if kept[id], err = p.uploadOnce(ctx, id, key, k); err != nil {
			return nil, err
		}
		uploads = append(uploads, kept[id])
	}
	p.uploads = kept
	return uploads, nil
}

// uploadOnce gives the upload that was signed before, or signs it. After a failure it does
// not try again for a while.
func (p *Publisher) uploadOnce(ctx context.Context, id string, key keystore.Key, k signing.KeyStatus) (signing.Upload, error) {
	if upload, ok := p.uploads[id]; ok {
		return upload, nil
	}
	if err := p.uploadsPause.stands(p.deps.Clock()); err != nil {
		return signing.Upload{}, errAway.Because(err)
	}
	upload, err := p.upload(ctx, key, k)
	if err != nil {
		p.uploadsPause = pause{until: p.deps.Clock().Add(changePause), cause: err}
		return signing.Upload{}, errAway.Because(err)
	}
	if p.deps.Stopped() { // the stop came while it was signed
		return signing.Upload{}, signing.ErrStopped
	}
	p.uploads[id] = upload
	return upload, nil
}

// upload signs one certificate of the register, audited before and after.
func (p *Publisher) upload(ctx context.Context, key keystore.Key, k signing.KeyStatus) (signing.Upload, error) {
	digest := sha256.Sum256(k.Certificate)
	if err := p.record(ctx, actionUploadIntent, key, digest[:]); err != nil {
		return signing.Upload{}, err
	}
	message, err := cms.Sign(k.Certificate, key.Certificate, key.Signer(ctx), p.deps.Clock())
	if err != nil {
		p.failed(ctx, actionUploadFailed, key, digest[:], err)
		return signing.Upload{}, err
	}
	out := signing.Upload{KID: k.KID, Thumbprint: hex.EncodeToString(digest[:]), Certificate: k.Certificate, CMS: message}
	return out, p.record(ctx, actionUploadSigned, key, digest[:])
}
