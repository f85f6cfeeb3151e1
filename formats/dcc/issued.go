package dcc

import (
	"errors"
	"regexp"
	"slices"
	"strings"
	"time"

	"golang.org/x/text/unicode/norm"

	"github.com/trustedparty/ddcc-gateway/formats/icao9303"
)

// Days from the first positive test in which a recovery is certified (Regulation (EU)
// 2021/953, Annex point 3 and Article 7).
const (
	recoveryStartDays = 11
	recoveryEndDays   = 180
)

// The kinds of test (SetTestType).
const (
	testNAAT = "LP6464-4"
	testRAT  = "LP217198-3"
)

// issuedUVCI is option 1 with the check character.
var issuedUVCI = regexp.MustCompile(`^URN:UVCI:01:[A-Z]{2}:[A-Z0-9]+#[A-Z0-9/:]$`)

// CheckIssued gives everything that keeps content from being signed by us: what Check
// finds, and the stricter rules for our own certificates. The signer runs it on what an
// independent reader made of the bytes to be signed.
func CheckIssued(content map[string]any) []Problem {
	found, group, entry := checkSchema(content)
	keepsSchema := !hasErrors(found)
	found.issuedMembers(content, group, entry)
	if !keepsSchema {
		return found // what follows relies on types
	}
	if textOf(content, "ver") != SchemaVersion {
		found.add("ver", ruleVersion, "must be "+SchemaVersion)
	}
	found.plausible(content, group, entry)
	found.issuedBirth(textOf(content, "dob"), textOf(entry, eventMember[group]))
	found.issuedName(content["nam"].(map[string]any))
	found.issuedCodes(group, entry)
	found.issuedUVCI(group, textOf(entry, "ci"))
	switch group {
	case "v":
		found.issuedVaccine(entry)
	case "t":
		found.issuedTest(entry)
	case "r":
		found.issuedRecovery(entry)
	}
	return found
}

// issuedMembers refuses what the schema does not name, and text that is empty, padded or
// not in NFC.
func (f *findings) issuedMembers(content map[string]any, group string, entry map[string]any) {
	f.onlyMembers("", content, []string{"ver", "nam", "dob", "v", "t", "r"})
	if name, ok := content["nam"].(map[string]any); ok {
		f.onlyMembers("nam.", name, names(nameMembers))
	}
	if entry != nil {
		f.onlyMembers(group+"[0].", entry, names(groups[group]))
	}
}

func names(members []member) []string {
	all := make([]string, len(members))
	for i, m := range members {
		all[i] = m.name
	}
	return all
}

func (f *findings) onlyMembers(prefix string, object map[string]any, allowed []string) {
	known := 0
	for _, name := range allowed {
		value, present := object[name]
		if !present {
			continue
		}
		known++
		if content, ok := value.(string); ok {
			f.issuedText(prefix+name, content)
		}
		if value == nil {
			f.add(prefix+name, ruleMember, "must be left out, not null")
		}
	}
	if known != len(object) {
		f.add(strings.TrimSuffix(prefix, "."), ruleMember, "holds a member that the schema does not name")
	}
}

func (f *findings) issuedText(path, content string) {
	switch {
	case content == "" && path != "dob":
		f.add(path, ruleText, "must not be empty; leave it out if it is optional")
	case content != strings.TrimSpace(content):
		f.add(path, ruleText, "must not begin or end with space")
	case !norm.NFC.IsNormalString(content):
		f.add(path, ruleText, "must be in Unicode NFC")
	}
}

func (f *findings) issuedBirth(born, event string) {
	if length := min(len(born), len(event)); born[:length] > event[:length] {
		f.add("dob", ruleBirth, "must not be after the event")
	}
	if born != "" && !isPossible(born) {
		f.add("dob", ruleBirth, "must be a date of the calendar, whole or without day or month")
	}
}

// issuedName wants the standardised name to be what formats/icao9303 makes of the name as
// written. A script without transliteration (Han …) leaves it to the Latin spelling of the
// travel document, which only the issuer knows.
func (f *findings) issuedName(name map[string]any) {
	for _, pair := range [][2]string{{"fn", "fnt"}, {"gn", "gnt"}} {
		_, written := name[pair[0]]
		_, standard := name[pair[1]]
		if written != standard {
			f.add("nam."+pair[1], ruleStandardName, "must be there exactly if "+pair[0]+" is")
			continue
		}
		want, err := icao9303.MRZMax(textOf(name, pair[0]), maxText)
		switch {
		case errors.Is(err, icao9303.ErrNoTransliteration):
		case err != nil:
			f.add("nam."+pair[0], ruleStandardName, "cannot be written in the machine readable zone; a name has no digits")
		case want != textOf(name, pair[1]):
			f.add("nam."+pair[1], ruleStandardName, "must be the ICAO 9303-3 transliteration of "+pair[0])
		}
	}
}

// issuedCodes wants every code to be in its value set and active. Devices of rapid tests
// are known by shape alone: their list is not embedded in full.
func (f *findings) issuedCodes(group string, entry map[string]any) {
	for _, member := range codedMembers {
		id, isCoded := coded[group][member]
		if _, present := entry[member]; !isCoded || !present {
			continue
		}
		content, _ := entry[member].(string)
		value, ok := published.sets[id].Lookup(content)
		switch {
		case ok && !value.Active:
			f.add(entryPath(group, member), ruleValueSet, "is a code of "+id+" that is no longer active")
		case !ok && id == SetTestDevice && isDevice(content):
		case !ok:
			f.add(entryPath(group, member), ruleValueSet, "must be a code of the value set "+id)
		}
	}
}

func (f *findings) issuedUVCI(group, identifier string) {
	path := entryPath(group, "ci")
	if len(identifier) > maxIssuedUVCI {
		f.add(path, ruleUVCI, "must not be longer than 72 characters")
		return
	}
	if !issuedUVCI.MatchString(identifier) {
		f.add(path, ruleUVCI, "must have the form URN:UVCI:01:<country>:<opaque text>#<check>")
		return
	}
	if parsed, err := ParseUVCI(identifier); err != nil || !parsed.CheckMatches() {
		f.add(path, ruleUVCI, "must end with its check character, Luhn mod 38")
	}
}

// issuedVaccine compares with the encoding instructions, where they know the product.
func (f *findings) issuedVaccine(entry map[string]any) {
	instruction, ok := EncodingOf(textOf(entry, "mp"))
	if !ok {
		return
	}
	if textOf(entry, "ma") != instruction.Holder {
		f.warn(entryPath("v", "ma"), ruleEncoding, "is not the holder that "+SetEncoding+" names for the product")
	}
	if !slices.Contains(instruction.Prophylaxis, textOf(entry, "vp")) {
		f.warn(entryPath("v", "vp"), ruleEncoding, "is not a vaccine that "+SetEncoding+" names for the product")
	}
}

func (f *findings) issuedTest(entry map[string]any) {
	if _, err := time.Parse("2006-01-02T15:04:05Z07:00", textOf(entry, "sc")); err != nil || strings.Contains(textOf(entry, "sc"), ".") {
		f.add(entryPath("t", "sc"), ruleTime, "must be a time in whole seconds with an offset, such as 2021-06-11T17:30:00Z")
	}
	_, device := entry["ma"]
	_, name := entry["nm"]
	switch textOf(entry, "tt") {
	case testRAT:
		if !device {
			f.add(entryPath("t", "ma"), ruleTest, "is required for a rapid antigen test: the device id of the JRC list")
		}
		if name {
			f.add(entryPath("t", "nm"), ruleTest, "is for a NAAT; name a rapid antigen test by ma")
		}
	case testNAAT:
		if device {
			f.add(entryPath("t", "ma"), ruleTest, "is for a rapid antigen test; name a NAAT by nm")
		}
	}
}

func (f *findings) issuedRecovery(entry map[string]any) {
	first, err := time.Parse(time.DateOnly, textOf(entry, "fr"))
	if err != nil {
		return // the schema rules have said so
	}
	if textOf(entry, "df") < first.AddDate(0, 0, recoveryStartDays).Format(time.DateOnly) {
		f.add(entryPath("r", "df"), ruleValidity, "must be 11 days after fr or later")
	}
	if textOf(entry, "du") > first.AddDate(0, 0, recoveryEndDays).Format(time.DateOnly) {
		f.add(entryPath("r", "du"), ruleValidity, "must be 180 days after fr or earlier")
	}
}
