package delivery

import (
	"context"
	"net/url"

	"github.com/trustedparty/ddcc-gateway/fhir/client"
	"github.com/trustedparty/ddcc-gateway/issuance"
)

// Queue is the outbox of the registry; issuance.Deliveries is one.
type Queue interface {
	Open(ctx context.Context, after string, limit int) ([]issuance.Delivery, string, error)
	InFolder(ctx context.Context, folderID string) ([]issuance.Delivery, error)
	Standing(ctx context.Context, at issuance.Delivery) (bool, error)
	Content(ctx context.Context, id string) (issuance.Issued, error)
	Done(ctx context.Context, at issuance.Delivery) error
	Fail(ctx context.Context, at issuance.Delivery, code string) (bool, error)
	Move(ctx context.Context, at issuance.Delivery, to string) error
}

// Server is a FHIR server. Its errors are those of fhir/client.
type Server interface {
	// Read gives a resource. Errors: NotFound.
	Read(ctx context.Context, typ, id string) (client.Resource, error)
	// Find gives the resources of a type that a search matches, as they are now: an answer
	// out of a cache would make two folders of one.
	Find(ctx context.Context, typ string, q url.Values) ([]client.Resource, error)
	// Update replaces a resource if the server has it in this version. Errors:
	// PreconditionFailed, Conflict.
	Update(ctx context.Context, typ, id string, raw []byte, version string) error
	// Transaction does all of a transaction Bundle or nothing, and says what became of each
	// entry.
	Transaction(ctx context.Context, bundle []byte) ([]client.EntryResponse, error)
}

// Over is the server that a client reaches.
func Over(c *client.Client) Server { return overClient{c} }

type overClient struct{ *client.Client }

// maxFound bounds a search by the identifier of one resource.
const maxFound = 10

// Find implements Server.
func (s overClient) Find(ctx context.Context, typ string, q url.Values) ([]client.Resource, error) {
	var found []client.Resource
	for m, err := range s.Search(ctx, typ, q) {
		if err != nil {
			return nil, err
		}
		if !m.Include {
			found = append(found, m.Resource)
		}
		if len(found) == maxFound {
			break
		}
	}
	return found, nil
}

// Update implements Server.
func (s overClient) Update(ctx context.Context, typ, id string, raw []byte, version string) error {
	_, _, err := s.Client.Update(ctx, typ, id, raw, version)
	return err
}
