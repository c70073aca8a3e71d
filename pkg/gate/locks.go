package gate

import (
	"cmp"
	"fmt"

	"github.com/perennial-llm/perennial/pkg/benchmark"
)

// lockSeen is the lock under which a benchmark was met first.
type lockSeen struct {
	lock string
	side side
	told [sides]bool // the problem was told once for this side
}

// sameLock refuses a second lock for a benchmark, on any side.
func (j *joined) sameLock(s side, r *Result, n int, bench int32) bool {
	if int(bench) == len(j.locks) {
		j.locks = append(j.locks, lockSeen{lock: r.Lock, side: s})
	}
	seen := j.locks[bench]
	if seen.lock == r.Lock {
		return true
	}
	if seen.told[s] {
		return false
	}
	j.locks[bench].told[s] = true
	what, find := j.lockDifference(r.Benchmark, seen.lock, r.Lock)
	j.problem(s, r, n, fmt.Sprintf("the lock %s of %s differs from the %s's %s: results under different locks are not compared; %s",
		benchmark.ShortLock(r.Lock), r.Benchmark, seen.side, benchmark.ShortLock(seen.lock), what), rerun(s, seen, r)+find)
	return false
}

// lockDifference names the parts that differ, or says how to find them out.
func (j *joined) lockDifference(name, a, b string) (what, find string) {
	x, y := j.lockParts(name, a), j.lockParts(name, b)
	if x == nil || y == nil {
		return "a lock that is a digest does not say which part",
			"; perennial benchmark lock A B names the part that differs, given the benchmark's folder under each lock"
	}
	differ := benchmark.DifferentParts(x, y)
	return "they differ in " + cmp.Or(benchmark.NameParts(differ), "no part that is recorded"), ""
}

func (j *joined) lockParts(name, lock string) map[string]string {
	if parts := benchmark.LockParts(lock); parts != nil || j.in.Parts == nil {
		return parts
	}
	return j.in.Parts(name, lock)
}

// rerun says which side to evaluate again: the older model, under the candidate's lock.
func rerun(s side, seen lockSeen, r *Result) string {
	if seen.side == s {
		return fmt.Sprintf("evaluate the %s again, all of %s under one lock", s, r.Benchmark)
	}
	older, lock := seen.side, r.Lock
	if s == anchor {
		older, lock = anchor, seen.lock
	}
	return fmt.Sprintf("evaluate the %s again on %s under lock %s", older, r.Benchmark, benchmark.ShortLock(lock))
}
