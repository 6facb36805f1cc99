package main

import (
	"bytes"
	"encoding/binary"
	"errors"
	"fmt"
)

// Go's linker has no switch that leaves the line tables out: which line of which file every instruction came from, for
// the traces of a crash. Nobody reads those in a page, and they are a twentieth of what it downloads. Traces keep the names
// of functions.

// The layout of Go's function table, runtime.pcHeader and runtime._func, as of Go 1.20: words of 4 bytes after a header of
// 8-byte offsets.
const (
	tableMagic = "\xf1\xff\xff\xff\x00\x00\x01\x08"

	headerFunctions = 8
	headerFiles     = 16
	headerNames     = 32 // then the offsets of units, files, pctab and functions

	funcStackSizes = 16
	funcFiles      = 20
	funcLines      = 24
	funcTables     = 28
	funcUnit       = 32
	funcFirstLine  = 36
	funcEnd        = 44 // its further tables follow
)

// withoutLines blanks the line tables of a program: blank bytes compress to next to nothing, and nothing moves.
func withoutLines(program []byte) ([]byte, error) {
	memory, segments, err := dataSegments(program)
	if err != nil {
		return nil, err
	}
	at := bytes.Index(memory, []byte(tableMagic))
	if at < 0 {
		return nil, errors.New("no function table that this program knows; compare runtime.pcHeader of this Go with web/build/engine/strip.go")
	}
	table := memory[at:]
	word := func(i int) int { return int(binary.LittleEndian.Uint32(table[i:])) }
	blank := func(i int) { clear(table[i:][:4]) }
	functions, units, files, tables, code := word(headerFunctions), word(headerNames+8), word(headerNames+16), word(headerNames+24), word(headerNames+32)
	if !(units < files && files < tables && tables < code && code+8*functions < len(table)) {
		return nil, errors.New("the function table is not laid out as this program knows it; compare runtime.pcHeader of this Go with web/build/engine/strip.go")
	}

	// Tables of one content are kept once, whatever they say: what stack sizes and the rest need stays.
	kept := make([]bool, code-tables)
	keep := func(offset int) error {
		for value := 0; ; value++ {
			for more := true; more; offset++ {
				if offset >= len(kept) {
					return errors.New("a table of a function leaves its place; compare runtime._func of this Go with web/build/engine/strip.go")
				}
				kept[offset] = true
				more = table[tables+offset]&0x80 != 0
			}
			// Pairs of numbers, the first of a pair being 0 at the end and, perhaps, at the start.
			if value%2 == 0 && value > 0 && table[tables+offset-1] == 0 {
				return nil
			}
		}
	}
	for n := range functions {
		function := code + word(code+8*n+4)
		if function+funcEnd > len(table) {
			return nil, fmt.Errorf("function %d leaves the function table; compare runtime._func of this Go with web/build/engine/strip.go", n)
		}
		needed := []int{word(function + funcStackSizes)}
		for i := range word(function + funcTables) {
			needed = append(needed, word(function+funcEnd+4*i))
		}
		for _, offset := range needed {
			if offset == 0 { // no such table
				continue
			}
			if err := keep(offset); err != nil {
				return nil, err
			}
		}
		for _, field := range []int{funcFiles, funcLines, funcUnit, funcFirstLine} {
			blank(function + field)
		}
	}
	for i, needed := range kept {
		if !needed {
			table[tables+i] = 0
		}
	}
	clear(table[units:tables])

	stripped := bytes.Clone(program)
	for _, s := range segments {
		copy(stripped[s.file:][:s.size], memory[s.address:])
	}
	return stripped, nil
}

// segment is a piece of a WebAssembly program's memory: where it lies there and in the program's file.
type segment struct{ address, file, size int }

// dataSegments returns the memory that a program starts with.
func dataSegments(program []byte) (memory []byte, segments []segment, err error) {
	damaged := errors.New("the compiled program is not WebAssembly as Go's linker writes it")
	at := 8
	number := func() int {
		v, n := binary.Uvarint(program[min(at, len(program)):])
		if n <= 0 {
			err = damaged
		}
		at += n
		return int(v)
	}
	const dataSection, address, end = 11, 0x41, 0x0b
	for err == nil && at < len(program) {
		section := program[at]
		at++
		size := number()
		next := at + size
		if section == dataSection {
			for range number() {
				if number() != 0 || number() != address { // of memory 0, at an i32
					return nil, nil, damaged
				}
				to := number() // signed in general, but below 64 MB as this is
				if number() != end {
					return nil, nil, damaged
				}
				n := number()
				if err != nil || at+n > len(program) || to > 1<<28 {
					return nil, nil, damaged
				}
				if grow := to + n - len(memory); grow > 0 {
					memory = append(memory, make([]byte, grow)...)
				}
				copy(memory[to:], program[at:at+n])
				segments = append(segments, segment{to, at, n})
				at += n
			}
		}
		at = next
	}
	return memory, segments, err
}
