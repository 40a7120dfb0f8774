//go:build !unix

package storage_test

import "io/fs"

func allocated(info fs.FileInfo) uint64 { return uint64(info.Size()) }
