// Package coalesce turns signatures that many callers want at the same time into few calls
// of a key store.
//
// Owner: the signing service. An engine answers a batch of digests nearly as fast as one,
// so requests for one key version that meet share a call:
//
//   - While nothing is under way for a version, a request goes out at once.
//   - While a batch is under way, requests gather until one comes back, MaxBatch of them
//     are there, or the first of them has waited MaxWait. Then they go, in their order.
//   - At most InFlight batches of a version are under way. When an engine is so slow that
//     all of them are, requests wait for one of them, at most Queue digests; whoever comes
//     then is refused at once. Nothing piles up behind an engine that hangs.
//
// A call with several digests joins like several calls; it may be split over batches and
// its results keep their order.
//
// Invariants. Every digest is sent once and gets one result, its own. A caller that leaves
// takes only its own digests away, and only those that were not sent: a batch ends by
// Options.Timeout, never because one caller went. A digest that fails fails alone. A batch
// that fails as a whole fails exactly its members and is not tried again digest by digest:
// digests all look alike to an engine, so what refuses a batch is the key or the engine,
// and asking 256 times what was refused once helps nobody.
package coalesce
