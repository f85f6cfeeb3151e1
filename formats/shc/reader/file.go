package reader

import (
	"bytes"
	"encoding/json"

	"github.com/trustedparty/ddcc-gateway/formats/strictjson"
)

const (
	maxFile  = 256 << 10
	maxCards = 64
)

// File gives the JWS of every card in a .smart-health-card file (media type
// application/smart-health-card), or in the Parameters that the FHIR operation
// $health-cards-issue answers; Decode reads each.
// One line end behind the JSON is tolerated. Every failure is an *Error.
func File(raw []byte) ([]string, error) {
	if len(raw) > maxFile {
		return nil, fail(ReasonInvalidFile, "the file is larger than 256 KiB")
	}
	raw = bytes.TrimSuffix(bytes.TrimSuffix(raw, []byte("\n")), []byte("\r"))
	if len(bytes.TrimSpace(raw)) != len(raw) {
		return nil, fail(ReasonTrailingCharacters, "there is white space around the JSON of the file")
	}
	if err := strictjson.Check(raw, maxDepth); err != nil {
		return nil, fail(ReasonInvalidFile, "the file is not one JSON value without repeated names").because(err)
	}
	var file map[string]json.RawMessage
	if err := json.Unmarshal(raw, &file); err != nil {
		return nil, fail(ReasonInvalidFile, "the file is not a JSON object").because(err)
	}
	cards, err := cardsOf(file)
	if err != nil || len(cards) == 0 || len(cards) > maxCards {
		return nil, fail(ReasonInvalidFile, "verifiableCredential must be a list of 1 to 64 cards").because(err)
	}
	return cards, nil
}

// cardsOf finds the cards in a file or in the Parameters of $health-cards-issue.
func cardsOf(file map[string]json.RawMessage) ([]string, error) {
	var cards []string
	list, ok := file["verifiableCredential"]
	if ok {
		err := json.Unmarshal(list, &cards)
		return cards, err
	}
	var parameters []map[string]any
	if err := json.Unmarshal(file["parameter"], &parameters); err != nil {
		return nil, err
	}
	for _, parameter := range parameters {
		if card, ok := parameter["valueString"].(string); ok && parameter["name"] == "verifiableCredential" {
			cards = append(cards, card)
		}
	}
	return cards, nil
}
