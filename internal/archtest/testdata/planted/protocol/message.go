// Package protocol is planted: it opens files and knows the node above it.
package protocol

import (
	"os"

	"tally/node"
)

func Read(name string) ([]byte, error) { node.Seen(); return os.ReadFile(name) }
