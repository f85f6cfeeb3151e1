//go:build !race

package server_test

// stride says how many of the official examples a test takes: every one.
const stride = 1
