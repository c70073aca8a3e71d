package gate

import (
	"cmp"
	"math"
	"slices"
)

// wanted is an item to be shown with both outputs.
type wanted struct {
	key itemKey
	at  int32
}

// examples fills in forgotten, gained and failed golden items, reading the streams once more for outputs.
func (d *decision) examples() error {
	var forgotten, gained, golden []wanted
	for key, at := range d.j.items {
		r := &d.j.rows[at]
		if r.golden && r.state[candidate] == scored && r.score[candidate] < passScore {
			golden = append(golden, wanted{key, at})
		}
		if !r.paired(incumbent, candidate) || (d.clean && r.contaminated) {
			continue
		}
		if diff := r.diff(incumbent, candidate); diff <= -0.5 {
			forgotten = append(forgotten, wanted{key, at})
		} else if diff >= 0.5 {
			gained = append(gained, wanted{key, at})
		}
	}
	lists := [][]wanted{d.choose(forgotten), d.choose(gained), d.choose(golden)}
	outputs, err := d.outputs(lists)
	if err != nil {
		return err
	}
	d.report.Forgotten = d.show(lists[0], outputs)
	d.report.Gained = d.show(lists[1], outputs)
	d.report.Golden.Failed = d.show(lists[2], outputs)
	return nil
}

// choose keeps the most telling: must-pass items first, then the largest changes, then by name.
func (d *decision) choose(list []wanted) []wanted {
	slices.SortFunc(list, func(a, b wanted) int {
		x, y := &d.j.rows[a.at], &d.j.rows[b.at]
		return cmp.Or(
			-cmp.Compare(btoi(x.golden), btoi(y.golden)),
			-cmp.Compare(math.Abs(x.diff(incumbent, candidate)), math.Abs(y.diff(incumbent, candidate))),
			cmp.Compare(d.j.benchmarks.list[a.key.bench], d.j.benchmarks.list[b.key.bench]),
			cmp.Compare(a.key.item, b.key.item))
	})
	return list[:min(len(list), MaxExamples)]
}

func btoi(b bool) int {
	if b {
		return 1
	}
	return 0
}

// shown is what the streams say about an item beyond its scores.
type shown struct {
	output         [sides]string
	prompt, target string
}

func (d *decision) outputs(lists [][]wanted) (map[int32]*shown, error) {
	out := map[int32]*shown{}
	for _, list := range lists {
		for _, w := range list {
			out[w.at] = &shown{}
		}
	}
	for s, results := range [...]Results{d.j.in.Incumbent, d.j.in.Candidate} {
		if err := d.collect(side(s), results, out); err != nil {
			return nil, err
		}
	}
	return out, nil
}

// collect stops reading as soon as every wanted item was seen.
func (d *decision) collect(s side, results Results, out map[int32]*shown) error {
	left := len(out)
	if results == nil || left == 0 {
		return nil
	}
	d.j.last = -1
	for r, err := range results {
		if err != nil {
			return err
		}
		at, ok := d.j.find(d.j.benchmarks.index[r.Benchmark], r.Item)
		if item := out[at]; ok && item != nil {
			item.output[s] = clip(r.Output)
			item.prompt, item.target = cmp.Or(item.prompt, r.Prompt), cmp.Or(item.target, r.Target)
			if left--; left == 0 {
				return nil
			}
		}
	}
	return nil
}

// maxText bounds the text of an example, so that a report stays a page and not a corpus.
const maxText = 4000

func clip(s string) string {
	if len(s) <= maxText {
		return s
	}
	cut := maxText
	for cut > 0 && s[cut]&0xc0 == 0x80 {
		cut--
	}
	return s[:cut] + "…"
}

func (d *decision) show(list []wanted, outputs map[int32]*shown) []Flip {
	out := make([]Flip, 0, len(list))
	for _, w := range list {
		r, text := &d.j.rows[w.at], outputs[w.at]
		bench := d.j.benchmarks.list[w.key.bench]
		prompt, target := d.describe(bench, w.key.item)
		out = append(out, Flip{
			Benchmark: bench, Item: w.key.item, Capability: d.j.caps.list[r.cap], MustPass: r.golden,
			Prompt: clip(cmp.Or(prompt, text.prompt)), Target: clip(cmp.Or(target, text.target)),
			OldScore: r.score[incumbent], NewScore: r.score[candidate],
			OldOutput: text.output[incumbent], NewOutput: text.output[candidate],
		})
	}
	return out
}

// describe asks the caller, whose words are the benchmark's own; results may carry a prompt in a chat template.
func (d *decision) describe(bench, item string) (prompt, target string) {
	if d.j.in.Describe == nil {
		return "", ""
	}
	return d.j.in.Describe(bench, item)
}
