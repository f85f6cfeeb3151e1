package lint

import "github.com/trustedparty/ddcc-gateway/internal/platform/fault"

var minimal = Lint{
	ID:     "minimal-data",
	For:    every,
	Source: "DDCC IG, DDCCCoreDataSetVSPoV; GDPR Art. 5(1)(c): nothing in the code that a verifier does not need",
	Blame:  fault.Internal,
	Check:  checkMinimal,
}

// checkMinimal refuses every element that was not stated, so that an encoder that adds
// one is caught.
func checkMinimal(in Input) []Finding {
	var found []Finding
	walk("", in.content, func(path string, _ any) {
		if at(in.want, path) == nil {
			found = append(found, Finding{Path: path, Detail: "The signed content has an element nobody stated."})
		}
	})
	return found
}
