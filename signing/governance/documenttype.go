package governance

import (
	"bytes"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/asn1"
	"errors"
	"slices"
)

// Document types of ICAO VDS-NC that a barcode signer may sign.
const (
	DocumentVaccination = "NV"
	DocumentTest        = "NT"
)

// documentTypes is DocumentTypeList (ICAO 9303-12 §7.1.1): version 0 and a set of
// printable strings.
type documentTypes struct {
	Version int
	Types   []string `asn1:"set"`
}

var errDocumentTypes = errors.New("the document type list is not in DER, empty or names another type than NV and NT")

// DocumentTypes reads which VDS-NC documents a barcode signer certificate is for. ok is
// false when it does not say.
func DocumentTypes(certificate *x509.Certificate) (types []string, ok bool, err error) {
	e, ok := extension(certificate, oidDocumentType)
	if !ok {
		return nil, false, nil
	}
	types, err = parseDocumentTypes(e.Value)
	return types, true, err
}

func parseDocumentTypes(der []byte) ([]string, error) {
	var list documentTypes
	rest, err := asn1.Unmarshal(der, &list)
	if err != nil || len(rest) > 0 || list.Version != 0 || !knownTypes(list.Types) {
		return nil, errDocumentTypes
	}
	again, err := asn1.Marshal(list)
	if err != nil || !bytes.Equal(again, der) {
		return nil, errDocumentTypes
	}
	return list.Types, nil
}

func knownTypes(types []string) bool {
	unknown := func(t string) bool { return t != DocumentVaccination && t != DocumentTest }
	sorted := slices.Sorted(slices.Values(types))
	return len(types) > 0 && !slices.ContainsFunc(types, unknown) && len(slices.Compact(sorted)) == len(types)
}

func documentTypeExtension(types []string) (pkix.Extension, error) {
	if !knownTypes(types) {
		return pkix.Extension{}, errDocumentTypes
	}
	value, err := asn1.Marshal(documentTypes{Types: types})
	return pkix.Extension{Id: oidDocumentType, Value: value}, err
}
