// Package vaulttest starts a real Vault (test/vaultpeer) and sets it up with the files of
// k8s/vault, as an operator would: mounts, audit device, policies, roles.
//
// The environment variable DDCC_VAULT_PEER names the built server. Without it tests that
// need one are skipped with a message, and fail when CI=true.
//
//	server := vaulttest.Start(t)
//	site := server.Bootstrap(t, "dsc-vaccination")
//	site.AppRole(t) // settings of a signer that may use these keys
package vaulttest
