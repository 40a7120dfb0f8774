// Package node is planted and keeps every rule: it wires the parts together.
package node

import (
	_ "tally/p2p"
	_ "tally/protocol"
)

func Seen() {}
