//go:build race

package server_test

// stride says how many of the official examples a test takes: every twentieth, as the race
// detector makes reading them all take minutes.
const stride = 20
