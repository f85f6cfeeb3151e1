// Package interop lets foreign software judge what the gateway issues, and judges what that
// software issues: "make test-interop", results in docs/interoperability.md.
//
// A row of the table is a peer: a library that shares no code with this project, called by
// a small script in peers/ through its public functions, in a process of its own. It gets
// the texts and pictures of a running system and the keys that the system publishes, and
// answers what it accepted and read. That must be what our own reader reads and what was
// asked for, and the peer must refuse a copy in which one letter was changed: a peer that
// accepts everything proves nothing.
//
// Peers are installed into .tools/interop when they are missing, in the exact versions of
// peers/package-lock.json, requirements.txt and pom.xml. Nothing of them is linked, copied
// or shipped; the two of PathCheck are under the GPL. Without Node.js, Python or Maven the
// suite says so and skips; with CI=true it fails.
package interop
