package main

import (
	"bytes"
	"encoding/binary"
	"errors"
	"fmt"
	"slices"
)

// What Go's linker writes is large, and it has no switch for either of two things.
//
// The line tables say which line of which file every instruction came from, for the traces of a crash. Nobody reads those in a
// page, and they are a twentieth of what it downloads. Traces keep the names of functions.
//
// And it cuts the data wherever a dozen zeros are left out: 35,000 pieces with an address each, which compress worse than
// the zeros by a tenth of all, and which the browser takes in one by one.

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

// strip takes the line tables out of a program, and pieces its data together.
func strip(program []byte) ([]byte, error) {
	memory, section, err := data(program)
	if err != nil {
		return nil, err
	}
	if err := blankLines(memory); err != nil {
		return nil, err
	}
	return slices.Concat(program[:section.begin], dataSection(memory), program[section.end:]), nil
}

// blankLines blanks the line tables in the memory that a program starts with: blank bytes compress to next to nothing, and
// nothing moves.
func blankLines(memory []byte) error {
	at := bytes.Index(memory, []byte(tableMagic))
	if at < 0 {
		return errors.New("no function table that this program knows; compare runtime.pcHeader of this Go with web/build/engine/strip.go")
	}
	table := memory[at:]
	word := func(i int) int { return int(binary.LittleEndian.Uint32(table[i:])) }
	blank := func(i int) { clear(table[i:][:4]) }
	functions, units, files, tables, code := word(headerFunctions), word(headerNames+8), word(headerNames+16), word(headerNames+24), word(headerNames+32)
	if !(units < files && files < tables && tables < code && code+8*functions < len(table)) {
		return errors.New("the function table is not laid out as this program knows it; compare runtime.pcHeader of this Go with web/build/engine/strip.go")
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
			return fmt.Errorf("function %d leaves the function table; compare runtime._func of this Go with web/build/engine/strip.go", n)
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
				return err
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
	return nil
}

// span is a part of a program's file.
type span struct{ begin, end int }

// Of the binary format: a section's id, and the instructions of an address.
const (
	dataID   = 11
	i32Const = 0x41
	exprEnd  = 0x0b
)

// data returns the memory that a program starts with, and the section that says so.
func data(program []byte) (memory []byte, section span, err error) {
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
	for err == nil && at < len(program) {
		begin, id := at, program[at]
		at++
		size := number()
		next := at + size
		if id == dataID {
			section = span{begin, next}
			for range number() {
				if number() != 0 || number() != i32Const { // of memory 0
					return nil, span{}, damaged
				}
				to := number() // signed in general, but below 64 MB as this is
				if number() != exprEnd {
					return nil, span{}, damaged
				}
				n := number()
				if err != nil || at+n > len(program) || to > 1<<28 {
					return nil, span{}, damaged
				}
				if grow := to + n - len(memory); grow > 0 {
					memory = append(memory, make([]byte, grow)...)
				}
				copy(memory[to:], program[at:at+n])
				at += n
			}
		}
		at = next
	}
	if err == nil && section == (span{}) {
		err = damaged
	}
	return memory, section, err
}

// dataSection writes what a program's memory starts with. It leaves out zeros where they are a page or more, which then nobody touches.
func dataSection(memory []byte) []byte {
	const page = 4096
	var segments []byte
	count := 0
	for at := 0; ; count++ {
		for at < len(memory) && memory[at] == 0 {
			at++
		}
		if at == len(memory) {
			break
		}
		end := at
		for i := at; i < len(memory) && i-end < page; i++ {
			if memory[i] != 0 {
				end = i + 1
			}
		}
		segments = append(segments, 0, i32Const)
		segments = appendSigned(segments, at)
		segments = append(segments, exprEnd)
		segments = binary.AppendUvarint(segments, uint64(end-at))
		segments = append(segments, memory[at:end]...)
		at = end
	}
	counted := append(binary.AppendUvarint(nil, uint64(count)), segments...)
	return append(binary.AppendUvarint([]byte{dataID}, uint64(len(counted))), counted...)
}

// appendSigned appends a number that is not negative as signed LEB128, whose last byte has a bit for the sign.
func appendSigned(to []byte, v int) []byte {
	for ; v >= 0x40; v >>= 7 {
		to = append(to, byte(v)|0x80)
	}
	return append(to, byte(v))
}
