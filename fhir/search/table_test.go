package search

import (
	"slices"
	"testing"
)

// TestEveryExpressionCompiles: the official definitions use no more FHIRPath than is known here.
func TestEveryExpressionCompiles(t *testing.T) {
	t.Parallel()
	n, kinds := 0, map[Kind]int{}
	for _, byCode := range tables().parameters {
		for _, p := range byCode {
			n++
			kinds[p.Kind]++
			if p.Kind == KindComposite && len(p.Components) < 2 {
				t.Errorf("%s.%s has %d components", p.Type, p.Code, len(p.Components))
			}
		}
	}
	for name, err := range tables().failed {
		t.Errorf("%s: %v", name, err)
	}
	if n != 1712 || len(Types()) != 146 {
		t.Errorf("%d parameters of %d resource types", n, len(Types()))
	}
	t.Log(kinds)
}

// TestExpressionsOutsideTheSubset: what is not understood does not compile to something else.
func TestExpressionsOutsideTheSubset(t *testing.T) {
	t.Parallel()
	for _, expression := range []string{
		"", "Patient.", "Person.name", "Patient.nothing", "Patient.name.nothing", "Patient.name.where(use)", "Patient.name.where(nothing='x')", "Patient.name.where(use='x",
		"Patient.name.select(family)", "Patient.name[x]", "(Patient.deceased as Quantity)", "(Patient.deceased)", "Patient.deceased.exists()", "Patient.deceased.exists() and Patient.active != false",
		"Patient.name | Patient.nothing", "Patient.name |", "Patient.name.family + Patient.name.given",
	} {
		if u, err := compile(tables().schema, "Patient", expression); err == nil {
			t.Errorf("%q compiles to %+v", expression, u)
		}
	}
}

func TestLookup(t *testing.T) {
	t.Parallel()
	for name, want := range map[[2]string]Kind{
		{"Patient", "name"}: KindString, {"Patient", "_id"}: KindToken, {"", "_tag"}: KindToken, {"Resource", "_profile"}: KindURI, {"Observation", "combo-code-value-quantity"}: KindComposite,
		{"", "name"}: "", {"Patient", "code"}: "", {"Location", "near"}: "", {"Nothing", "_id"}: KindToken,
	} {
		p, found := Lookup(name[0], name[1])
		if found != (want != "") || p.Kind != want {
			t.Errorf("%v is %q", name, p.Kind)
		}
	}
	patient, _ := Lookup("Observation", "patient")
	if types := patient.mayTarget(); !slices.Equal(types, []string{"Patient"}) {
		t.Errorf("a patient may be %v", types)
	}
	list := Parameters("Location")
	if !slices.IsSortedFunc(list, func(a, b Parameter) int {
		if a.Code < b.Code {
			return -1
		}
		return 1
	}) || slices.ContainsFunc(list, func(p Parameter) bool { return p.Kind == KindSpecial }) {
		t.Error("the parameters of Location")
	}
	if len(Parameters("Resource")) != 6 || !IsType("Patient") || IsType("Resource") || IsType("patient") {
		t.Error("what every type has")
	}
}
