package gate

import (
	"fmt"
	"slices"
	"strings"
)

// passed builds a rule that holds.
func passed(name, format string, args ...any) Rule {
	return Rule{Name: name, Verdict: Pass, Applied: true, Reason: fmt.Sprintf(format, args...)}
}

func hit(name string, verdict Verdict, format string, args ...any) Rule {
	return Rule{Name: name, Verdict: verdict, Applied: true, Reason: fmt.Sprintf(format, args...)}
}

// unapplied builds a rule about which the input says nothing.
func unapplied(name, format string, args ...any) Rule {
	return Rule{Name: name, Verdict: Pass, Reason: fmt.Sprintf(format, args...)}
}

func (d *decision) dataRule() Rule {
	n := 0
	for _, p := range d.parts {
		n += len(p.d)
	}
	if n == 0 {
		return hit("data", Inconclusive, "no item has a score on both sides, and no data is never a pass")
	}
	return passed("data", "%d items have a score on both sides", n)
}

func (d *decision) pairingRule() Rule {
	p := d.report.Pairing
	if p.UnpairedShare > d.policy.Pairing.MaxUnpaired {
		return hit("pairing", Inconclusive, "%d of %d items are on one side only (%s): evaluate both sides on the same items",
			p.Unpaired, p.Items, strings.Join(p.UnpairedItems, ", "))
	}
	return passed("pairing", "%d items are on one side only", p.Unpaired)
}

func (d *decision) errorsRule() Rule {
	p := d.report.Pairing
	if p.ErrorShare > d.policy.Pairing.MaxItemErrors {
		return hit("errors", Inconclusive, "%d incumbent and %d candidate items could not be scored, more than %s of a side",
			p.IncumbentErrors, p.CandidateErrors, percent(d.policy.Pairing.MaxItemErrors))
	}
	return passed("errors", "%d incumbent and %d candidate items could not be scored", p.IncumbentErrors, p.CandidateErrors)
}

// pairing counts what matched. An unpaired item is one that a side does not have at all.
func (j *joined) pairing() Pairing {
	p := Pairing{UnpairedItems: []string{}}
	var lone []int32
	for i := range j.rows {
		r := &j.rows[i]
		p.count(r)
		if inRun(r) {
			p.Items++
		}
		if inRun(r) && (r.state[incumbent] == absent || r.state[candidate] == absent) {
			p.Unpaired++
			lone = j.offerName(lone, int32(i))
		}
	}
	p.UnpairedShare = round(shareOf(p.Unpaired, p.Items))
	p.ErrorShare = round(max(shareOf(p.IncumbentErrors, p.Incumbent), shareOf(p.CandidateErrors, p.Candidate)))
	for _, at := range lone {
		p.UnpairedItems = append(p.UnpairedItems, j.benchmarks.list[j.rows[at].bench]+"/"+j.rows[at].item)
	}
	return p
}

// inRun is false for rows that only the anchor has.
func inRun(r *row) bool { return r.state[incumbent] != absent || r.state[candidate] != absent }

func (p *Pairing) count(r *row) {
	if r.state[incumbent] != absent {
		p.Incumbent++
	}
	if r.state[candidate] != absent {
		p.Candidate++
	}
	if r.state[incumbent] == failed {
		p.IncumbentErrors++
	}
	if r.state[candidate] == failed {
		p.CandidateErrors++
	}
	if r.paired(incumbent, candidate) {
		p.Paired++
	}
}

func shareOf(part, whole int) float64 {
	if whole == 0 {
		return 0
	}
	return float64(part) / float64(whole)
}

// maxNamed bounds the unpaired items that a report names.
const maxNamed = 10

// offerName puts a row into a list of the first few by name.
func (j *joined) offerName(list []int32, at int32) []int32 {
	i, _ := slices.BinarySearchFunc(list, at, func(a, b int32) int { return j.byName(&j.rows[a], &j.rows[b]) })
	if i == maxNamed {
		return list
	}
	list = slices.Insert(list, i, at)
	return list[:min(len(list), maxNamed)]
}
