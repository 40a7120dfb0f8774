// Package rewards keeps every rule. See docs/missing.md for nothing.
package rewards
