package telemetry

import "runtime/debug"

// Build says which code runs.
type Build struct {
	Version  string `json:"version"`            // module version, "(devel)" for a working tree
	Revision string `json:"revision,omitempty"` // commit, when the binary knows it
	Modified bool   `json:"modified,omitempty"` // built from a changed working tree
	Go       string `json:"go"`                 // toolchain
}

// ReadBuild reads what the linker recorded; fields it did not record are "unknown" or empty.
func ReadBuild() Build {
	info, ok := debug.ReadBuildInfo()
	if !ok {
		return Build{Version: "unknown", Go: "unknown"}
	}
	return buildOf(info)
}

func buildOf(info *debug.BuildInfo) Build {
	b := Build{Version: info.Main.Version, Go: info.GoVersion}
	if b.Version == "" {
		b.Version = "unknown"
	}
	for _, s := range info.Settings {
		switch s.Key {
		case "vcs.revision":
			b.Revision = s.Value
		case "vcs.modified":
			b.Modified = s.Value == "true"
		}
	}
	return b
}
