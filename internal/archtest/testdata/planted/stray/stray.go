// Package stray is planted: it has no place in the import rule at all.
package stray
