package checkpoint

import (
	"bytes"
	"errors"
	"strconv"
	"strings"
	"unicode/utf16"
	"unicode/utf8"
)

// The header of a safetensors file is JSON of one fixed form. A parser of just that form
// is short, refuses everything else (also double names, which encoding/json lets pass),
// and spares the page encoding/json and reflect.

// header is what the JSON says.
type header struct {
	tensors  map[string]*entry
	metadata map[string]string
}

// entry places one tensor: bytes begin to end of the data.
type entry struct {
	dtype      string
	shape      []int // nil for a scalar
	begin, end int

	finite int // how many of its numbers, from the first on, File has decoded and found finite
}

func parseHeader(b []byte) (header, error) {
	h := header{tensors: map[string]*entry{}, metadata: map[string]string{}}
	if !utf8.Valid(b) {
		return h, errors.New("its header is not text")
	}
	p := &parser{b: b}
	p.object(func(name string) {
		if name == "__metadata__" {
			p.object(func(key string) { h.metadata[key] = p.string() })
			return
		}
		h.tensors[name] = p.entry()
	})
	return h, p.end()
}

func (p *parser) entry() *entry {
	x := new(entry)
	p.object(func(key string) {
		switch key {
		case "dtype":
			x.dtype = p.string()
		case "shape":
			p.list(func() { x.shape = append(x.shape, p.int()) })
		case "data_offsets":
			var at []int
			p.list(func() { at = append(at, p.int()) })
			if len(at) != 2 {
				p.fail("two data_offsets")
				return
			}
			x.begin, x.end = at[0], at[1]
		default:
			p.fail("dtype, shape or data_offsets")
		}
	})
	return x
}

// parseMeta takes the known keys out of the metadata.
func parseMeta(metadata map[string]string, classes int) (Meta, error) {
	var m Meta
	for key, value := range metadata {
		p := &parser{b: []byte(value)}
		switch key {
		case KeyFormat:
		case KeyDataset:
			m.Dataset = value
		case KeyLabels:
			p.list(func() { m.Labels = append(m.Labels, p.string()) })
			if err := p.end(); err != nil {
				return Meta{}, errors.New("the labels in the metadata are not a list of strings: " + err.Error())
			}
			if len(m.Labels) != classes {
				return Meta{}, errors.New("the metadata has " + strconv.Itoa(len(m.Labels)) + " labels, want one for each of the " +
					strconv.Itoa(classes) + " classes")
			}
		case KeyPreprocessing:
			size := 128
			p.object(func(key string) {
				switch key {
				case "size":
					size = p.int()
				case "gray":
					m.Gray = p.bool()
				default:
					p.fail("size or gray")
				}
			})
			if err := p.end(); err != nil {
				return Meta{}, errors.New("the preprocessing in the metadata is not understood: " + err.Error())
			}
			if size != 128 {
				return Meta{}, errors.New("the weights are for pictures of size " + strconv.Itoa(size) + ", want 128")
			}
		default:
			if m.Extra == nil {
				m.Extra = map[string]string{}
			}
			m.Extra[key] = value
		}
	}
	return m, nil
}

// parser walks over JSON. After the first error it moves no further, and end reports it.
type parser struct {
	b   []byte
	i   int
	err error
}

func (p *parser) fail(want string) {
	if p.err == nil {
		p.err = errors.New("want " + want + " before byte " + strconv.Itoa(p.i) + " of its JSON")
	}
}

// end reports the first error; anything but space left over is one.
func (p *parser) end() error {
	if p.peek() != 0 || p.i < len(p.b) {
		p.fail("nothing more")
	}
	return p.err
}

// peek skips space and returns the next byte, or 0 at the end or after an error.
func (p *parser) peek() byte {
	for p.err == nil && p.i < len(p.b) {
		c := p.b[p.i]
		if c != ' ' && c != '\t' && c != '\n' && c != '\r' {
			return c
		}
		p.i++
	}
	return 0
}

// take skips c and reports whether it was next.
func (p *parser) take(c byte) bool {
	if p.peek() != c {
		return false
	}
	p.i++
	return true
}

func (p *parser) want(c byte) {
	if !p.take(c) {
		p.fail(`"` + string(c) + `"`)
	}
}

// object calls value after each key. A key may occur once.
func (p *parser) object(value func(key string)) {
	seen := map[string]bool{}
	p.sequence('{', '}', func() {
		key := p.string()
		if seen[key] {
			p.fail("no name twice")
			return
		}
		seen[key] = true
		p.want(':')
		value(key)
	})
}

func (p *parser) list(element func()) { p.sequence('[', ']', element) }

func (p *parser) sequence(opening, closing byte, element func()) {
	p.want(opening)
	if p.take(closing) {
		return
	}
	for p.err == nil {
		element()
		if p.take(closing) {
			return
		}
		p.want(',')
	}
}

func (p *parser) bool() bool {
	p.peek()
	rest := p.b[p.i:]
	if p.err == nil && bytes.HasPrefix(rest, []byte("true")) {
		p.i += len("true")
		return true
	}
	if p.err == nil && bytes.HasPrefix(rest, []byte("false")) {
		p.i += len("false")
		return false
	}
	p.fail("true or false")
	return false
}

// int reads a number of 0 to 15 digits: sizes and offsets, well within an int.
func (p *parser) int() int {
	p.peek()
	start, n := p.i, 0
	for p.err == nil && p.i < len(p.b) && p.b[p.i] >= '0' && p.b[p.i] <= '9' && p.i-start < 15 {
		n = 10*n + int(p.b[p.i]-'0')
		p.i++
	}
	if p.i == start || p.b[start] == '0' && p.i > start+1 {
		p.fail("a whole number")
	}
	return n
}

func (p *parser) string() string {
	p.want('"')
	var s []byte
	for p.err == nil && p.i < len(p.b) {
		c := p.b[p.i]
		p.i++
		switch {
		case c == '"':
			return string(s)
		case c < ' ':
			p.fail("no control character in a string")
		case c == '\\':
			s = utf8.AppendRune(s, p.escaped())
		default:
			s = append(s, c)
		}
	}
	p.fail(`a closing "`)
	return ""
}

// escaped reads what follows a backslash.
func (p *parser) escaped() rune {
	if p.i >= len(p.b) {
		return 0
	}
	c := p.b[p.i]
	p.i++
	switch c {
	case '"', '\\', '/':
		return rune(c)
	case 'b':
		return '\b'
	case 'f':
		return '\f'
	case 'n':
		return '\n'
	case 'r':
		return '\r'
	case 't':
		return '\t'
	case 'u':
		r := p.hex()
		if utf16.IsSurrogate(r) && bytes.HasPrefix(p.b[p.i:], []byte(`\u`)) {
			p.i += 2
			r = utf16.DecodeRune(r, p.hex())
		}
		return r
	}
	p.fail("a known escape")
	return 0
}

func (p *parser) hex() rune {
	n := rune(0)
	for range 4 {
		digit := -1
		if p.i < len(p.b) {
			digit = strings.IndexByte("0123456789abcdef", p.b[p.i]|0x20) // digits have that bit, capitals lack it
		}
		if digit < 0 || p.b[p.i] < '0' {
			p.fail("four hexadecimal digits")
			return 0
		}
		n = n<<4 | rune(digit)
		p.i++
	}
	return n
}
