package gate

import "cmp"

// sourceSeen is where one side's results came from.
type sourceSeen struct {
	only  *source // the last one met
	mixed bool    // not from a single file
}

// place remembers where a result was read.
func (j *joined) place(s side, r *Result, row *row) {
	seen := &j.sources[s]
	seen.mixed = seen.mixed || r.source == nil || (seen.only != nil && seen.only != r.source)
	seen.only = r.source
	if s != anchor {
		row.line[s] = int32(r.line)
	}
}

// shown is what the streams say about an item beyond its scores.
type shown struct {
	output         [sides]string
	prompt, target string
}

func (d *decision) outputs(lists [][]int32) (map[int32]*shown, error) {
	out := map[int32]*shown{}
	for _, list := range lists {
		for _, at := range list {
			out[at] = &shown{}
		}
	}
	for s, results := range [...]Results{d.j.in.Incumbent, d.j.in.Candidate} {
		if err := d.collect(side(s), results, out); err != nil {
			return nil, err
		}
	}
	return out, nil
}

func (x *shown) take(s side, r Result) {
	x.output[s] = clip(r.Output)
	x.prompt, x.target = cmp.Or(x.prompt, r.Prompt), cmp.Or(x.target, r.Target)
}

func (d *decision) collect(s side, results Results, out map[int32]*shown) error {
	wanted := make(map[int32]*shown, len(out))
	for at, item := range out {
		if d.j.rows[at].state[s] != absent {
			wanted[at] = item
		}
	}
	if len(wanted) == 0 {
		return nil
	}
	if seen := d.j.sources[s]; !seen.mixed {
		return d.reread(s, seen.only, wanted)
	}
	return d.search(s, results, wanted)
}

// reread parses the lines of the wanted rows alone, which in a large file in any order spares a second full reading.
func (d *decision) reread(s side, from *source, wanted map[int32]*shown) (err error) {
	lines := make(map[int]*shown, len(wanted))
	for at, item := range wanted {
		lines[int(d.j.rows[at].line[s])] = item
	}
	from.read(func(line int) bool { return lines[line] != nil }, func(r Result, problem error) bool {
		if err = problem; err != nil {
			return false
		}
		lines[r.line].take(s, r)
		delete(lines, r.line)
		return len(lines) > 0
	})
	return err
}

// search stops reading as soon as every wanted row was seen.
func (d *decision) search(s side, results Results, wanted map[int32]*shown) error {
	d.j.last = -1
	for r, err := range results {
		if err != nil {
			return err
		}
		at, ok := d.j.find(d.j.benchmarks.index[r.Benchmark], r.Item)
		if item := wanted[at]; ok && item != nil {
			item.take(s, r)
			delete(wanted, at)
		}
		if len(wanted) == 0 {
			return nil
		}
	}
	return nil
}
