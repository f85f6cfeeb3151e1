package divoc

import (
	"errors"
	"maps"

	"github.com/piprate/json-gold/ld"
)

var errNotText = errors.New("canonicalisation gave no text")

// jsonldContext is what the contexts say about all members in use, in one object: no
// member means one thing here and another there.
var jsonldContext = newContext()

func newContext() map[string]any {
	context := map[string]any{"id": "@id", "type": "@type"}
	for name, iri := range typeIRIs {
		context[name] = iri
	}
	addTerms(context, credential)
	addTerms(context, proofOptions)
	return context
}

func addTerms(context map[string]any, kind *object) {
	for name, t := range kind.members {
		definition := map[string]any{"@id": t.iri}
		switch t.form {
		case dateTime:
			definition["@type"] = iriDateTime
		case iri:
			definition["@type"] = "@id"
		case one, many:
			addTerms(context, t.object)
		case literal:
		}
		context[name] = definition
	}
}

// canonical gives the statements of a node in the order and spelling of URDNA2015. The
// node must have passed coverage, which bounds the work.
func canonical(members map[string]any) (string, error) {
	document := maps.Clone(members)
	document["@context"] = jsonldContext
	options := ld.NewJsonLdOptions("")
	options.DocumentLoader = noLoader{}
	options.Algorithm = ld.AlgorithmURDNA2015
	options.Format = "application/n-quads"
	result, err := ld.NewJsonLdProcessor().Normalize(document, options)
	if err != nil {
		return "", err
	}
	text, isText := result.(string)
	if !isText {
		return "", errNotText
	}
	return text, nil
}

// noLoader has no document: there is no address left to ask for.
type noLoader struct{}

// LoadDocument implements ld.DocumentLoader.
func (noLoader) LoadDocument(string) (*ld.RemoteDocument, error) {
	return nil, ld.NewJsonLdError(ld.LoadingDocumentFailed, "no document is ever fetched")
}
