//go:build !unix

package config

import "io/fs"

// ownedByRoot is false where files have no numeric owner.
func ownedByRoot(fs.FileInfo) bool { return false }
