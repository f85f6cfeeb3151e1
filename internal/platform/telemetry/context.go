package telemetry

import "context"

type correlationKey struct{}

type principalKey struct{}

// WithCorrelationID returns a context whose log lines carry id.
func WithCorrelationID(ctx context.Context, id string) context.Context {
	return context.WithValue(ctx, correlationKey{}, id)
}

// CorrelationID gives the id of ctx, or "".
func CorrelationID(ctx context.Context) string {
	id, _ := ctx.Value(correlationKey{}).(string)
	return id
}

// WithPrincipal returns a context whose log lines carry the name of the
// authenticated system. It names machines, never persons.
func WithPrincipal(ctx context.Context, name string) context.Context {
	return context.WithValue(ctx, principalKey{}, name)
}

// PrincipalName gives the authenticated system of ctx, or "".
func PrincipalName(ctx context.Context) string {
	name, _ := ctx.Value(principalKey{}).(string)
	return name
}
