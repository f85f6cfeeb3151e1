package client

import (
	"context"
	"net/http"
	"net/url"
	"time"

	"github.com/trustedparty/ddcc-gateway/signing"
)

// maxRegister bounds what is read of an answer to an operator, in bytes: a full register.
const maxRegister = 16 << 20

// Operator calls the key operations of the signing service with an operator's certificate.
// It is safe for concurrent use. Nothing is sent twice: a proposal that got no answer may
// be on the list, and an approval can be asked for again by the same operator.
type Operator struct{ client *Client }

// NewOperator makes a client for the service at base ("https://host:port"). The transport
// carries the operator's certificate and the service's CA.
func NewOperator(base string, transport http.RoundTripper, timeout time.Duration) (*Operator, error) {
	c, err := New(base, transport, timeout)
	if err != nil {
		return nil, err
	}
	return &Operator{client: c}, nil
}

// Keys lists the register.
func (o *Operator) Keys(ctx context.Context) ([]signing.KeyStatus, error) {
	var out []signing.KeyStatus
	err := o.call(ctx, http.MethodGet, "/v1/register", nil, &out)
	return out, err
}

// Propose proposes an operation for another operator to approve.
func (o *Operator) Propose(ctx context.Context, req signing.OperationRequest) (signing.Operation, error) {
	var out signing.Operation
	err := o.call(ctx, http.MethodPost, "/v1/operations", req, &out)
	return out, err
}

// Operations lists operations, oldest first: the open ones, or a page of all of them.
func (o *Operator) Operations(ctx context.Context, open bool, after string) (signing.OperationPage, error) {
	query := url.Values{}
	if open {
		query.Set("open", "true")
	}
	if after != "" {
		query.Set("after", after)
	}
	var out signing.OperationPage
	err := o.call(ctx, http.MethodGet, "/v1/operations?"+query.Encode(), nil, &out)
	return out, err
}

// Operation gives one operation with everything that was proposed.
func (o *Operator) Operation(ctx context.Context, id string) (signing.Operation, error) {
	var out signing.Operation
	err := o.call(ctx, http.MethodGet, operationPath(id), nil, &out)
	return out, err
}

// Approve approves an operation of another operator and gives what became of it.
func (o *Operator) Approve(ctx context.Context, id string) (signing.Operation, error) {
	var out signing.Operation
	err := o.call(ctx, http.MethodPost, operationPath(id)+"/approval", nil, &out)
	return out, err
}

// Withdraw takes a pending operation back.
func (o *Operator) Withdraw(ctx context.Context, id string) (signing.Operation, error) {
	var out signing.Operation
	err := o.call(ctx, http.MethodDelete, operationPath(id), nil, &out)
	return out, err
}

// StopState gives the emergency stop.
func (o *Operator) StopState(ctx context.Context) (signing.Stop, error) {
	var out signing.Stop
	err := o.call(ctx, http.MethodGet, "/v1/stop", nil, &out)
	return out, err
}

// Stop ends all signing at once. reason is one of signing.StopReasons.
func (o *Operator) Stop(ctx context.Context, reason string) (signing.Stop, error) {
	var out signing.Stop
	err := o.call(ctx, http.MethodPost, "/v1/stop", signing.StopRequest{Reason: reason}, &out)
	return out, err
}

func operationPath(id string) string { return "/v1/operations/" + url.PathEscape(id) }

func (o *Operator) call(ctx context.Context, method, path string, in, out any) error {
	body, err := encode(in)
	if err != nil {
		return err
	}
	resp, err := o.client.sendOnce(ctx, method, path, body)
	if err != nil {
		return errAway.Because(err)
	}
	defer func() { _ = resp.Body.Close() }()
	return read(resp, maxRegister, out)
}
