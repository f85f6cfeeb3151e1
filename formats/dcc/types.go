package dcc

// SubClaim is the key of an EU DCC inside claim -260 (HCERT specification §3.3.8).
const SubClaim int64 = 1

// SchemaVersion is what a certificate states: EU practice kept 1.3.0 for schema 1.3.x.
const SchemaVersion = "1.3.0"

// Certificate is the payload of one EU Digital COVID Certificate (EU DCC schema 1.3.x).
// Exactly one of Vaccinations, Tests and Recoveries has exactly one entry.
type Certificate struct {
	Version      string        `cbor:"ver" json:"ver"`
	Name         Name          `cbor:"nam" json:"nam"`
	BirthDate    string        `cbor:"dob" json:"dob"` // YYYY-MM-DD, YYYY-MM, YYYY, or empty when unknown
	Vaccinations []Vaccination `cbor:"v,omitempty" json:"v,omitempty"`
	Tests        []Test        `cbor:"t,omitempty" json:"t,omitempty"`
	Recoveries   []Recovery    `cbor:"r,omitempty" json:"r,omitempty"`
}

// Name is a person's name as written and as in the machine readable zone (ICAO 9303-3 §6).
type Name struct {
	Family         string `cbor:"fn,omitempty" json:"fn,omitempty"`
	FamilyStandard string `cbor:"fnt,omitempty" json:"fnt,omitempty"`
	Given          string `cbor:"gn,omitempty" json:"gn,omitempty"`
	GivenStandard  string `cbor:"gnt,omitempty" json:"gnt,omitempty"`
}

// Vaccination is an entry of group v; all members are required.
type Vaccination struct {
	Disease     string `cbor:"tg" json:"tg"`
	Prophylaxis string `cbor:"vp" json:"vp"`
	Product     string `cbor:"mp" json:"mp"`
	Holder      string `cbor:"ma" json:"ma"` // marketing authorisation holder or manufacturer
	Dose        int    `cbor:"dn" json:"dn"`
	TotalDoses  int    `cbor:"sd" json:"sd"`
	Date        string `cbor:"dt" json:"dt"` // YYYY-MM-DD
	Country     string `cbor:"co" json:"co"` // ISO 3166-1 alpha-2
	Issuer      string `cbor:"is" json:"is"`
	UVCI        string `cbor:"ci" json:"ci"`
}

// Test is an entry of group t.
type Test struct {
	Disease string `cbor:"tg" json:"tg"`
	Type    string `cbor:"tt" json:"tt"`
	Name    string `cbor:"nm,omitempty" json:"nm,omitempty"` // of a NAAT
	Device  string `cbor:"ma,omitempty" json:"ma,omitempty"` // JRC id of a rapid antigen test
	Sampled string `cbor:"sc" json:"sc"`                     // RFC 3339 with seconds
	Result  string `cbor:"tr" json:"tr"`
	Centre  string `cbor:"tc,omitempty" json:"tc,omitempty"`
	Country string `cbor:"co" json:"co"`
	Issuer  string `cbor:"is" json:"is"`
	UVCI    string `cbor:"ci" json:"ci"`
}

// Recovery is an entry of group r; all members are required.
type Recovery struct {
	Disease       string `cbor:"tg" json:"tg"`
	FirstPositive string `cbor:"fr" json:"fr"` // date of the first positive NAAT
	Country       string `cbor:"co" json:"co"`
	Issuer        string `cbor:"is" json:"is"`
	ValidFrom     string `cbor:"df" json:"df"`
	ValidUntil    string `cbor:"du" json:"du"`
	UVCI          string `cbor:"ci" json:"ci"`
}
