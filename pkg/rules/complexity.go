package rules

const complexRule = "Rule is too complex - try using fewer wildcard characters or fewer repeating character sequences after a wildcard character"

// maxComplexity bounds how many positions in the wildcards of one field one text can be at. AWS does not
// publish its bound: recordings show 7 accepted and 11 refused.
const maxComplexity = 10

// maxSets bounds the search for the worst text.
const maxSets = 4096

// tooComplex tells whether the wildcards of some field are too many to follow at once.
func tooComplex(branches []branch) bool {
	for _, b := range branches {
		for _, tests := range b {
			var all []wildcard
			for _, t := range tests {
				all = append(all, t.wild...)
			}
			if len(all) > 0 && complexity(all) > maxComplexity {
				return true
			}
		}
	}
	return false
}

// place is a position in one of several wildcards: everything before it has matched.
type place struct{ wildcard, at int }

// complexity is the largest number of places that one text can reach at once, found by following every
// set of places over the bytes that occur. A place that only a star keeps alive counts like the others.
func complexity(all []wildcard) int {
	start := map[place]bool{}
	for i := range all {
		start[place{i, 0}] = true
	}
	seen := map[string]bool{}
	queue := []map[place]bool{start}
	most := 0
	for len(queue) > 0 && len(seen) < maxSets {
		set := queue[0]
		queue = queue[1:]
		for _, char := range bytesOf(all) {
			next := step(all, set, char)
			if id := identity(all, next); len(next) > 0 && !seen[id] {
				seen[id] = true
				queue = append(queue, next)
				most = max(most, len(next))
			}
		}
	}
	return most
}

// bytesOf are the bytes that occur in the wildcards, and one that does not stands for all others.
func bytesOf(all []wildcard) []byte {
	var in [256]bool
	for _, w := range all {
		for _, t := range w {
			if !t.star {
				in[t.char] = true
			}
		}
	}
	var out []byte
	other := false
	for c := range 256 {
		if in[c] || !other {
			out = append(out, byte(c))
		}
		other = other || !in[c]
	}
	return out
}

// step follows a byte from every place. The result counts a star once it has been reached.
func step(all []wildcard, set map[place]bool, char byte) map[place]bool {
	next := map[place]bool{}
	for p := range set {
		all[p.wildcard].follow(p, char, next)
	}
	for p := range next {
		if w := all[p.wildcard]; p.at < len(w) && w[p.at].star {
			next[place{p.wildcard, p.at + 1}] = true
		}
	}
	return next
}

// follow adds the places that a byte leads to from p.
func (w wildcard) follow(p place, char byte, into map[place]bool) {
	if p.at > 0 && w[p.at-1].star {
		into[p] = true
	}
	if p.at < len(w) && w[p.at].star {
		p.at++
		into[p] = true
	}
	if p.at < len(w) && w[p.at].char == char {
		into[place{p.wildcard, p.at + 1}] = true
	}
}

func identity(all []wildcard, set map[place]bool) string {
	var id []byte
	for i, w := range all {
		for at := 0; at <= len(w); at++ {
			if set[place{i, at}] {
				id = append(id, byte(i), byte(i>>8), byte(at), byte(at>>8))
			}
		}
	}
	return string(id)
}
