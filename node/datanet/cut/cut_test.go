package cut

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"strings"
	"testing"
	"testing/iotest"
)

func parts(format string, r io.Reader, max int64) (out []string, err error) {
	for p, err := range Parts(format, r, max) {
		if err != nil {
			return out, err
		}
		b, err := io.ReadAll(p)
		if err != nil {
			return out, err
		}
		out = append(out, string(b))
	}
	return out, nil
}

func TestNoRecordIsCutAndNothingIsLost(t *testing.T) {
	for format, end := range map[string]string{"text": "\x1e", "jsonl": "\n"} {
		var all strings.Builder
		for i := range 200 {
			all.WriteString(strings.Repeat("x", i%37) + end)
		}
		all.WriteString("last without an end")
		for name, r := range map[string]io.Reader{"whole": strings.NewReader(all.String()), "bytes": iotest.OneByteReader(strings.NewReader(all.String()))} {
			got, err := parts(format, r, 100)
			if err != nil || len(got) < 20 || strings.Join(got, "") != all.String() {
				t.Fatalf("%s, %s: %d parts, %v", format, name, len(got), err)
			}
			for i, p := range got {
				if len(p) > 100 || i < len(got)-1 && (len(p) < 50 || !strings.HasSuffix(p, end)) {
					t.Errorf("%s, %s: part %d is %q", format, name, i, p)
				}
			}
		}
	}
}

func TestEveryPartOfACSVBeginsWithTheHeader(t *testing.T) {
	head := "id,\"the\ntext\"\n"
	all := head
	for i := range 100 {
		all += fmt.Sprintf("%d,\"line one\nsays \"\"hi\"\", then\"\n", i)
	}
	for name, r := range map[string]io.Reader{"whole": strings.NewReader(all), "bytes": iotest.OneByteReader(strings.NewReader(all))} {
		got, err := parts("csv", r, 300)
		if err != nil || len(got) < 5 {
			t.Fatalf("%s: %d parts, %v", name, len(got), err)
		}
		joined := head
		for i, p := range got {
			rows, ok := strings.CutPrefix(p, head)
			if !ok || len(p) > 300 || !strings.HasSuffix(rows, "then\"\n") {
				t.Errorf("%s: part %d is %q", name, i, p)
			}
			joined += rows
		}
		if joined != all {
			t.Errorf("%s: the parts are not the stream", name)
		}
	}
}

func TestWhatCannotBeCutIsRefusedPastTheBound(t *testing.T) {
	long := strings.Repeat("x", 1000)
	for _, format := range []string{"text", "jsonl", "csv", "parquet"} {
		if _, err := parts(format, strings.NewReader(long), 999); !errors.Is(err, ErrTooLarge) {
			t.Errorf("%s: %v", format, err)
		}
		if got, err := parts(format, strings.NewReader(long), 1000); err != nil || len(got) != 1 || got[0] != long {
			t.Errorf("%s at the bound: %v", format, err)
		}
	}
	if got, err := parts("text", strings.NewReader(""), 10); err != nil || len(got) != 0 {
		t.Errorf("nothing gives %q, %v", got, err)
	}
	wrong := errors.New("broken")
	if _, err := parts("text", io.MultiReader(strings.NewReader("a"), iotest.ErrReader(wrong)), 10); !errors.Is(err, wrong) {
		t.Errorf("a broken stream: %v", err)
	}
}

func FuzzParts(f *testing.F) {
	f.Add([]byte("a,b\n\"x\ny\",2\n3,4\n"), uint8(3), uint16(9))
	f.Add([]byte("one\x1etwo"), uint8(0), uint16(5))
	f.Fuzz(func(t *testing.T, b []byte, which uint8, max uint16) {
		format := []string{"text", "jsonl", "csv", "parquet"}[which%4]
		got, err := parts(format, bytes.NewReader(b), int64(max)+1)
		for i, p := range got {
			if len(p) > int(max)+1 {
				t.Fatalf("part %d has %d bytes of %d", i, len(p), int(max)+1)
			}
		}
		if err == nil && format != "csv" && strings.Join(got, "") != string(b) {
			t.Fatal("the parts are not the stream")
		}
	})
}
