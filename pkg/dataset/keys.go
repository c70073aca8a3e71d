package dataset

import (
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"strings"

	"github.com/perennial-llm/perennial/pkg/lineage"
	"github.com/perennial-llm/perennial/pkg/table"
)

func datasetKey(id string) table.Key { return table.Key{PK: "DATASET#" + id, SK: "META"} }
func sourceKey(id string) table.Key  { return table.Key{PK: "SOURCE#" + id, SK: "META"} }

func versionKey(dataset string, n int) table.Key {
	return table.Key{PK: "DATASET#" + dataset, SK: fmt.Sprintf("VERSION#%06d", n)}
}

func ingestionKey(id string) table.Key { return table.Key{PK: "INGESTION#" + id, SK: "META"} }
func progressKey(id string) table.Key  { return table.Key{PK: "INGESTION#" + id, SK: "PROGRESS"} }

// tokenKey keeps one waiting execution's token; several may wait when an execution was started twice.
func tokenKey(id, token string) table.Key {
	return table.Key{PK: "INGESTION#" + id, SK: "TOKEN#" + hexDigest([]byte(token))}
}

// arrivalKey is the row that makes one object version arrive once.
func arrivalKey(o Object) table.Key {
	return table.Key{PK: "ARRIVAL#" + hexDigest([]byte(o.Key+"\x00"+o.Version)), SK: "META"}
}

// openKey lists the ingestions that a sweep looks after.
func openKey(id string) table.Key { return table.Key{PK: "OPEN#INGESTIONS", SK: id} }

func open(id string) table.Op {
	op := table.Save(openKey(id), arrival{id}, 0, nil)
	op.If = table.Cond{}
	return op
}

func saveDataset(d Dataset, rev int64) table.Op {
	return table.Save(datasetKey(d.ID), d, rev, index("DATASETS", d.ID))
}

func saveSource(s Source, rev int64) table.Op {
	return table.Save(sourceKey(s.ID), s, rev, index("SOURCES", s.Dataset+"#"+s.ID))
}

func saveIngestion(i Ingestion, rev int64) table.Op {
	return table.Save(ingestionKey(i.ID), i, rev, map[table.Index]table.Key{
		table.GSI1: {PK: "INGESTIONS", SK: i.ID}, table.GSI2: {PK: "INGESTIONS#" + i.Dataset, SK: i.ID}})
}

func saveVersion(v Version, rev int64) table.Op {
	v.Shards = nil // they stand in the manifest: an item has room for few
	return table.Save(versionKey(v.Dataset, v.Number), v, rev, nil)
}

func index(pk, sk string) map[table.Index]table.Key {
	return map[table.Index]table.Key{table.GSI1: {PK: pk, SK: sk}}
}

// IncomingKey is where an upload of a dataset arrives.
func IncomingKey(dataset, name string) string { return "incoming/" + dataset + "/" + name }

func shardKey(sum string) string       { return "shards/" + sum + ".jsonl.gz" }
func shardIDs(sum string) string       { return "shards/" + sum + ".ids" }
func reportKey(id string) string       { return "ingestions/" + id + "/report.json" }
func rejectsKey(id, ext string) string { return "ingestions/" + id + "/quarantine." + ext }

func manifestKey(dataset, digest string) string {
	return "datasets/" + dataset + "/" + strings.TrimPrefix(digest, "sha256:") + "/manifest.json"
}

func hexDigest(b []byte) string {
	sum := sha256.Sum256(b)
	return hex.EncodeToString(sum[:])
}

// mostNodeID keeps node ids within a sort key.
const mostNodeID = 800

func objectNode(o Object) lineage.Node {
	id := o.Key
	if len(id) > mostNodeID {
		id = "sha256:" + hexDigest([]byte(id))
	}
	return lineage.Node{Type: lineage.Object, ID: id}
}

func ingestionNode(id string) lineage.Node { return lineage.Node{Type: lineage.Ingestion, ID: id} }
func shardNode(s Shard) lineage.Node       { return lineage.Node{Type: lineage.Shard, ID: s.SHA256} }
