package table

// The limits, as in DynamoDB.
const (
	MaxPK       = 2048      // bytes of a partition key
	MaxSK       = 1024      // bytes of a sort key
	MaxItem     = 400 << 10 // bytes of an item, names of attributes included
	MaxOps      = 100       // operations of one write; one fewer with a token
	MaxWrite    = 4 << 20   // bytes of all items of one write
	MaxPage     = 1 << 20   // bytes of a page
	MaxLimit    = 1000      // items of a page
	MaxToken    = 128       // bytes of a token
	MaxName     = 255       // bytes of a counter's name
	MaxCounter  = 1<<53 - 1 // largest absolute value of a counter given in a write
	numberBytes = 21        // the most that a number takes
	attrBytes   = 3         // name of an attribute of ours
	revTTLBytes = 2 * (attrBytes + numberBytes)
)

// Size is how many bytes an item counts for, never less than DynamoDB counts.
func Size(it Item) int {
	n := keySize(it.Key) + revTTLBytes + attrBytes + len(it.Body)
	for _, k := range it.Idx {
		n += keySize(k)
	}
	for name := range it.Num {
		n += attrBytes + len(name) + numberBytes
	}
	return n
}

func keySize(k Key) int { return 2*attrBytes + len(k.PK) + len(k.SK) }
