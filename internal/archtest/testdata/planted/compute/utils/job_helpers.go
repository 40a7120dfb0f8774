// Package utils is planted: neither its name nor its file's says what it holds.
package utils
