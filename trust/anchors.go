package trust

import (
	"bytes"
	"crypto/x509"
	"encoding/pem"
	"fmt"
	"os"
)

// maxAnchorFile bounds a file of pinned certificates, in bytes.
const maxAnchorFile = 1 << 20

// ReadAnchors reads the CSCA certificates that an operator has pinned from PEM files. A
// file that holds anything else, or nothing, is an error.
func ReadAnchors(files []string) ([]*x509.Certificate, error) {
	var anchors []*x509.Certificate
	for _, name := range files {
		found, err := readAnchorFile(name)
		if err != nil {
			return nil, fmt.Errorf("pinned CSCA certificates: %w", err)
		}
		anchors = append(anchors, found...)
	}
	return anchors, nil
}

func readAnchorFile(name string) ([]*x509.Certificate, error) {
	raw, err := os.ReadFile(name)
	if err != nil {
		return nil, err
	}
	if len(raw) > maxAnchorFile {
		return nil, fmt.Errorf("%s is larger than 1 MiB", name)
	}
	var anchors []*x509.Certificate
	for rest := bytes.TrimSpace(raw); len(rest) > 0; rest = bytes.TrimSpace(rest) {
		var block *pem.Block
		if block, rest = pem.Decode(rest); block == nil || block.Type != "CERTIFICATE" {
			return nil, fmt.Errorf("%s holds something else than PEM certificates", name)
		}
		anchor, err := x509.ParseCertificate(block.Bytes)
		if err != nil {
			return nil, fmt.Errorf("%s: %w", name, err)
		}
		if refusal := checkAnchor(anchor); refusal != nil {
			return nil, fmt.Errorf("%s: %w", name, refusal)
		}
		anchors = append(anchors, anchor)
	}
	if len(anchors) == 0 {
		return nil, fmt.Errorf("%s holds no certificate", name)
	}
	return anchors, nil
}
