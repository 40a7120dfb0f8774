// Package p2p is planted: it reaches sideways and draws on a command line library.
package p2p

import (
	_ "github.com/spf13/cobra"

	"tally/storage"
)

var Blocks = storage.Count()
