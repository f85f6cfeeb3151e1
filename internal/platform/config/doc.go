// Package config reads the configuration of a binary: one struct, filled from flags,
// environment variables and one file, checked as a whole.
//
// Owner: platform. Invariants: a flag wins over its variable, the variable over the file,
// the file over the default; an unknown flag, variable or key is an error; all problems
// are reported at once, each with the names the operator can set; nothing is read from the
// process itself, arguments and environment are handed in. A problem never shows the value
// of a variable or of a file key. Secrets come as the path of a file, never as a value.
//
// A configuration struct uses kong's tags for name, help and default:
//
//	type Config struct {
//		Environment config.Environment `required:"" help:"Where the process runs."`
//		Listen      string             `default:"127.0.0.1:8443" help:"Address to serve on."`
//		TLS         tlsconf.ServerFiles `embed:"" prefix:"tls-"`
//	}
//
//	func (c *Config) Validate() error {
//		if c.Listen == "" {
//			return config.Invalid("listen", "is empty; give host:port")
//		}
//		return nil
//	}
package config
