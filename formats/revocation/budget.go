package revocation

// The size budget: what a publication of BudgetRevocations may cost a verifier, in bytes. A
// benchmark in trust/revocation holds it.
const (
	BudgetRevocations = 10_000_000
	BudgetFilters     = 24 << 20 // all filters together
	BudgetSlice       = 64 << 10 // one slice: what confirms a hit of the filter
	BudgetManifest    = 256 << 10
)
