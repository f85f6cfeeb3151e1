// Package refusals writes what was refused into the audit log without letting those who
// are refused fill its disk or wait for it.
//
// Owner of the bound: at most so many entries in a window of time, whatever comes in. What
// is above it is counted and summed up in one entry at the end of the window, by action
// and reason.
//
// Invariants. Report never blocks and never fails its caller, who refuses either way. No
// refusal is lost in silence: while the audit log is away they are counted on, and the sum
// is written when it is back. What comes after Run has ended, from listeners that still
// drain, waits for Flush, within the same bound. What is not written when the process dies
// is lost.
//
// It must never see personal data; reasons come from closed sets.
package refusals
