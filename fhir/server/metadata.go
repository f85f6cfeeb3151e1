package server

import (
	"encoding/json"
	"time"

	"github.com/trustedparty/ddcc-gateway/fhir/search"
	"github.com/trustedparty/ddcc-gateway/fhir/server/schema"
)

// The parts of a CapabilityStatement this server fills (FHIR R4, capabilitystatement.html).
type (
	object  = map[string]any
	objects = []object
)

// capability is the CapabilityStatement, made from the tables the server works with.
func (s *Server) capability(base string) ([]byte, error) {
	var types objects
	for _, typ := range schema.Resources() {
		types = append(types, capabilityOf(typ))
	}
	statement := object{
		"resourceType": "CapabilityStatement", "status": "active", "date": s.started.Format(time.RFC3339),
		"kind": "instance", "fhirVersion": "4.0.1", "format": []string{"application/fhir+json", "json"},
		"patchFormat": []string{jsonPatchType},
		"software":    object{"name": "Trusted-party certificate gateway, embedded FHIR server", "version": s.version},
		"implementation": object{
			"description": "FHIR R4 for development and small installations, on SQLite", "url": base,
		},
		"rest": objects{{
			"mode": "server", "resource": types,
			"interaction": codes("transaction", "batch", "search-system", "history-system"),
			"searchParam": searchParams(search.Parameters("Resource")),
		}},
	}
	return json.Marshal(statement)
}

func codes(list ...string) objects {
	var out objects
	for _, code := range list {
		out = append(out, object{"code": code})
	}
	return out
}

func capabilityOf(typ string) object {
	out := object{
		"type":        typ,
		"interaction": codes("read", "vread", "update", "patch", "delete", "history-instance", "history-type", "create", "search-type"),
		"versioning":  "versioned-update", "readHistory": true, "updateCreate": true,
		"conditionalCreate": true, "conditionalRead": "full-support", "conditionalUpdate": true, "conditionalDelete": "single",
		"referencePolicy": []string{"literal", "logical"}, "searchParam": searchParams(search.Parameters(typ)),
		"operation": operations(typ),
	}
	return out
}

// operations are those of a type, by their definitions in FHIR R4 where it has one.
func operations(typ string) objects {
	out := objects{
		{"name": "validate", "definition": "http://hl7.org/fhir/OperationDefinition/Resource-validate"},
		{"name": "raw", "definition": "urn:ddcc-gateway:operation:raw", "documentation": "GET, the bytes as they were sent"},
	}
	switch typ {
	case "Composition":
		out = append(out, object{"name": "document", "definition": "http://hl7.org/fhir/OperationDefinition/Composition-document"})
	case "Patient":
		out = append(out, object{"name": "everything", "definition": "http://hl7.org/fhir/OperationDefinition/Patient-everything"})
	}
	return out
}

func searchParams(parameters []search.Parameter) objects {
	var out objects
	for _, p := range parameters {
		if p.Kind != search.KindSpecial {
			out = append(out, object{"name": p.Code, "type": string(p.Kind)})
		}
	}
	return out
}
