package bulk

import "context"

// Each gives the results of a job in the order of the lines, as far as there are any, and
// holds those of one chunk in memory. It stops at the first error.
func (s *Service) Each(ctx context.Context, j Job, do func(Result) error) error {
	for n := range j.Next {
		done, err := s.results(ctx, chunkID(j.ID, n))
		if err != nil {
			return err
		}
		for _, r := range done {
			if err := do(r); err != nil {
				return err
			}
		}
	}
	return nil
}
