// Package hardening keeps the memory and the environment of a process that handles secrets
// from being read by others on the machine.
//
// Owner: platform. Process takes core dumps and debuggers away, Environ refuses secrets in
// environment variables, which every child process and, on many systems, every tool of the
// operator can read. Errors name variables, never values.
//
// Invariants: Process either did all it promises on this system or fails; on systems other
// than Linux it promises nothing. Call it first in main: it does not take back what was
// read before. It does not pass on to programs the process starts.
//
// What a crash of a Go program shows. The traceback prints, for each function, its first
// argument words in hexadecimal, and after a signal the registers. Contents behind
// pointers are not printed: a secret in a slice, a string or a struct behind a pointer
// stays out, one in an array or an integer passed by value does not. A panic prints its
// value: panic(err) shows err's text. Hence the rules for code that handles secrets: hold
// them as []byte or string, never pass them as arrays or numbers, and never put them into
// an error. The tests crash a process in each of these ways. Where registers are too much,
// set GOTRACEBACK=none: then a crash shows no stack at all.
//
// Locking secrets in memory (mlock) is left out. Go copies freely (growing stacks,
// appending, converting between string and []byte, arithmetic inside crypto), so a locked
// page would hold one copy of several. In production keys are in Vault or an HSM, and what
// is left in memory is a short-lived token and the ledger's secret. Keep swap off, or
// encrypted, on the nodes: Kubernetes asks for that anyway.
package hardening
