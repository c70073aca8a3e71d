package sqlite

import (
	"context"
	"strings"

	"github.com/perennial-llm/perennial/pkg/table"
)

// Query reads a page: at most q.Limit items and about 1 MiB. Items that expired are left out of it
// but count against the limit, as in DynamoDB.
func (t *records) Query(ctx context.Context, q table.Query) (table.Page, error) {
	last, err := table.DecodeCursor(q)
	if err != nil {
		return table.Page{}, err
	}
	from, release, err := t.source(ctx, q.Index)
	if err != nil {
		return table.Page{}, err
	}
	defer release()
	text, args := statement(q, last)
	rows, err := from.QueryContext(ctx, text, args...)
	if err != nil {
		return table.Page{}, classify("query", err)
	}
	defer func() { _ = rows.Close() }()
	p := pager{q: q}
	for rows.Next() && !p.full() {
		it, err := scan(rows)
		if err != nil {
			return table.Page{}, classify("query", err)
		}
		p.take(it)
	}
	if err := rows.Err(); err != nil {
		return table.Page{}, classify("query", err)
	}
	return p.page(t), nil
}

// pager collects a page and remembers whether there is more.
type pager struct {
	q     table.Query
	items []table.Item
	bytes int
	more  bool
}

func (p *pager) take(it table.Item) {
	p.bytes += table.Size(it)
	if len(p.items) == p.q.Limit || (p.bytes > table.MaxPage && len(p.items) > 0) {
		p.more = true
		return
	}
	p.items = append(p.items, it)
}

func (p *pager) full() bool { return p.more }

func (p *pager) page(t *records) table.Page {
	var page table.Page
	now := t.clock()
	for i := range p.items {
		if table.Live(&p.items[i], now) != nil {
			page.Items = append(page.Items, p.items[i])
		}
	}
	if p.more {
		last := p.items[len(p.items)-1]
		page.Next = table.EncodeCursor(p.q, table.Position{Key: last.Key, Index: last.Idx[p.q.Index]})
	}
	return page
}

// statement builds the range read. The order is that of the index key, then of the primary key.
func statement(q table.Query, last *table.Position) (string, []any) {
	part, sort, order := "pk", "sk", []string{"sk"}
	switch q.Index {
	case table.GSI1:
		part, sort, order = "g1p", "g1s", []string{"g1s", "pk", "sk"}
	case table.GSI2:
		part, sort, order = "g2p", "g2s", []string{"g2s", "pk", "sk"}
	}
	where, args := []string{part + " = ?"}, []any{q.PK}
	add := func(cond string, arg ...any) { where, args = append(where, cond), append(args, arg...) }
	from, to := q.From, q.To
	if q.Prefix != "" {
		from = q.Prefix
		if end := after(q.Prefix); end != "" {
			add(sort+" < ?", end)
		}
	}
	if from != "" {
		add(sort+" >= ?", from)
	}
	if to != "" {
		add(sort+" <= ?", to)
	}
	if last != nil {
		cond, values := beyond(q, order, last)
		add(cond, values...)
	}
	direction := " ASC"
	if q.Descending {
		direction = " DESC"
	}
	args = append(args, q.Limit+1)
	return `SELECT ` + columns + ` FROM items WHERE ` + strings.Join(where, " AND ") +
		` ORDER BY ` + strings.Join(order, direction+", ") + direction + ` LIMIT ?`, args
}

// beyond is the condition for what follows a position.
func beyond(q table.Query, order []string, last *table.Position) (string, []any) {
	op := " > "
	if q.Descending {
		op = " < "
	}
	if q.Index == table.Primary {
		return order[0] + op + "?", []any{last.Key.SK}
	}
	return "(" + strings.Join(order, ", ") + ")" + op + "(?, ?, ?)", []any{last.Index.SK, last.Key.PK, last.Key.SK}
}

// after is the smallest text greater than all that begin with the prefix, by bytes.
func after(prefix string) string {
	b := []byte(prefix)
	for i := len(b) - 1; i >= 0; i-- {
		if b[i] < 0xff {
			b[i]++
			return string(b[:i+1])
		}
	}
	return ""
}
