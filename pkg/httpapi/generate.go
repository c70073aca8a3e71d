package httpapi

//go:generate go tool ogen -loglevel error -config ogen.yaml -package oas -target oas -clean openapi.yaml
//go:generate go run github.com/perennial-llm/perennial/scripts/gen/operations openapi.yaml operations_gen.go
