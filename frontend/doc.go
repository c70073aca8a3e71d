// Package frontend holds the web app for hosts that serve it: embedded with the build tag "embed", from disk
// without, so that Go builds where the app was never built.
package frontend
