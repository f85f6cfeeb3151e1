package vault

import (
	"context"

	"github.com/hashicorp/vault/api"
)

// API gives the client of the store, logged in, for what else a ceremony does in the same
// Vault: a CSCA in its PKI engine. The signing service has no use for it.
func (s *Store) API(ctx context.Context) (*api.Client, error) {
	if err := s.Login(ctx); err != nil {
		return nil, err
	}
	return s.conn.client, nil
}
