package wallet

import "time"

// claims are those of a JWT that saves a pass.
type claims struct {
	Issuer   string   `json:"iss"`
	Audience string   `json:"aud"`
	Type     string   `json:"typ"`
	IssuedAt int64    `json:"iat"`
	Origins  []string `json:"origins,omitempty"`
	Payload  struct {
		Private []privatePass `json:"genericPrivatePasses,omitempty"`
		Objects []object      `json:"genericObjects,omitempty"`
	} `json:"payload"`
}

// privatePass is a GenericPrivatePass with the members in use. It has none for an end.
type privatePass struct {
	ID         string    `json:"id"`
	Type       string    `json:"type"`
	Header     localized `json:"header"`
	TitleLabel localized `json:"titleLabel"`
	Title      localized `json:"title"`
	Barcode    qrCode    `json:"barcode"`
}

// object is a GenericObject with the members in use.
type object struct {
	ID        string      `json:"id"`
	ClassID   string      `json:"classId"`
	CardTitle localized   `json:"cardTitle"`
	Subheader localized   `json:"subheader"`
	Header    localized   `json:"header"`
	Barcode   qrCode      `json:"barcode"`
	Validity  *validUntil `json:"validTimeInterval,omitempty"`
}

type localized struct {
	Default translated `json:"defaultValue"`
}

type translated struct {
	Language string `json:"language"`
	Value    string `json:"value"`
}

type qrCode struct {
	Type  string `json:"type"`
	Value string `json:"value"`
}

type validUntil struct {
	End struct {
		Date string `json:"date"`
	} `json:"end"`
}

func (g Google) claims(c *Card, now time.Time) claims {
	out := claims{Issuer: g.ServiceAccount, Audience: "google", Type: "savetowallet", IssuedAt: now.Unix(), Origins: g.Origins}
	id, code := g.IssuerID+"."+c.ID, qrCode{"QR_CODE", c.Text}
	issuer, title, name := c.localized(c.Issuer), c.localized(c.Title), c.localized(c.Name)
	if g.ClassID == "" {
		out.Payload.Private = []privatePass{{id, "GENERIC_PRIVATE_PASS_TYPE_UNSPECIFIED", issuer, title, name, code}}
		return out
	}
	o := object{ID: id, ClassID: g.IssuerID + "." + g.ClassID, CardTitle: issuer, Subheader: title, Header: name, Barcode: code}
	if !c.ExpiresAt.IsZero() {
		o.Validity = &validUntil{}
		o.Validity.End.Date = instant(c.ExpiresAt)
	}
	out.Payload.Objects = []object{o}
	return out
}

func (c *Card) localized(value string) localized { return localized{translated{c.language(), value}} }
