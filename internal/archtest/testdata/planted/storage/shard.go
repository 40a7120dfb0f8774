package storage

import "sync"

var (
	mu    sync.Mutex
	cache = make(map[string]int)
	total = 1
	table = []string{"a", "b"}
)

func init() { total = 2 }

func Count() int {
	total := 3 // a local of the same name is not the package's
	total++
	mu.Lock()
	defer mu.Unlock()
	cache["a"]++
	return total + len(table)
}

// TODO: count for real.
