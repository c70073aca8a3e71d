package gate

import (
	"cmp"
	"math"
	"slices"
)

// examples fills in forgotten, gained and failed golden items, reading the streams once more for outputs.
func (d *decision) examples() error {
	var forgotten, gained, golden []int32
	for i := range d.j.rows {
		r, at := &d.j.rows[i], int32(i)
		if r.golden && r.state[candidate] == scored && r.score[candidate] < passScore {
			golden = d.offer(golden, at)
		}
		if !r.paired(incumbent, candidate) || (d.clean && r.contaminated) {
			continue
		}
		if diff := r.diff(incumbent, candidate); diff <= -0.5 {
			forgotten = d.offer(forgotten, at)
		} else if diff >= 0.5 {
			gained = d.offer(gained, at)
		}
	}
	outputs, err := d.outputs([][]int32{forgotten, gained, golden})
	if err != nil {
		return err
	}
	d.report.Forgotten = d.show(forgotten, outputs)
	d.report.Gained = d.show(gained, outputs)
	d.report.Golden.Failed = d.show(golden, outputs)
	return nil
}

// offer puts a row into a list of the MaxExamples most telling ones.
func (d *decision) offer(list []int32, at int32) []int32 {
	i, _ := slices.BinarySearchFunc(list, at, d.moreTelling)
	if i == MaxExamples {
		return list
	}
	list = slices.Insert(list, i, at)
	return list[:min(len(list), MaxExamples)]
}

// moreTelling orders must-pass items first, then the largest changes, then by name.
func (d *decision) moreTelling(a, b int32) int {
	x, y := &d.j.rows[a], &d.j.rows[b]
	return cmp.Or(
		-cmp.Compare(btoi(x.golden), btoi(y.golden)),
		-cmp.Compare(math.Abs(x.diff(incumbent, candidate)), math.Abs(y.diff(incumbent, candidate))),
		d.j.byName(x, y))
}

// byName orders rows by benchmark and item.
func (j *joined) byName(x, y *row) int {
	if x.bench == y.bench {
		return cmp.Compare(x.item, y.item)
	}
	return cmp.Compare(j.benchmarks.list[x.bench], j.benchmarks.list[y.bench])
}

func btoi(b bool) int {
	if b {
		return 1
	}
	return 0
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

func (d *decision) show(list []int32, outputs map[int32]*shown) []Flip {
	out := make([]Flip, 0, len(list))
	for _, at := range list {
		r, text := &d.j.rows[at], outputs[at]
		bench := d.j.benchmarks.list[r.bench]
		prompt, target := d.describe(bench, r.item)
		out = append(out, Flip{
			Benchmark: bench, Item: r.item, Capability: d.j.caps.list[r.cap], MustPass: r.golden,
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
