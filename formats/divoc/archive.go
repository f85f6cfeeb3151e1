package divoc

import (
	"archive/zip"
	"bytes"
	"encoding/base64"
	"errors"
	"io"
)

// Limits of a text and of what is in it. The largest QR code carries 2,953 bytes, and a
// third more in base64; real certificates have two kilobytes of JSON.
const (
	maxText       = 8 << 10
	maxCredential = 64 << 10
)

// memberName is that of the one file in an archive.
const memberName = "certificate.json"

var (
	errLineBreak = errors.New("line breaks inside base64")
	errMember    = errors.New("the archive does not hold exactly certificate.json")
	errEncrypted = errors.New("the archive is encrypted")
	errTooLarge  = errors.New("the content is larger than 64 KiB")
)

// archiveOf takes off the prefix of a text. QR codes carry the archive as it is.
func archiveOf(text []byte) ([]byte, error) {
	if len(text) > maxText {
		return nil, fail(ReasonNotDIVOC, "the text is longer than 8 KiB")
	}
	if bytes.HasPrefix(text, []byte("PK\x03\x04")) {
		return text, nil
	}
	encoded, ok := bytes.CutPrefix(bytes.TrimPrefix(text, []byte("\ufeff")), []byte("B64:"))
	if !ok {
		return nil, fail(ReasonNotDIVOC, "the text neither begins with B64: nor is a ZIP archive")
	}
	archive, err := decodeBase64(string(bytes.Trim(encoded, "\r\n")))
	if err != nil {
		return nil, fail(ReasonInvalidEncoding, "what follows B64: is not base64").because(err)
	}
	return archive, nil
}

func decodeBase64(text string) ([]byte, error) {
	if bytes.ContainsAny([]byte(text), "\r\n") { // encoding/base64 would skip them
		return nil, errLineBreak
	}
	return base64.StdEncoding.Strict().DecodeString(text)
}

// unzip gives the credential of an archive, its checksum proven.
func unzip(archive []byte) ([]byte, error) {
	credential, err := readMember(archive)
	if err != nil {
		return nil, fail(ReasonInvalidArchive, "the archive must hold one intact certificate.json of at most 64 KiB").because(err)
	}
	return credential, nil
}

func readMember(archive []byte) ([]byte, error) {
	r, err := zip.NewReader(bytes.NewReader(archive), int64(len(archive)))
	if err != nil {
		return nil, err
	}
	const encrypted = 1
	switch {
	case len(r.File) != 1 || r.File[0].Name != memberName:
		return nil, errMember
	case r.File[0].Flags&encrypted != 0:
		return nil, errEncrypted
	case r.File[0].UncompressedSize64 > maxCredential:
		return nil, errTooLarge
	}
	member, err := r.File[0].Open()
	if err != nil {
		return nil, err
	}
	credential, err := io.ReadAll(io.LimitReader(member, maxCredential+1))
	if err := errors.Join(err, member.Close()); err != nil {
		return nil, err
	}
	if len(credential) > maxCredential {
		return nil, errTooLarge
	}
	return credential, nil
}
