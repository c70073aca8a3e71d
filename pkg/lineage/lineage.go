// Package lineage keeps the graph of what came from what: object → ingestion → shard → dataset
// version → run → model version → deployment. Edges are written in the transaction of the change
// that makes them true; one query walks them forward or backward.
package lineage

import (
	"encoding/json"
	"fmt"
	"strings"

	"github.com/perennial-llm/perennial/pkg/errs"
	"github.com/perennial-llm/perennial/pkg/table"
)

// The node types that this package's helpers know by name. Other types are allowed.
const (
	Object         = "object"         // id: the object key
	Ingestion      = "ingestion"      // id: the ingestion id
	Shard          = "shard"          // id: the SHA-256 of the shard, in hex
	DatasetVersion = "datasetVersion" // id: "<dataset>@<number>"
	Run            = "run"            // id: the run id
	ModelVersion   = "modelVersion"   // id: "<model>@<number>"
	Deployment     = "deployment"     // id: the release id or the environment
)

// Node is one thing in the graph.
type Node struct {
	Type string `json:"type"`
	ID   string `json:"id"`
}

// String gives "type:id", the form that Parse reads.
func (n Node) String() string { return n.Type + ":" + n.ID }

// Parse reads "type:id".
func Parse(s string) (Node, error) {
	t, id, ok := strings.Cut(s, ":")
	if !ok || t == "" || id == "" {
		return Node{}, errs.New(errs.Invalid, "%q names no node of the lineage", s).
			Mend("write type:id, such as datasetVersion:support@3")
	}
	return Node{Type: t, ID: id}, nil
}

// VersionNode is the node of a numbered version of a dataset.
func VersionNode(dataset string, number int) Node {
	return Node{Type: DatasetVersion, ID: fmt.Sprintf("%s@%d", dataset, number)}
}

// Link is one edge: To was made from From.
type Link struct {
	From Node `json:"from"`
	To   Node `json:"to"`
}

// Edge makes the operation that records that to was made from from. Writing it twice changes nothing;
// one transaction may hold it once.
func Edge(from, to Node) table.Op {
	body, err := json.Marshal(Link{From: from, To: to})
	if err != nil {
		panic(fmt.Sprintf("lineage: edge %s to %s: %v", from, to, err))
	}
	return table.Op{Kind: table.Put, Item: table.Item{
		Key:  table.Key{PK: partition(from), SK: sort(to)},
		Idx:  map[table.Index]table.Key{table.GSI1: {PK: partition(to), SK: sort(from)}},
		Body: body,
	}}
}

func partition(n Node) string { return "EDGE#" + sort(n) }

func sort(n Node) string { return n.Type + "#" + n.ID }
