package client

import (
	"regexp"
	"strings"

	"github.com/trustedparty/ddcc-gateway/internal/platform/fault"
)

// Forms of names that get into addresses (FHIR R4 datatypes, "id"; resource type names).
// A name of dots alone has the form of an id and would be cut out of a path.
var (
	typeForm      = regexp.MustCompile(`^[A-Z][A-Za-z]{1,63}$`)
	idForm        = regexp.MustCompile(`^[A-Za-z0-9.-]{1,64}$`)
	operationForm = regexp.MustCompile(`^\$?[A-Za-z0-9_-][A-Za-z0-9._-]{0,63}$`)
)

// maxSegments bounds the path of an operation: Type/id/_history/version/$name.
const maxSegments = 5

// ValidType reports whether s has the form of a resource type.
func ValidType(s string) bool { return typeForm.MatchString(s) }

// ValidID reports whether s has the form of an id and can stand in an address.
func ValidID(s string) bool { return idForm.MatchString(s) && strings.Trim(s, ".") != "" }

func checkType(typ string) error {
	if !ValidType(typ) {
		return badName("type", "The resource type has not the form of one.", "Name a FHIR R4 resource type, such as Patient.")
	}
	return nil
}

func checkName(typ, id string) error {
	if err := checkType(typ); err != nil {
		return err
	}
	if !ValidID(id) {
		return badName("id", "The id has not the form of one.", "Use 1 to 64 letters, digits, hyphens and dots, not dots alone.")
	}
	return nil
}

func checkVersion(version string) error {
	if !ValidID(version) {
		return badName("meta.versionId", "The version id has not the form of one.", "Use the versionId that the server gave.")
	}
	return nil
}

// operationPath checks a path relative to the base such as Patient/1/$everything.
func operationPath(path string) (string, error) {
	segments := strings.Split(path, "/")
	ok := len(segments) <= maxSegments
	for _, s := range segments {
		ok = ok && (operationForm.MatchString(s) || ValidID(s))
	}
	if !ok {
		return "", badName("path", "The path of the operation has not the form of one.", "Use a path below the base such as Patient/1/$everything.")
	}
	return "/" + path, nil
}

func badName(path, detail, fix string) error {
	return fault.New(fault.Malformed, "fhir-name", detail).With(fault.Issue{Path: path, Rule: "fhir-name", Detail: detail, Fix: fix})
}
