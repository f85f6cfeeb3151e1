package terminology

import "errors"

// Why a code has no translation. The texts name no code.
var (
	// ErrUnknownCode: the code system is none of this package's, or has no such code.
	ErrUnknownCode = errors.New("the code is not in the gateway's tables")
	// ErrNoTranslation: no table leads from the code to the system asked for.
	ErrNoTranslation = errors.New("no table translates the code")
	// ErrNarrower: every target says more than the code does.
	ErrNarrower = errors.New("the targets say more than the code")
	// ErrAmbiguous: several targets fit, and the code does not say which is meant.
	ErrAmbiguous = errors.New("several targets fit the code")
)

// Use says what a code stands for. A code can be a type of vaccine in one element and a
// product in another, and each has its own maps.
type Use uint8

// The uses.
const (
	VaccineType    Use = iota + 1 // the kind of vaccine: technology, or disease alone
	VaccineProduct                // what was in the vial
	VaccineHolder                 // who holds the authorisation of a product
	Disease                       // what was protected against or tested for
	Pathogen                      // the agent a test looks for
	TestType
	TestResult
	SampleOrigin
)

// Context is what else is known about the code to translate.
type Context struct {
	Use    Use
	Within string  // id of the value set the answer has to be in; empty for any
	Holder Concept // the holder of a product, where the source names one under SystemEUHolder
}

// Resolve translates a code into the system called target: the code itself where that
// system has it, else over one map, else over ICD-11. The answer means the same as the
// code or more than it, never less; where a choice is left, or the answer would have to
// say what the code does not, the result is one of the errors above. Nothing is guessed.
func Resolve(from Concept, target string, c Context) (Concept, error) {
	t := loaded()
	source, known := t.systems[systemKey(from.System)]
	to, ok := t.systems[systemKey(target)]
	if !known || !ok {
		return Concept{}, ErrUnknownCode
	}
	start := conceptKey{source, from.Code}
	if _, known = t.displays[start]; !known {
		return Concept{}, ErrUnknownCode
	}
	r := resolver{t, c}
	if source == to {
		if own := r.within([]Translation{t.asItself(start)}); len(own) > 0 && r.settled(start) {
			return own[0].Concept, nil
		}
	}
	var found []Translation
	if to != SystemICD11 {
		found = r.step(start, to)
	}
	if len(found) == 0 {
		found = r.overICD11(start, to)
	}
	return r.choose(found)
}

// resolver carries the question through the search.
type resolver struct {
	t *tables
	c Context
}

func (t *tables) asItself(c conceptKey) Translation {
	return Translation{Concept{c.system, c.code, t.displays[c]}, Equivalent}
}

// settled reports that an ICD-11 code is of the kind the use asks for.
func (r resolver) settled(c conceptKey) bool {
	return c.system != SystemICD11 || len(r.t.maps[normalForms[r.c.Use]][c]) == 0
}

// step gives the targets of the first map of the use that leads from the code into the
// system and into the value set.
func (r resolver) step(from conceptKey, target string) []Translation {
	for _, s := range routes[r.c.Use] {
		if s.source != from.system || s.target != target {
			continue
		}
		if found := r.within(r.t.maps[s.id][from]); len(found) > 0 {
			return found
		}
	}
	return nil
}

func (r resolver) overICD11(from conceptKey, target string) []Translation {
	var found []Translation
	for _, p := range r.pivots(from) {
		code := conceptKey{p.System, p.Code}
		next := r.step(code, target)
		if target == SystemICD11 {
			next = r.within([]Translation{r.t.asItself(code)})
		}
		for _, n := range next {
			n.Equivalence = compose(p.Equivalence, n.Equivalence)
			found = append(found, n)
		}
	}
	return found
}

// pivots gives what the code is in ICD-11, in the form the use asks for.
func (r resolver) pivots(from conceptKey) []Translation {
	found := []Translation{r.t.asItself(from)}
	if from.system != SystemICD11 {
		found = nil
		for _, s := range routes[r.c.Use] {
			if s.source == from.system && s.target == SystemICD11 && len(found) == 0 {
				found = r.t.maps[s.id][from]
			}
		}
	}
	var out []Translation
	for _, f := range found {
		normal := r.t.maps[normalForms[r.c.Use]][conceptKey{f.System, f.Code}]
		if len(normal) == 0 {
			out = append(out, f)
		}
		for _, n := range normal {
			out = append(out, Translation{n.Concept, compose(f.Equivalence, n.Equivalence)})
		}
	}
	return out
}

func (r resolver) within(found []Translation) []Translation {
	if r.c.Within == "" {
		return found
	}
	set := r.t.valueSets[r.c.Within]
	var in []Translation
	for _, f := range found {
		if _, member := set[conceptKey{f.System, f.Code}]; member {
			in = append(in, f)
		}
	}
	return in
}

// compose is the equivalence of two steps, one after the other. Up and then down again
// leads to a neighbour, which is no translation; it counts as narrower.
func compose(first, then string) string {
	switch {
	case first == Equivalent:
		return then
	case then == Equivalent, first == then:
		return first
	case first == Narrower || then == Narrower:
		return Narrower
	default:
		return RelatedTo
	}
}

// choose takes the one target that fits best.
func (r resolver) choose(found []Translation) (Concept, error) {
	found = r.heldBy(unique(found))
	for _, equivalence := range []string{Equivalent, RelatedTo, Wider} {
		var fit []Translation
		for _, f := range found {
			if f.Equivalence == equivalence {
				fit = append(fit, f)
			}
		}
		switch len(fit) {
		case 0:
		case 1:
			return fit[0].Concept, nil
		default:
			return Concept{}, ErrAmbiguous
		}
	}
	if len(found) > 0 {
		return Concept{}, ErrNarrower
	}
	return Concept{}, ErrNoTranslation
}

// heldBy uses the holder to tell products apart: if it holds some of them, those are
// left, and a single one is what was meant.
func (r resolver) heldBy(found []Translation) []Translation {
	if r.c.Use != VaccineProduct || r.c.Holder.Code == "" {
		return found
	}
	system, ok := r.t.systems[systemKey(r.c.Holder.System)]
	if !ok {
		return found
	}
	var held []Translation
	for _, f := range found {
		for _, h := range r.t.maps[MapProductToHolder][conceptKey{f.System, f.Code}] {
			if h.System == system && h.Code == r.c.Holder.Code {
				held = append(held, f)
			}
		}
	}
	switch len(held) {
	case 0:
		return found
	case 1:
		held[0].Equivalence = Equivalent
	}
	return held
}

// unique joins targets that several paths found, each under its best equivalence.
func unique(found []Translation) []Translation {
	var out []Translation
	for _, f := range found {
		seen := false
		for i := range out {
			if out[i].Concept == f.Concept {
				seen = true
				out[i].Equivalence = better(out[i].Equivalence, f.Equivalence)
			}
		}
		if !seen {
			out = append(out, f)
		}
	}
	return out
}

func better(a, b string) string {
	for _, e := range []string{Equivalent, RelatedTo, Wider} {
		if a == e || b == e {
			return e
		}
	}
	return Narrower
}
