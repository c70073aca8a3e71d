// Package asl is Amazon States Language in JSONata mode: parser, linter and interpreter.
//
// The interpreter is a pure reducer: a Run holds one execution as plain data (an Execution and its
// Threads), every transition is handed to a Journal before its effects start, and time comes from
// the caller. The same Run therefore serves the durable local service (pkg/local/states), the
// offline command line and tests under virtual time. Expressions are evaluated by the reference
// implementation, jsonata 2.0.6, in package asl/jsonata.
package asl
