package issuance

import (
	"context"
	"slices"
	"time"
)

// Get gives an issued certificate to the issuer it was issued for. To anybody else it
// does not exist.
func (s *Service) Get(ctx context.Context, issuer Issuer, id string) (Issued, error) {
	rec, err := s.registry.get(ctx, id)
	return s.read(ctx, issuer, rec, err)
}

// GetByReference finds an issued certificate by the id of the QR DocumentReference in
// its document.
func (s *Service) GetByReference(ctx context.Context, issuer Issuer, id string) (Issued, error) {
	rec, err := s.registry.byReference(ctx, id)
	return s.read(ctx, issuer, rec, err)
}

func (s *Service) read(ctx context.Context, issuer Issuer, rec record, err error) (Issued, error) {
	if err != nil {
		return Issued{}, err
	}
	if rec.Issuer != issuer.ID || rec.State != StateIssued {
		return Issued{}, errNotFound // one that was revoked has no content any more
	}
	return s.documents.Get(ctx, rec.ID)
}

// folderLimit bounds a folder listing; nobody has this many doses.
const folderLimit = 500

// FolderEntry is one certificate of a folder.
type FolderEntry struct {
	ID       string
	IssuedAt time.Time
}

// Folder lists the certificates of a HCID's folder that this issuer issued, oldest first.
// A folder without any is errNotFound's kind: an issuer learns nothing about folders of
// others.
func (s *Service) Folder(ctx context.Context, issuer Issuer, folderID string) ([]FolderEntry, error) {
	page, _, err := s.registry.page(ctx, "folder:"+folderID, "", folderLimit)
	if err != nil {
		return nil, err
	}
	var entries []FolderEntry
	for _, rec := range page {
		if rec.Issuer == issuer.ID && rec.State == StateIssued {
			entries = append(entries, FolderEntry{ID: rec.ID, IssuedAt: rec.IssuedAt})
		}
	}
	if len(entries) == 0 {
		return nil, errNotFound
	}
	slices.SortStableFunc(entries, func(a, b FolderEntry) int { return a.IssuedAt.Compare(b.IssuedAt) })
	return entries, nil
}
