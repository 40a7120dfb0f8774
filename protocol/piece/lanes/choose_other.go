//go:build !amd64 || purego

package lanes

func choose() set { return set{width: 1} }

func sets() []set { return []set{choose()} }
