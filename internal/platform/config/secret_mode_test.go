package config

import (
	"io/fs"
	"testing"
)

func TestCheckMode(t *testing.T) {
	t.Parallel()
	tests := []struct {
		name      string
		mode      fs.FileMode
		rootOwned bool
		euid      int
		ok        bool
	}{
		{"own file", 0o600, false, 1000, true},
		{"own file, group", 0o640, false, 1000, false},
		{"root as root, group", 0o640, true, 0, false},
		{"secret volume with fsGroup", 0o440, true, 65532, true},
		{"secret volume, group may write", 0o460, true, 65532, false},
		{"secret volume, world", 0o444, true, 65532, false},
	}
	for _, tc := range tests {
		if err := checkMode(tc.mode, tc.rootOwned, tc.euid); (err == nil) != tc.ok {
			t.Errorf("%s: %v", tc.name, err)
		}
	}
}

func TestUnsetEnvironmentIsStrict(t *testing.T) {
	t.Parallel()
	if !Environment("").IsProduction() || !Production.IsProduction() || Development.IsProduction() {
		t.Error("an environment that is not development must be strict")
	}
}
