// Package foreign imports the trust lists of others: the GDHCN of the WHO, the gateways of
// the EU and of the WHO, signed lists of member states and the PathCheck registry.
//
// Owner of the question "which keys of other countries do we believe, and on whose word".
// Parse functions turn one document into a Snapshot; a Store keeps the last good document
// of each source, refreshes it and merges what is fresh into the trust.List that package
// verification checks against.
//
// Invariants:
//   - no means of authenticity configured, nothing imported; every means that is configured
//     must hold for every document, also for those read back from disk;
//   - an import is all or the last good one: a document that cannot be authenticated, is
//     too large, too old, empty or suddenly much shorter changes nothing;
//   - an entry that cannot be used is skipped and counted by reason, never repaired; key
//     ids are recomputed, and chains are built here, with the two certificates that package
//     trust demands;
//   - a list speaks for a country only with certificates of that country: the subject of
//     every DSC names exactly one country, and it is the one the list states for it;
//   - past its age limit a source is silent, as if it were empty; the limits count from the
//     import and from the time that an authentic proof states;
//   - an old document must not undo a withdrawal: what shows no time of its own is fetched
//     over a pinned connection or compared with digests.
//
// Keys without certificate (PathCheck) never enter a trust.List, because nothing says whose
// they are but the list itself; Store.Keys hands them out apart.
//
// It must never see a private key or personal data. docs/foreign-trust.md is for operators.
package foreign
