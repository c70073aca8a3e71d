package gate

import "fmt"

// advice says how many items would settle whether a loss of margin is excluded, so that a person who reads "not shown"
// knows what to do. It is empty where nothing was measured.
func (s sample) advice(margin, alpha float64) string {
	if s.n() == 0 || margin <= 0 {
		return ""
	}
	need, delta := s.itemsFor(margin, alpha), s.pooled.Estimate
	switch {
	case need > s.n():
		return fmt.Sprintf("; too few items: with as many flips, equal models need about %s to show it", s.amount(need))
	case delta > -margin && delta < 0:
		return fmt.Sprintf("; if the change is truly %s, about %s would show it", signed(delta), s.amount(s.itemsFor(margin+delta, alpha)))
	}
	return "; more items hardly help: equal models would have shown it in four of five cases"
}

// amount writes a number of items; where they are clustered or of several benchmarks, all of these have to grow alike.
func (s sample) amount(items int) string {
	switch {
	case len(s.strata) > 1:
		return fmt.Sprintf("%d items, %.1f times as many of each benchmark", items, float64(items)/float64(s.n()))
	case s.clusters > 0:
		return fmt.Sprintf("%d items in %.1f times as many clusters", items, float64(items)/float64(s.n()))
	}
	return fmt.Sprintf("%d items", items)
}
