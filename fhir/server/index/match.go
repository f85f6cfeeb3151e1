package index

import "github.com/trustedparty/ddcc-gateway/fhir/search"

// match writes that the row v is as m describes. It is the meaning of package search's
// operators (FHIR R4 search, prefixes and modifiers), in SQL.
func (s *statement) match(kind search.Kind, m search.Match, v string) {
	switch kind {
	case search.KindToken:
		s.token(m, v)
	case search.KindReference:
		s.reference(m, v)
	case search.KindString, search.KindURI:
		s.string(m, v)
	case search.KindDate:
		s.date(m, v+".lo", v+".hi")
	default:
		s.quantity(m, v)
	}
}

func (s *statement) token(m search.Match, v string) {
	s.add("(")
	if m.AnyCode {
		s.add("1")
	} else {
		s.add(v+".code = ?", m.Code)
	}
	if !m.AnySystem {
		s.add(" AND "+v+".system = ?", m.System)
	}
	s.add(")")
}

func (s *statement) reference(m search.Match, v string) {
	s.add("(")
	if m.TargetID == "" {
		s.add(v+".url = ? AND "+v+".url <> ''", m.URL) // as the index has it
	} else {
		s.add(v+".target_id = ? AND ", m.TargetID)
		s.local(v)
	}
	if m.TargetType != "" {
		s.add(" AND "+v+".target_type = ?", m.TargetType)
	}
	if m.Version != "" {
		s.add(" AND "+v+".version = ?", m.Version)
	}
	s.add(")")
}

// last is greater than any character of a text, so that texts that begin with p are those
// from p up to p and last.
const last = "\U0010FFFF"

func (s *statement) string(m search.Match, v string) {
	switch m.Op {
	case search.OpStarts:
		s.add("("+v+".folded >= ? AND "+v+".folded < ?)", m.Text, m.Text+last)
	case search.OpContains:
		s.add("instr("+v+".folded, ?) > 0", m.Text)
	case search.OpBelow:
		s.add("("+v+".text >= ? AND "+v+".text < ?)", m.Text, m.Text+last)
	case search.OpAbove:
		s.add("instr(?, "+v+".text) = 1", m.Text)
	default:
		s.add(v+".text = ?", m.Text)
	}
}

// date compares the target [lo, hi) with the search value [From, To).
func (s *statement) date(m search.Match, lo, hi string) {
	switch m.Op {
	case search.OpEqual:
		s.add("("+lo+" >= ? AND "+hi+" <= ?)", m.From, m.To)
	case search.OpNotEqual:
		s.add("("+lo+" < ? OR "+hi+" > ?)", m.From, m.To)
	case search.OpGreater:
		s.add(hi+" > ?", m.To)
	case search.OpLess:
		s.add(lo+" < ?", m.From)
	case search.OpAtLeast: // R4's text asks for containment, HAPI for overlap as for gt and lt
		s.add(hi+" > ?", m.From)
	case search.OpAtMost:
		s.add(lo+" < ?", m.To)
	case search.OpAfter:
		s.add(lo+" >= ?", m.To)
	case search.OpBefore:
		s.add(hi+" <= ?", m.From)
	default: // OpAbout: what overlaps the widened value
		s.add("("+lo+" < ? AND "+hi+" > ?)", m.To, m.From)
	}
}

// quantity compares numbers. With a prefix of order the precision of the value does not
// count; a target that is a range is compared as a whole, as times are.
func (s *statement) quantity(m search.Match, v string) {
	lo, hi := v+".lo", v+".hi"
	s.add("(")
	switch m.Op {
	case search.OpEqual:
		s.add(lo+" >= ? AND "+hi+" < ?", m.Low, m.High)
	case search.OpNotEqual:
		s.add("("+lo+" < ? OR "+hi+" >= ?)", m.Low, m.High)
	case search.OpGreater:
		s.add(hi+" > ?", m.Value)
	case search.OpLess:
		s.add(lo+" < ?", m.Value)
	case search.OpAtLeast:
		s.add(hi+" >= ?", m.Value)
	case search.OpAtMost:
		s.add(lo+" <= ?", m.Value)
	case search.OpAfter:
		s.add(lo+" > ?", m.Value)
	case search.OpBefore:
		s.add(hi+" < ?", m.Value)
	default: // OpAbout
		s.add(lo+" <= ? AND "+hi+" >= ?", m.High, m.Low)
	}
	s.unit(m, v)
	s.add(")")
}

func (s *statement) unit(m search.Match, v string) {
	switch {
	case m.AnyCode && m.AnySystem:
	case m.AnySystem:
		s.add(" AND ("+v+".code = ? OR "+v+".unit = ?)", m.Code, m.Code)
	case m.AnyCode:
		s.add(" AND "+v+".system = ?", m.System)
	default:
		s.add(" AND "+v+".system = ? AND "+v+".code = ?", m.System, m.Code)
	}
}
