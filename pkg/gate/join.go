package gate

import (
	"fmt"
	"math"
)

// side says which of the three result streams is being read.
type side int

const (
	incumbent side = iota
	candidate
	anchor
	sides
)

func (s side) String() string { return [...]string{"incumbent", "candidate", "anchor"}[s] }

// row is one item over all sides. Names are numbers here, so that a million items fit in memory.
type row struct {
	score                [sides]float64
	line                 [2]int32 // of incumbent and candidate, to find their outputs again
	state                [sides]state
	bench, cap, cluster  int32
	item                 string
	golden, contaminated bool
	clusterHash          uint32 // of the cluster's name, to compare sides without a look-up
}

type state uint8

const (
	absent state = iota
	scored
	failed
)

// joined is the items of all sides, matched.
type joined struct {
	rows       []row
	index      index
	benchmarks names
	caps       names
	clusters   []names    // by benchmark
	last       int32      // row found last
	locks      []lockSeen // by benchmark
	speed      [sides]speed
	sources    [sides]sourceSeen
	problems   problems
	in         Input
}

type speed struct {
	latency []float32
	tokens  int
	counted int
}

// names numbers strings in order of appearance.
type names struct {
	list  []string
	index map[string]int32
	last  int32 // numbered last: mostly the same again
}

func (n *names) id(s string) int32 {
	if int(n.last) < len(n.list) && n.list[n.last] == s {
		return n.last
	}
	id, ok := n.index[s]
	if !ok {
		id = n.add(s)
	}
	n.last = id
	return id
}

func (n *names) add(s string) int32 {
	if n.index == nil {
		n.index = map[string]int32{}
	}
	id := int32(len(n.list))
	n.list, n.index[s] = append(n.list, s), id
	return id
}

// join reads all sides once. The error is the caller's stream failing; wrong results are problems.
func join(in Input) (*joined, error) {
	j := &joined{in: in}
	for s, results := range [...]Results{in.Incumbent, in.Candidate, in.Anchor} {
		if results == nil {
			continue
		}
		if err := j.read(side(s), results); err != nil {
			return nil, fmt.Errorf("read %s results: %w", side(s), err)
		}
	}
	return j, j.problems.err()
}

func (j *joined) read(s side, results Results) error {
	n := 0
	j.last = -1
	for r, err := range results {
		n++
		if err != nil {
			problem, ok := asProblem(err)
			if !ok {
				return err
			}
			j.problems.add(problem)
			continue
		}
		j.add(s, &r, n)
	}
	return nil
}

func (j *joined) add(s side, r *Result, n int) {
	if message, hint := r.check(); message != "" {
		j.problem(s, r, n, message, hint)
		return
	}
	bench := j.benchmarks.id(r.Benchmark)
	if !j.sameLock(s, r, n, bench) {
		return
	}
	at, fresh := j.rowOf(bench, r)
	if !fresh && !j.sameItem(s, r, n, at) {
		return
	}
	j.fill(s, r, at)
}

// check finds what is wrong with a result by itself.
func (r *Result) check() (message, hint string) {
	switch {
	case r.Benchmark == "":
		return "no benchmark", `add "benchmark"`
	case r.Lock == "":
		return "no lock", `add the "lock" that evaluation ran under`
	case r.Item == "":
		return "no item", `add "item", unique within the benchmark`
	case r.Capability == "":
		return "no capability", `add "capability"`
	case r.Error == "" && !(r.Score >= 0 && r.Score <= 1):
		return fmt.Sprintf("the score %v is not from 0 to 1", r.Score), `scale it, or give an "error"`
	case r.LatencyMs < 0 || r.Tokens < 0:
		return "latencyMs or tokens are below 0", "leave out what was not measured"
	}
	return "", ""
}

func (j *joined) rowOf(bench int32, r *Result) (at int32, fresh bool) {
	if int(bench) == len(j.clusters) {
		j.clusters = append(j.clusters, names{})
	}
	if at, ok := j.find(bench, r.Item); ok {
		return at, false
	}
	at = int32(len(j.rows))
	j.rows = append(j.rows, row{
		bench: bench, item: r.Item, cap: j.caps.id(r.Capability), cluster: j.cluster(bench, r.Cluster), clusterHash: nameHash(r.Cluster),
		contaminated: j.in.Contaminated != nil && j.in.Contaminated[r.Benchmark+"/"+r.Item],
	})
	j.index.add(j.rows)
	return at, true
}

// find looks an item up. Files mostly hold the same items in the same order, so the row after the last one
// found is tried first: that spares most of the second file's look-ups.
func (j *joined) find(bench int32, item string) (at int32, ok bool) {
	if next := j.last + 1; int(next) < len(j.rows) && j.rows[next].bench == bench && j.rows[next].item == item {
		j.last = next
		return next, true
	}
	if at, ok = j.index.find(j.rows, bench, item); ok {
		j.last = at
	}
	return at, ok
}

// cluster numbers the clusters of a benchmark; −1 is none.
func (j *joined) cluster(bench int32, name string) int32 {
	if name == "" {
		return -1
	}
	return j.clusters[bench].id(name)
}

// nameHash is FNV-1a; a chance of one in four billion to miss a changed cluster is small enough.
func nameHash(name string) uint32 {
	h := uint32(2166136261)
	for i := 0; i < len(name); i++ {
		h = (h ^ uint32(name[i])) * 16777619
	}
	return h
}

func (j *joined) fill(s side, r *Result, at int32) {
	row := &j.rows[at]
	row.golden = row.golden || r.MustPass
	j.place(s, r, row)
	row.state[s], row.score[s] = scored, r.Score
	if r.Error != "" {
		row.state[s], row.score[s] = failed, 0
	}
	sp := &j.speed[s]
	if r.LatencyMs > 0 {
		sp.latency = append(sp.latency, float32(r.LatencyMs))
	}
	if r.Tokens > 0 {
		sp.tokens, sp.counted = sp.tokens+r.Tokens, sp.counted+1
	}
}

// sameItem refuses a repeated item on one side and a changed capability or cluster between sides.
func (j *joined) sameItem(s side, r *Result, n int, at int32) bool {
	row := &j.rows[at]
	switch {
	case row.state[s] != absent:
		j.problem(s, r, n, fmt.Sprintf("item %s of %s occurs twice", r.Item, r.Benchmark), "keep one line per item")
	case j.caps.list[row.cap] != r.Capability:
		j.problem(s, r, n, fmt.Sprintf("item %s of %s has capability %q here and %q elsewhere",
			r.Item, r.Benchmark, r.Capability, j.caps.list[row.cap]), "evaluate both sides with the same benchmark")
	case row.clusterHash != nameHash(r.Cluster):
		j.problem(s, r, n, fmt.Sprintf("item %s of %s is in another cluster than on the other side", r.Item, r.Benchmark),
			"evaluate both sides with the same benchmark")
	default:
		return true
	}
	return false
}

func (j *joined) problem(s side, r *Result, n int, message, hint string) {
	where := fmt.Sprintf("%s, result %d", s, n)
	if r.source != nil {
		where = fmt.Sprintf("%s:%d", r.source.name, r.line)
	}
	j.problems.add(Problem{Where: where, Message: message, Hint: hint})
}

// paired tells whether the row has a score on both sides.
func (r row) paired(a, b side) bool { return r.state[a] == scored && r.state[b] == scored }

func (r row) diff(a, b side) float64 { return r.score[b] - r.score[a] }

func round(x float64) float64 { return math.Round(x*1e10) / 1e10 }
