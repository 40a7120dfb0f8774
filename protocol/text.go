package protocol

import "strings"

// RecordSeparator stands between the records of a text shard: ASCII 0x1E, which
// text has no other use for:
// docs/RATIONALE.md#why-are-records-of-text-separated-by-0x1e.
const RecordSeparator = '\x1e'

// SplitRecords takes a text shard apart. Records of nothing but white space are
// no records.
func SplitRecords(text string) []string {
	var out []string
	for r := range strings.SplitSeq(text, string(RecordSeparator)) {
		if strings.TrimSpace(r) != "" {
			out = append(out, r)
		}
	}
	return out
}

// JoinRecords writes records as a text shard.
func JoinRecords(records []string) string { return strings.Join(records, string(RecordSeparator)) }
