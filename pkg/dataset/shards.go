package dataset

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"hash"
	"io"

	"github.com/klauspost/compress/gzip"

	"github.com/perennial-llm/perennial/pkg/dataset/rows"
	"github.com/perennial-llm/perennial/pkg/errs"
	"github.com/perennial-llm/perennial/pkg/object"
)

// idSize is the size of one entry of an id file: the row's id and the id of its prompt, in order of rows.
const idSize = 24

// shardWriter cuts rows into shards. A shard's name is the digest of its bytes, so it is kept in memory,
// compressed, until it is whole. Equal rows in equal order give equal shards.
type shardWriter struct {
	ctx       context.Context
	objects   object.Store
	ingestion string
	policy    Policy
	out       chunks
	sum       hash.Hash
	zip       *gzip.Writer
	idents    chunks
	raw       int // bytes before compression
	shard     Shard
	shards    []Shard
}

func newShardWriter(ctx context.Context, objects object.Store, ingestion string, p Policy) *shardWriter {
	w := &shardWriter{ctx: ctx, objects: objects, ingestion: ingestion, policy: p, sum: sha256.New(), shards: []Shard{}}
	w.zip, _ = gzip.NewWriterLevel(io.Discard, gzip.BestSpeed) // the level is valid
	w.reset()
	return w
}

func (w *shardWriter) reset() {
	w.out.reset()
	w.idents.reset()
	w.sum.Reset()
	w.zip.Reset(io.MultiWriter(&w.out, w.sum))
	w.raw, w.shard = 0, Shard{Ingestion: w.ingestion}
}

// add appends a row, given as its published line.
func (w *shardWriter) add(r *rows.Row, id rows.ID, line []byte) error {
	if w.shard.Rows > 0 && (w.shard.Rows >= w.policy.ShardRows || w.raw+len(line) > w.policy.ShardBytes) {
		if err := w.flush(); err != nil {
			return err
		}
	}
	if _, err := w.zip.Write(line); err != nil {
		return fmt.Errorf("compress row: %w", err)
	}
	prompt := r.PromptID()
	w.idents.append(id[:])
	w.idents.append(prompt[:])
	w.raw += len(line)
	w.shard.Rows++
	w.shard.Stats.addRow(r)
	return nil
}

// flush stores the shard with its id file.
func (w *shardWriter) flush() error {
	if w.shard.Rows == 0 {
		return nil
	}
	if err := w.zip.Close(); err != nil {
		return fmt.Errorf("compress shard: %w", err)
	}
	sum := hex.EncodeToString(w.sum.Sum(nil))
	w.shard.Key, w.shard.IDs, w.shard.SHA256, w.shard.Bytes = shardKey(sum), shardIDs(sum), sum, w.out.size
	if err := w.put(w.shard.IDs, w.idents.reader(), ""); err != nil {
		return err
	}
	if err := w.put(w.shard.Key, w.out.reader(), sum); err != nil {
		return err
	}
	w.shards = append(w.shards, w.shard)
	w.reset()
	return nil
}

// put stores an immutable object; that it is there already is fine.
func (w *shardWriter) put(key string, r io.Reader, sum string) error {
	_, err := w.objects.Put(w.ctx, key, r, object.PutOptions{IfAbsent: true, SHA256: sum})
	if errs.Is(err, errs.Conflict) {
		return nil
	}
	if err != nil {
		return fmt.Errorf("store %s: %w", key, err)
	}
	return nil
}

// chunks is a buffer that grows without copying and keeps its memory for the next shard.
type chunks struct {
	full [][]byte // the used ones, each of chunkSize but the last
	free [][]byte
	size int64
}

const chunkSize = 256 << 10

func (c *chunks) reset() {
	c.free = append(c.free, c.full...)
	c.full, c.size = c.full[:0], 0
}

// Write appends; it never fails.
func (c *chunks) Write(p []byte) (int, error) {
	c.append(p)
	return len(p), nil
}

func (c *chunks) append(p []byte) {
	c.size += int64(len(p))
	for len(p) > 0 {
		last := len(c.full) - 1
		if last < 0 || len(c.full[last]) == chunkSize {
			c.full = append(c.full, c.chunk())
			last++
		}
		n := min(len(p), chunkSize-len(c.full[last]))
		c.full[last] = append(c.full[last], p[:n]...)
		p = p[n:]
	}
}

func (c *chunks) chunk() []byte {
	if n := len(c.free); n > 0 {
		b := c.free[n-1]
		c.free = c.free[:n-1]
		return b[:0]
	}
	return make([]byte, 0, chunkSize)
}

func (c *chunks) reader() io.Reader {
	parts := make([]io.Reader, len(c.full))
	for i, b := range c.full {
		parts[i] = bytes.NewReader(b)
	}
	return io.MultiReader(parts...)
}
