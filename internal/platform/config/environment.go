package config

// Environment says how strict a process is. There is no default: an operator states it.
type Environment string

// The environments.
const (
	Development Environment = "development" // software keys, embedded stores, loopback HTTP allowed
	Production  Environment = "production"  // refuses all of these
)

// UnmarshalText implements encoding.TextUnmarshaler; anything but the two names is a
// *ValueError.
func (e *Environment) UnmarshalText(text []byte) error {
	switch v := Environment(text); v {
	case Development, Production:
		*e = v
		return nil
	}
	return &ValueError{Expected: "must be development or production"}
}

// IsProduction is true unless the environment is development: an unset value is strict.
func (e Environment) IsProduction() bool { return e != Development }
