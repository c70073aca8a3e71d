// Package pkg has no code of its own: it holds the test of the layering. See README.md.
package pkg
