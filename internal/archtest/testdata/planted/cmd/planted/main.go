// Command planted reaches past the node into a node's files.
package main

import _ "tally/internal/kv"

func main() {}
