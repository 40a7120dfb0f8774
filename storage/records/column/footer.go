package column

import (
	"fmt"
	"slices"
	"strings"
)

// leaf is the column asked for.
type leaf struct {
	index      int // among the leaves
	definition int // its highest definition level: the optional nodes on its path
}

// chunk is where the column's values of one row group lie.
type chunk struct {
	codec  int64
	values int64
	start  int64 // of its first page
	size   int64
}

// element is one node of the schema.
type element struct {
	name       string
	kind       int64 // physical type; -1 in a group
	repetition int64 // 0 required, 1 optional, 2 repeated
	children   int64
	converted  int64 // -1 for none
	logical    int64 // -1 for none
}

const (
	optional  = 1
	repeated  = 2
	byteArray = 6
)

// footer reads the n bytes of metadata that follow.
func (f *Reader) footer(n int64, name string) error {
	t := &thrift{r: f.buf, left: n}
	var schema []element
	found := false
	t.fields(tStruct, func(id int64, kind byte) {
		switch id {
		case 2:
			t.list(kind, 4*maxColumns, "nodes of a schema", func(kind byte) { schema = append(schema, t.schemaElement(kind)) })
			if t.err == nil {
				t.err = f.choose(schema, name)
				found = true
			}
		case 4:
			if !found {
				t.fail("row groups stand before the schema")
				return
			}
			t.list(kind, maxGroups, "row groups", func(kind byte) { f.group(t, kind) })
		case 8:
			t.err = fmt.Errorf("%w: it is encrypted", ErrUnsupported)
		default:
			t.skip(kind)
		}
	})
	if t.err == nil && !found {
		t.fail("there is no schema")
	}
	return t.err
}

// schemaElement reads one SchemaElement.
func (t *thrift) schemaElement(kind byte) element {
	e := element{kind: -1, converted: -1, logical: -1}
	t.fields(kind, func(id int64, kind byte) {
		switch id {
		case 1:
			e.kind = t.number(kind)
		case 3:
			e.repetition = t.number(kind)
		case 4:
			e.name = t.text(kind)
		case 5:
			e.children = t.number(kind)
		case 6:
			e.converted = t.number(kind)
		case 10: // a union: the field that is set says which
			t.fields(kind, func(id int64, kind byte) {
				e.logical = id
				t.skip(kind)
			})
		default:
			t.skip(kind)
		}
	})
	return e
}

// choose lists the columns and finds the one asked for.
func (f *Reader) choose(schema []element, name string) error {
	if len(schema) == 0 {
		return fmt.Errorf("%w: there is no schema", ErrFile)
	}
	chosen, kind, times := leaf{}, "", 0
	next := 1
	var walk func(e element, path []string, definition int, repeats bool) error
	walk = func(parent element, path []string, definition int, repeats bool) error {
		if len(path) > maxDepth {
			return fmt.Errorf("%w: a schema more than %d deep", ErrTooLarge, maxDepth)
		}
		for range parent.children {
			if next >= len(schema) {
				return fmt.Errorf("%w: its schema lacks nodes", ErrFile)
			}
			e := schema[next]
			next++
			path := append(slices.Clip(path), e.name)
			definition, repeats := definition, repeats
			switch e.repetition {
			case 0:
			case optional:
				definition++
			case repeated:
				repeats = true
			default:
				return fmt.Errorf("%w: repetition %d", ErrFile, e.repetition)
			}
			if e.children > 0 {
				if err := walk(e, path, definition, repeats); err != nil {
					return err
				}
				continue
			}
			if e.kind < 0 {
				continue // a group without children has no column
			}
			if len(f.columns) == maxColumns {
				return fmt.Errorf("%w: more than %d columns", ErrTooLarge, maxColumns)
			}
			c := Column{strings.Join(path, "."), e.typeName()}
			if repeats {
				c.Type = "repeated " + c.Type
			}
			if c.Name == name {
				chosen, kind, times = leaf{len(f.columns), definition}, c.Type, times+1
				if e.kind == byteArray && !repeats {
					kind = ""
				}
			}
			f.columns = append(f.columns, c)
		}
		return nil
	}
	if err := walk(schema[0], nil, 0, false); err != nil {
		return err
	}
	switch {
	case next != len(schema):
		return fmt.Errorf("%w: its schema has nodes of no group", ErrFile)
	case times == 0:
		return fmt.Errorf("%w: no column is named %q; there are %s", ErrColumn, name, f.names())
	case times > 1:
		return fmt.Errorf("%w: %d columns are named %q: rename them", ErrColumn, times, name)
	case kind != "":
		return fmt.Errorf("%w: %q is of type %s, want a string", ErrColumn, name, kind)
	}
	f.leaf = chosen
	return nil
}

func (f *Reader) names() string {
	const most = 12
	var names []string
	for i, c := range f.columns {
		if i == most {
			return fmt.Sprintf("%s and %d more", strings.Join(names, ", "), len(f.columns)-most)
		}
		names = append(names, fmt.Sprintf("%q (%s)", c.Name, c.Type))
	}
	return strings.Join(names, ", ")
}

func (e element) typeName() string {
	if e.kind == byteArray {
		switch {
		case e.logical == 1 || e.converted == 0:
			return "string"
		case e.logical == 4 || e.converted == 4:
			return "enum"
		case e.logical == 12 || e.converted == 19:
			return "json"
		}
	}
	names := []string{"boolean", "int32", "int64", "int96", "float", "double", "bytes", "fixed bytes"}
	if e.kind < int64(len(names)) {
		return names[e.kind]
	}
	return "unknown"
}

// group reads one RowGroup and keeps the chunk of our column.
func (f *Reader) group(t *thrift, kind byte) {
	var c *chunk
	columns, rows := 0, int64(-1)
	t.fields(kind, func(id int64, kind byte) {
		switch id {
		case 1:
			t.list(kind, maxColumns, "columns", func(kind byte) {
				if columns++; columns-1 != f.leaf.index {
					t.skip(kind)
					return
				}
				c = t.chunk(kind)
			})
		case 3:
			rows = t.number(kind)
		default:
			t.skip(kind)
		}
	})
	if t.err != nil {
		return
	}
	switch at := len(f.chunks) + 1; {
	case columns != len(f.columns) || c == nil:
		t.fail("row group %d has %d columns, the schema %d", at, columns, len(f.columns))
	case rows < 0 || c.values != rows:
		t.fail("row group %d has %d rows, its column %d", at, rows, c.values)
	case c.start < int64(len(magic)) || c.size < 0 || c.start > f.data || c.size > f.data-c.start:
		t.fail("row group %d lies outside of the file", at)
	default:
		f.chunks = append(f.chunks, *c)
	}
}

// chunk reads one ColumnChunk.
func (t *thrift) chunk(kind byte) *chunk {
	c := &chunk{}
	var data, dictionary int64
	some := false
	t.fields(kind, func(id int64, kind byte) {
		switch id {
		case 1:
			t.err = fmt.Errorf("%w: columns lie in another file", ErrUnsupported)
		case 8, 9:
			t.err = fmt.Errorf("%w: a column is encrypted", ErrUnsupported)
		case 3:
			some = true
			t.fields(kind, func(id int64, kind byte) {
				switch id {
				case 4:
					c.codec = t.number(kind)
				case 5:
					c.values = t.number(kind)
				case 7:
					c.size = t.number(kind)
				case 9:
					data = t.number(kind)
				case 11:
					dictionary = t.number(kind)
				default:
					t.skip(kind)
				}
			})
		default:
			t.skip(kind)
		}
	})
	if t.err == nil && !some {
		t.fail("a column says nothing of itself")
	}
	c.start = data
	if dictionary > 0 && dictionary < data {
		c.start = dictionary
	}
	return c
}
