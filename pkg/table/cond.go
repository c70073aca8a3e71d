package table

import "time"

// Live gives it back while it has not expired, else nil: to the port an expired item is absent.
func Live(it *Item, now time.Time) *Item {
	if it == nil || (!it.TTL.IsZero() && it.TTL.Unix() <= now.Unix()) {
		return nil
	}
	return it
}

// Holds tells whether the condition holds for a live item; nil is an absent one. Adapters and the
// model of the tests share it, so that a condition has one meaning.
func Holds(c Cond, it *Item) bool {
	switch c.Kind {
	case Always:
		return true
	case NotExists:
		return it == nil
	case Exists:
		return it != nil
	case RevEq:
		return it != nil && it.Rev == c.Val
	default:
		return it != nil && counterHolds(c, it.Num)
	}
}

func counterHolds(c Cond, num map[string]int64) bool {
	n, ok := num[c.Name]
	if !ok {
		return false
	}
	switch c.Kind {
	case NumEq:
		return n == c.Val
	case NumLT:
		return n < c.Val
	case NumGE:
		return n >= c.Val
	default:
		return false
	}
}

// Apply gives the state of the op's item after the op, nil when there is none. The live state before
// it is it (nil = absent), which is not changed.
func Apply(op Op, it *Item) *Item {
	switch op.Kind {
	case Put:
		return put(op.Item, it)
	case Add:
		return add(op.Item, it)
	case Delete:
		return nil
	default:
		return it
	}
}

func put(next Item, it *Item) *Item {
	next.Rev = 1
	if it != nil {
		next.Rev = it.Rev + 1
	}
	if !next.TTL.IsZero() {
		next.TTL = time.Unix(next.TTL.Unix(), 0).UTC()
	}
	return &next
}

func add(delta Item, it *Item) *Item {
	next := Item{Key: delta.Key}
	if it != nil {
		next = *it
	}
	num := make(map[string]int64, len(next.Num)+len(delta.Num))
	for name, n := range next.Num {
		num[name] = n
	}
	for name, d := range delta.Num {
		num[name] += d
	}
	next.Num = num
	next.Rev++
	return &next
}
