package reader

import (
	"bytes"
	"compress/zlib"
	"strings"
	"testing"
	"time"
)

func TestDecodeSpecimen(t *testing.T) {
	t.Parallel()
	raw := specimenMessage(t)
	m, err := Decode(textOf(t, raw))
	if err != nil {
		t.Fatal(err)
	}
	if !bytes.Equal(m.COSE, raw) || !bytes.Equal(m.Protected, unhex(t, specimenProtected)) || !bytes.Equal(m.Payload, unhex(t, specimenPayload)) {
		t.Error("received bytes are not kept as they were")
	}
	if m.Algorithm != AlgorithmES256 || !m.KIDProtected || !bytes.Equal(m.KID, unhex(t, "1122334455667788")) {
		t.Errorf("headers: %d %v %x", m.Algorithm, m.KIDProtected, m.KID)
	}
	c := m.Claims
	if c.Issuer != "XX" || !c.IssuedAt.Equal(time.Unix(1768987800, 0)) || !c.ExpiresAt.Equal(time.Unix(1784626200, 0)) || !c.NotBefore.IsZero() || c.Flat != nil {
		t.Errorf("claims: %+v", c)
	}
	if c.IssuedAt.Location() != time.UTC {
		t.Error("times must be UTC")
	}
	if name := c.SubClaims[3].(map[string]any)["name"]; name != "Ada Specimen" {
		t.Errorf("name: %v", name)
	}
	if err := m.Verify(&specimenKey(t).PublicKey); err != nil {
		t.Error(err)
	}
}

func TestDecodeTextEdges(t *testing.T) {
	t.Parallel()
	raw := specimenMessage(t)
	good := textOf(t, raw)
	compressed := deflate(t, zlib.BestCompression, raw)
	broken := bytes.Clone(compressed)
	broken[len(broken)-1] ^= 1 // the checksum
	for name, test := range map[string]struct {
		text string
		want Reason
	}{
		"plain":                {good, ""},
		"line ends and BOM":    {"\ufeff\r\n" + good + "\r\n\n", ""},
		"fast compression":     {"HC1:" + base45(deflate(t, zlib.BestSpeed, raw)), ""},
		"stored":               {"HC1:" + base45(deflate(t, zlib.NoCompression, raw)), ""},
		"empty":                {"", ReasonNotHCERT},
		"prefix only":          {"HC1:", ReasonInvalidCompression},
		"no prefix":            {good[4:], ReasonNotHCERT},
		"lower case prefix":    {"hc1:" + good[4:], ReasonNotHCERT},
		"leading space":        {" " + good, ReasonNotHCERT},
		"HL0":                  {"HL0:" + good[4:], ReasonNotHCERT},
		"HC0":                  {"HC0:" + good[4:], ReasonNotHCERT},
		"HC2":                  {"HC2:" + good[4:], ReasonUnsupportedContext},
		"HCZ":                  {"HCZ:" + good[4:], ReasonUnsupportedContext},
		"Dutch":                {"NL2:" + good[4:], ReasonUnsupportedContext},
		"smart health card":    {"shc:/5676", ReasonNotHCERT},
		"short":                {"HC", ReasonNotHCERT},
		"bad character":        {good[:20] + "=" + good[21:], ReasonInvalidBase45},
		"url-encoded":          {strings.ReplaceAll(good, " ", "%20") + "a", ReasonInvalidBase45},
		"line end inside":      {good[:20] + "\n" + good[20:], ReasonInvalidBase45},
		"not compressed":       {"HC1:" + base45(raw), ReasonInvalidCompression},
		"raw deflate":          {"HC1:" + base45(compressed[2:]), ReasonInvalidCompression},
		"preset dictionary":    {"HC1:" + base45(append([]byte{0x78, 0xf9, 0, 0, 0, 0}, compressed[2:]...)), ReasonInvalidCompression},
		"wrong checksum":       {"HC1:" + base45(broken), ReasonInvalidCompression},
		"cut short":            {"HC1:" + base45(compressed[:len(compressed)-4]), ReasonInvalidCompression},
		"after the zlib":       {"HC1:" + base45(append(bytes.Clone(compressed), 0)), ReasonInvalidCompression},
		"two zlib streams":     {"HC1:" + base45(append(bytes.Clone(compressed), compressed...)), ReasonInvalidCompression},
		"after the array":      {textOf(t, append(bytes.Clone(raw), 0)), ReasonInvalidCOSE},
		"4 KiB":                {"HC1:" + strings.Repeat("0", 4092), ReasonInvalidCompression},
		"longer than any text": {"HC1:" + strings.Repeat("0", 4093), ReasonNotHCERT},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			m, err := Decode(test.text)
			wantReason(t, err, test.want)
			if err != nil && m != nil {
				t.Error("a message beside an error")
			}
		})
	}
}

func TestDecodeCOSEEnvelope(t *testing.T) {
	t.Parallel()
	const kid, alg = "04481122334455667788", "0126"
	untagged := message(t, specimenProtected, "a0", specimenPayload)
	tagged := func(tags string) []byte { return append(unhex(t, tags), untagged...) }
	build := func(protected, unprotected string) []byte {
		return message(t, protected, unprotected, specimenPayload)
	}
	for name, test := range map[string]struct {
		message []byte
		want    Reason
	}{
		"tag 18":                      {tagged("d2"), ""},
		"tag 18 in a long form":       {tagged("d812"), ""},
		"untagged":                    {untagged, ""},
		"tag 61 and 18":               {tagged("d83dd2"), ""},
		"tag 61":                      {tagged("d83d"), ""},
		"tag 18 twice":                {tagged("d2d2"), ReasonInvalidCOSE},
		"tag 18 and 61":               {tagged("d2d83d"), ReasonInvalidCOSE},
		"COSE_Sign":                   {tagged("d862"), ReasonInvalidCOSE},
		"tag 61 and COSE_Mac0":        {tagged("d83dd1"), ReasonInvalidCOSE},
		"empty":                       {nil, ReasonInvalidCOSE},
		"tag without content":         {unhex(t, "d2"), ReasonInvalidCOSE},
		"null":                        {unhex(t, "f6"), ReasonInvalidCOSE},
		"map":                         {unhex(t, "a0"), ReasonInvalidCOSE},
		"three elements":              {unhex(t, "8343a10126a040"), ReasonInvalidCOSE},
		"five elements":               {unhex(t, "8543a10126a0404040"), ReasonInvalidCOSE},
		"indefinite array":            {append(append([]byte{0x9f}, untagged[1:]...), 0xff), ReasonInvalidCOSE},
		"detached payload":            {unhex(t, "844d"+specimenProtected+"a0f640"), ReasonInvalidCOSE},
		"text payload":                {unhex(t, "844d"+specimenProtected+"a061a040"), ReasonInvalidCOSE},
		"protected is a map":          {unhex(t, "84"+specimenProtected+"a041a040"), ReasonInvalidCOSE},
		"tagged payload":              {unhex(t, "844d"+specimenProtected+"a0d841a040"), ReasonInvalidCOSE},
		"empty payload":               {message(t, specimenProtected, "a0", ""), ReasonInvalidCBOR},
		"kid first":                   {build("a2"+kid+alg, "a0"), ""},
		"content type too":            {build("a3"+alg+"0300"+kid, "a0"), ""},
		"text label too":              {build("a3"+alg+kid+"617800", "a1617900"), ""},
		"huge label too":              {build("a3"+alg+kid+"1bffffffffffffffff00", "a0"), ""},
		"kid unprotected":             {build("a1"+alg, "a1"+kid), ""},
		"kid in both":                 {build(specimenProtected, "a1044100"), ""},
		"no kid":                      {build("a1"+alg, "a0"), ReasonKIDMissing},
		"empty protected header":      {build("", "a2"+alg+kid), ReasonUnsupportedAlgorithm},
		"empty protected map":         {build("a0", "a2"+alg+kid), ReasonUnsupportedAlgorithm},
		"algorithm unprotected":       {build("a1"+kid, "a1"+alg), ReasonUnsupportedAlgorithm},
		"algorithm differs outside":   {build(specimenProtected, "a1013824"), ""},
		"ES384":                       {build("a2013822"+kid, "a0"), ReasonUnsupportedAlgorithm},
		"EdDSA":                       {build("a20127"+kid, "a0"), ReasonUnsupportedAlgorithm},
		"algorithm 7":                 {build("a20107"+kid, "a0"), ReasonUnsupportedAlgorithm},
		"algorithm as text":           {build("a201654553323536"+kid, "a0"), ReasonUnsupportedAlgorithm},
		"algorithm beyond 64 bit":     {build("a2013bffffffffffffffff"+kid, "a0"), ReasonUnsupportedAlgorithm},
		"kid of 7":                    {build("a2"+alg+"044711223344556677", "a0"), ReasonInvalidCOSE},
		"kid of 9":                    {build("a2"+alg+"0449112233445566778899", "a0"), ReasonInvalidCOSE},
		"kid empty":                   {build("a2"+alg+"0440", "a0"), ReasonInvalidCOSE},
		"kid as text":                 {build("a2"+alg+"04683131313131313131", "a0"), ReasonInvalidCOSE},
		"bad protected kid, good one": {build("a2"+alg+"0440", "a1"+kid), ReasonInvalidCOSE},
		"repeated label":              {build("a3"+alg+alg+kid, "a0"), ReasonInvalidCOSE},
		"repeated label, long form":   {build("a3"+alg+"180126"+kid, "a0"), ReasonInvalidCOSE},
		"repeated unprotected":        {build(specimenProtected, "a2617800617800"), ReasonInvalidCOSE},
		"label is a list":             {build("a3"+alg+kid+"8000", "a0"), ReasonInvalidCOSE},
		"label is bytes":              {build("a3"+alg+kid+"410000", "a0"), ReasonInvalidCOSE},
		"after the protected map":     {build(specimenProtected+"00", "a0"), ReasonInvalidCOSE},
		"protected is a list":         {build("80", "a0"), ReasonInvalidCOSE},
		"unprotected is a list":       {build(specimenProtected, "80"), ReasonInvalidCOSE},
		"unprotected is null":         {build(specimenProtected, "f6"), ReasonInvalidCOSE},
		"indefinite protected map":    {build("bf"+alg+kid+"ff", "a0"), ReasonInvalidCOSE},
		"crit that is understood":     {build("a3"+alg+"028101"+kid, "a0"), ""},
		"crit that is not":            {build("a4"+alg+"0281182a"+kid+"182a00", "a0"), ReasonInvalidCOSE},
		"crit names an absent one":    {build("a2"+alg+"028104", "a1"+kid), ReasonInvalidCOSE},
		"crit names text":             {build("a3"+alg+"02816178"+kid, "a0"), ReasonInvalidCOSE},
		"crit names a list":           {build("a3"+alg+"028180"+kid, "a0"), ReasonInvalidCOSE},
		"crit is empty":               {build("a3"+alg+"0280"+kid, "a0"), ReasonInvalidCOSE},
		"crit is no list":             {build("a3"+alg+"0201"+kid, "a0"), ReasonInvalidCOSE},
		"crit unprotected":            {build(specimenProtected, "a1028101"), ReasonInvalidCOSE},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			m, err := DecodeCOSE(test.message)
			wantReason(t, err, test.want)
			if err != nil {
				if m != nil {
					t.Error("a message beside an error")
				}
				return
			}
			if err := m.Verify(&specimenKey(t).PublicKey); err != nil {
				t.Errorf("the received header does not verify: %v", err)
			}
			if !bytes.Equal(m.KID, unhex(t, "1122334455667788")) {
				t.Errorf("kid %x", m.KID)
			}
			if got, want := m.KIDProtected, name != "kid unprotected"; got != want {
				t.Errorf("kid protected: %v", got)
			}
		})
	}
}

func TestDecodeCOSEKeepsItsOwnCopy(t *testing.T) {
	t.Parallel()
	raw := specimenMessage(t)
	m, err := DecodeCOSE(raw)
	if err != nil {
		t.Fatal(err)
	}
	clear(raw)
	if err := m.Verify(&specimenKey(t).PublicKey); err != nil || m.COSE[0] != 0xd2 {
		t.Errorf("the message depends on the caller's bytes: %v", err)
	}
}

func TestTagsAreReported(t *testing.T) {
	t.Parallel()
	untagged := message(t, specimenProtected, "a0", specimenPayload)
	for prefix, want := range map[string][]uint64{"": nil, "d2": {18}, "d83d": {61}, "d83dd2": {61, 18}} {
		m, err := DecodeCOSE(append(unhex(t, prefix), untagged...))
		if err != nil {
			t.Fatal(err)
		}
		if len(m.Tags) != len(want) || (len(want) > 0 && m.Tags[len(want)-1] != want[len(want)-1]) {
			t.Errorf("%q: tags %v, want %v", prefix, m.Tags, want)
		}
	}
}
