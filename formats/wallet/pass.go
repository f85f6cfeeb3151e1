package wallet

import (
	"strconv"
	"time"
)

// pass is pass.json (Apple's "Pass" object) with the members in use. It names no web
// service, place, beacon or app: nothing calls home.
type pass struct {
	FormatVersion     int       `json:"formatVersion"`
	PassType          string    `json:"passTypeIdentifier"`
	Team              string    `json:"teamIdentifier"`
	Organization      string    `json:"organizationName"`
	Description       string    `json:"description"` // read out by VoiceOver
	SerialNumber      string    `json:"serialNumber"`
	ExpirationDate    string    `json:"expirationDate,omitempty"`
	SharingProhibited bool      `json:"sharingProhibited"`
	LogoText          string    `json:"logoText"`
	Background        string    `json:"backgroundColor"`
	Foreground        string    `json:"foregroundColor"`
	Label             string    `json:"labelColor"`
	Barcodes          []barcode `json:"barcodes"`
	Generic           fieldsets `json:"generic"`
}

type barcode struct {
	Format   string `json:"format"`
	Message  string `json:"message"`
	Encoding string `json:"messageEncoding"`
}

type fieldsets struct {
	Primary   []field `json:"primaryFields"`
	Secondary []field `json:"secondaryFields"`
	Auxiliary []field `json:"auxiliaryFields,omitempty"`
	Back      []field `json:"backFields"`
}

// field is one text of a pass. Wallet looks labels and values up in pass.strings.
type field struct {
	Key             string `json:"key"`
	Label           string `json:"label"`
	Value           string `json:"value"`
	DateStyle       string `json:"dateStyle,omitempty"`
	TimeStyle       string `json:"timeStyle,omitempty"`
	IgnoresTimeZone bool   `json:"ignoresTimeZone,omitempty"`
	// Detectors is empty on the back, where Wallet else makes links of what looks like a
	// telephone number or an address.
	Detectors *[]string `json:"dataDetectorTypes,omitempty"`
}

// The labels are their own English texts, for languages that have no strings.
const (
	labelDescription = "Health certificate"
	labelName        = "Name"
	labelTitle       = "Certificate"
	labelIssued      = "Issued"
	labelExpires     = "Valid until"
	labelIssuer      = "Issued by"
	labelID          = "Certificate number"
	labelBirthDate   = "Date of birth"
	labelNote        = "Note"
	textNote         = "The code holds a signed certificate. To check it, scan the code; the text of this pass alone proves nothing."
)

func (a Apple) content(c *Card) pass {
	p := pass{
		FormatVersion: 1, PassType: a.PassType, Team: a.Team, Organization: a.Organization,
		Description: labelDescription, SerialNumber: c.ID, SharingProhibited: true, LogoText: a.Organization,
		Background: background.css(), Foreground: foreground.css(), Label: "rgb(200,220,232)",
		// The texts are ASCII, for which readers of either encoding agree.
		Barcodes: []barcode{{"PKBarcodeFormatQR", c.Text, "iso-8859-1"}},
		Generic: fieldsets{
			Primary:   []field{{Key: "name", Label: labelName, Value: c.Name}},
			Secondary: []field{{Key: "title", Label: labelTitle, Value: c.Title}},
			Back:      back(c),
		},
	}
	if !c.IssuedAt.IsZero() {
		p.Generic.Auxiliary = append(p.Generic.Auxiliary, day("issued", labelIssued, c.IssuedAt))
	}
	if !c.ExpiresAt.IsZero() {
		p.ExpirationDate = instant(c.ExpiresAt)
		p.Generic.Auxiliary = append(p.Generic.Auxiliary, day("expires", labelExpires, c.ExpiresAt))
	}
	return p
}

func back(c *Card) []field {
	fields := []field{{Key: "issuer", Label: labelIssuer, Value: c.Issuer}, {Key: "id", Label: labelID, Value: c.ID}}
	if c.BirthDate != "" {
		fields = append(fields, field{Key: "birthDate", Label: labelBirthDate, Value: c.BirthDate})
	}
	for i, r := range c.Rows {
		fields = append(fields, field{Key: "row" + strconv.Itoa(i), Label: r.Label, Value: r.Value})
	}
	fields = append(fields, field{Key: "note", Label: labelNote, Value: textNote})
	for i := range fields {
		fields[i].Detectors = &[]string{}
	}
	return fields
}

// day is a field with a date that Wallet writes in the phone's language.
func day(key, label string, at time.Time) field {
	return field{Key: key, Label: label, Value: instant(at), DateStyle: "PKDateStyleMedium", TimeStyle: "PKDateStyleNone", IgnoresTimeZone: true}
}

func instant(at time.Time) string { return at.UTC().Truncate(time.Second).Format(time.RFC3339) }
