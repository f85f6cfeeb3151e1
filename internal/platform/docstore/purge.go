package docstore

import (
	"context"
	"log/slog"
)

// purgeBatch bounds one purge.
const purgeBatch = 10_000

// Purger removes what has expired each time it is called; name says in the log which store
// it is. It fits process.Every.
func Purger(log *slog.Logger, name string, store Store) func(context.Context) {
	return func(ctx context.Context) {
		n, err := store.Purge(ctx, purgeBatch)
		switch {
		case err != nil:
			log.WarnContext(ctx, "purge failed", slog.String("store", name), slog.Any("error", err))
		case n > 0:
			log.InfoContext(ctx, "store purged", slog.String("store", name), slog.Int("documents", n))
		}
	}
}
