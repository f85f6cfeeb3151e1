// Package keystoretest is the conformance suite of the key store port: every store of the
// signing service passes it, whatever engine is behind it.
//
// A store's test describes its engine once and runs the suite:
//
//	func TestStore(t *testing.T) {
//		keystoretest.Run(t, func(t *testing.T) keystoretest.Engine { ... })
//	}
//
// Every case makes labels of its own, so that start may hand out one long-running engine
// again and again. The cases of one Run follow each other and never overlap: some of them
// restart the engine.
//
// What the suite demands beyond the words of the port:
//   - A malformed reference is ErrNoKey, and is refused before anything else is looked at,
//     an ended context included.
//   - An ended context is ErrUnavailable.
//   - After its sessions were dropped an open store may answer ErrUnavailable to at most
//     MaxLost calls in a row; after a restart of its engine, for at most MaxAway. It never
//     needs to be opened again, and it never answers anything else for it.
//   - A version made, disabled or overwritten after a store was opened counts at once.
package keystoretest
