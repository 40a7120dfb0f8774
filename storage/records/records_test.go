package records

import (
	"bytes"
	"context"
	"errors"
	"io"
	"slices"
	"strings"
	"testing"
	"testing/iotest"

	"tally/protocol"
)

// collect reads all records, copying the texts.
func collect(t *testing.T, format, field string, r io.Reader) ([]string, error) {
	t.Helper()
	var out []string
	for rec, err := range Open(format, field, r) {
		if err != nil {
			return out, err
		}
		if rec.Index != uint64(len(out)) {
			t.Fatalf("record %d has index %d", len(out), rec.Index)
		}
		out = append(out, string(rec.Text))
	}
	return out, nil
}

func TestTextIsReadAsTheProtocolSplitsIt(t *testing.T) {
	for _, text := range []string{
		"", "a", "a\x1eb", "\x1ea\x1e", "a\x1e \n\x1eb\x1e\x1e", " ", "äöü\x1e日本語 text\x1e\u00a0\x1ex",
		strings.Repeat("x", bufferSize-1) + "\x1e" + strings.Repeat("y", bufferSize+1) + "\x1e" + strings.Repeat("ö", bufferSize),
	} {
		want := protocol.SplitRecords(text)
		for name, r := range map[string]io.Reader{"whole": strings.NewReader(text), "byte by byte": iotest.OneByteReader(strings.NewReader(text))} {
			got, err := collect(t, Text, "", r)
			if err != nil || !slices.Equal(got, want) {
				t.Errorf("%s: got %d records (%v), want %d", name, len(got), err, len(want))
			}
		}
		s, err := Check(t.Context(), Text, "", strings.NewReader(text))
		if err != nil || s.Records != uint64(len(want)) {
			t.Errorf("Check counts %d (%v), want %d", s.Records, err, len(want))
		}
	}
}

func TestJSONLinesGiveTheNamedMember(t *testing.T) {
	in := "\uFEFF{\"text\":\"one\",\"n\":1}\r\n" +
		"\n" +
		`{"meta":{"text":"not this","a":[1,{"text":"nor this"}]},"text":"tw\u00f6 \"\\","n":"two"}` + "\n" +
		`{"n":null,"text":null}` + "\n" +
		`{"text":"  "}` + "\n" +
		"  { \"te\\u0078t\" : \"three\\nlines\" , \"n\" : [ ] }  "
	got, err := collect(t, JSONL, "text", iotest.OneByteReader(strings.NewReader(in)))
	if want := []string{"one", `twö "\`, "three\nlines"}; err != nil || !slices.Equal(got, want) {
		t.Fatalf("got %q, %v, want %q", got, err, want)
	}
	s, err := Check(t.Context(), JSONL, "text", strings.NewReader(in))
	if err != nil {
		t.Fatal(err)
	}
	if want := []Field{{"text", "string"}, {"n", "mixed"}, {"meta", "object"}}; !slices.Equal(s.Fields, want) {
		t.Errorf("fields %v, want %v", s.Fields, want)
	}
	if s.Records != 3 || s.Empty != 2 || s.Bytes != uint64(len(got[0]+got[1]+got[2])) {
		t.Errorf("summary %+v", s)
	}
	if want := []string{"one", `twö "\\`, `three\nlines`}; !slices.Equal(s.Preview, want) {
		t.Errorf("preview %q, want %q", s.Preview, want)
	}
}

func TestTextsAreProtocolTextWhateverTheFormat(t *testing.T) {
	want := []string{"one", "two ö", strings.Repeat("three ", 50000)}
	for format, in := range map[string]string{
		Text:  " \x1e" + protocol.JoinRecords(want) + "\x1e\x1e",
		CSV:   "u,t\n1,one\n2,\n3,\"two ö\"\n4," + want[2] + "\n",
		JSONL: "{\"t\":\"one\"}\n{\"t\":\"\"}\n{\"t\":\"two ö\"}\n{\"t\":\"" + want[2] + "\"}\n",
	} {
		field := ""
		if format != Text {
			field = "t"
		}
		if err := iotest.TestReader(Texts(format, field, strings.NewReader(in)), []byte(protocol.JoinRecords(want))); err != nil {
			t.Errorf("%s: %v", format, err)
		}
	}
}

func TestErrorsNameThePlaceAndTheRule(t *testing.T) {
	long := strings.Repeat("x", MaxRecord+1)
	for _, tt := range []struct {
		name, format, field, in string
		want                    error
		says                    string
	}{
		{"unknown format", "xml", "", "", ErrFormat, `"xml"`},
		{"text with a field", Text, "a", "", ErrField, "no fields"},
		{"jsonl without a field", JSONL, "", "", ErrField, "needs the name"},
		{"text that is not UTF-8", Text, "", "good\x1eb\xffd", ErrEncoding, "record 1, at byte 5,"},
		{"text with NUL", Text, "", "a\x00", ErrEncoding, "0x00"},
		{"a text too long", Text, "", "a\x1e" + long, ErrTooLarge, "record 1, at byte 2"},
		{"a line that is no object", JSONL, "t", "{\"t\":\"\"}\n[1]\n", ErrSyntax, "line 2"},
		{"two objects on a line", JSONL, "t", `{"t":"a"}{"t":"b"}`, ErrSyntax, "line 1"},
		{"an object over two lines", JSONL, "t", "{\"t\":\n\"a\"}", ErrSyntax, "line 1"},
		{"a line that is not UTF-8", JSONL, "t", "{\"t\":\"\xff\"}", ErrEncoding, "line 1"},
		{"a missing member", JSONL, "t", "\n{\"u\":\"a\"}", ErrField, `fields so far: "u"`},
		{"a member twice", JSONL, "t", `{"t":"a","\u0074":"b"}`, ErrSyntax, "twice"},
		{"a member of another type", JSONL, "t", `{"t":7}`, ErrField, "number"},
		{"an escaped separator", JSONL, "t", `{"t":"a\u001eb"}`, ErrEncoding, "0x1E"},
		{"an escaped NUL", JSONL, "t", `{"t":"a\u0000b"}`, ErrEncoding, "0x00"},
		{"a line too long", JSONL, "t", "{\"t\":\"\"}\n\n" + long, ErrTooLarge, "line 3"},
		{"deep nesting", JSONL, "t", `{"t":"a","d":` + strings.Repeat("[", 20000) + strings.Repeat("]", 20000) + "}", ErrSyntax, "line 1"},
	} {
		_, err := Check(t.Context(), tt.format, tt.field, strings.NewReader(tt.in))
		if !errors.Is(err, tt.want) || !strings.Contains(err.Error(), tt.says) {
			t.Errorf("%s: %v, want %v saying %q", tt.name, err, tt.want, tt.says)
		}
		if _, err := io.ReadAll(Texts(tt.format, tt.field, strings.NewReader(tt.in))); !errors.Is(err, tt.want) {
			t.Errorf("%s: Texts: %v, want %v", tt.name, err, tt.want)
		}
	}
}

func TestAnErrorOfTheReaderIsPassedOn(t *testing.T) {
	broken := errors.New("disk is gone")
	for _, format := range Formats()[:3] {
		field := ""
		if format != Text {
			field = "t"
		}
		_, err := Check(t.Context(), format, field, iotest.ErrReader(broken))
		if !errors.Is(err, broken) {
			t.Errorf("%s: %v", format, err)
		}
	}
}

func TestCheckEndsWithItsContext(t *testing.T) {
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if _, err := Check(ctx, Text, "", strings.NewReader("a")); !errors.Is(err, context.Canceled) {
		t.Errorf("got %v", err)
	}
}

func TestAPreviewIsOnePrintableLine(t *testing.T) {
	for in, want := range map[string]string{
		"a\tb\r\nc":              `a\tb\r\nc`,
		"\x1b[31mred\x7f":        `\u001b[31mred\u007f`,
		"\u202egnirts":           `\u202egnirts`,
		"bad\xff\xfe":            `bad\xff\xfe`,
		"日本\U000e0001":           `日本\U000e0001`,
		strings.Repeat("ö", 200): strings.Repeat("ö", 200),
		strings.Repeat("ö", 201): strings.Repeat("ö", 200) + "…",
	} {
		if got := Preview([]byte(in)); got != want {
			t.Errorf("Preview(%q) = %q, want %q", in, got, want)
		}
	}
}

func TestDetectGuessesByBytesThenName(t *testing.T) {
	for _, tt := range []struct{ name, first, want string }{
		{"a.txt", "PAR1....", Parquet},
		{"a.parquet", "", Parquet},
		{"A.CSV", "a,b\n", CSV},
		{"a.ndjson", "{}", JSONL},
		{"a", "{\"a\":1}\n{\"a\"", JSONL},
		{"a.json", "{\"a\":1,\n", Text},
		{"a.txt", "plain ö"[:7], Text},
		{"a.bin", "\x00\x01", ""},
		{"a.txt", "\xff\xfeu", ""},
	} {
		if got := Detect(tt.name, []byte(tt.first)); got != tt.want {
			t.Errorf("Detect(%q, %q) = %q, want %q", tt.name, tt.first, got, tt.want)
		}
	}
}

// fuzzLines holds a line format to its contract on any bytes: the three doors
// agree, and what comes out is protocol text of the records.
func fuzzLines(t *testing.T, format, field string, in []byte) {
	t.Helper()
	got, err := collect(t, format, field, bytes.NewReader(in))
	s, errCheck := Check(t.Context(), format, field, bytes.NewReader(in))
	text, errTexts := io.ReadAll(Texts(format, field, iotest.HalfReader(bytes.NewReader(in))))
	if (err == nil) != (errCheck == nil) || (err == nil) != (errTexts == nil) {
		t.Fatalf("Open says %v, Check %v, Texts %v", err, errCheck, errTexts)
	}
	if want := protocol.SplitRecords(string(text)); !slices.Equal(got, want) {
		t.Fatalf("Texts has %q, Open %q", want, got)
	}
	if err == nil && s.Records != uint64(len(got)) {
		t.Fatalf("Check counts %d, Open yields %d", s.Records, len(got))
	}
}

func FuzzText(f *testing.F) {
	f.Add([]byte("a\x1eb\x1e \x1e"))
	f.Add([]byte("\xff"))
	f.Fuzz(func(t *testing.T, in []byte) { fuzzLines(t, Text, "", in) })
}

func FuzzJSONL(f *testing.F) {
	f.Add([]byte(`{"t":"a","b":[1,{"c":"\\\""}]}` + "\n" + `{"t":null}`))
	f.Add([]byte(`{"t":"\ud800\u0041"}`))
	f.Fuzz(func(t *testing.T, in []byte) { fuzzLines(t, JSONL, "t", in) })
}
