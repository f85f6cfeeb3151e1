package docstore

import (
	"context"
	"log/slog"
)

// purgeRounds bounds one call: what is left is purged by the next.
const purgeRounds = 1000

// Purger removes what has expired each time it is called, as many as one Purge may take at a
// time; name says in the log which store it is. It fits process.Every.
func Purger(log *slog.Logger, name string, store Store) func(context.Context) {
	return func(ctx context.Context) {
		purged := 0
		for range purgeRounds {
			n, err := store.Purge(ctx, MaxRange)
			purged += n
			if err != nil {
				log.WarnContext(ctx, "purge failed", slog.String("store", name), slog.Any("error", err))
				return
			}
			if n < MaxRange {
				break
			}
		}
		if purged > 0 {
			log.InfoContext(ctx, "store purged", slog.String("store", name), slog.Int("documents", purged))
		}
	}
}
