//go:build !faultinject

// Package faultpoint marks the places where a crash must do no harm.
//
// In a normal build Here does nothing and is compiled away. A binary built with the tag
// faultinject kills itself without warning at the point that the variable DDCC_FAULT
// names; the crash tests start such binaries.
package faultpoint

// Here marks a point by name.
func Here(string) {}
