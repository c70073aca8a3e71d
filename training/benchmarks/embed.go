// Package benchmarks embeds the suites that ship with the platform: the self-authored one for a single
// machine (perennial-*, each with lock.json and items.jsonl) and the configurations of the standard library
// (library.json).
package benchmarks

import "embed"

// Files holds the suites and the library, by the paths in this folder.
//
//go:embed library.json perennial-*/lock.json perennial-*/items.jsonl
var Files embed.FS
