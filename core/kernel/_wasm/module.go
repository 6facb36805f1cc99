package main

import (
	"encoding/binary"
	"math"
)

// This file is the assembler: a module is functions, a function is statements in the order they were
// emitted, a statement's operands are values. The encoding is chapter 5 of the WebAssembly
// specification.

// Types of values.
const (
	i32  = 0x7f
	v128 = 0x7b
)

type module struct {
	relaxed   bool
	functions []*function
}

type function struct {
	export string // empty: known to this module alone
	index  int
	params int // all i32
	locals []byte
	code   []byte
	exit   byte // label of the innermost block or loop
}

// value is code that leaves one value on the stack.
type value []byte

// local is a parameter or a local variable of a function.
type local int

// operand is a value, a local or a constant integer.
type operand interface{ push() value }

type number int

func (v value) push() value  { return v }
func (l local) push() value  { return append(value{0x20}, unsigned(int(l))...) }
func (n number) push() value { return append(value{0x41}, signed(int(n))...) }

// function opens a function of the given number of parameters and returns it with their locals.
func (m *module) function(export string, params int) (*function, []local) {
	f := &function{export: export, index: len(m.functions), params: params}
	m.functions = append(m.functions, f)
	args := make([]local, params)
	for i := range args {
		args[i] = local(i)
	}
	return f, args
}

func (f *function) local(kind byte) local {
	f.locals = append(f.locals, kind)
	return local(f.params + len(f.locals) - 1)
}

// let is a new local with a first value.
func (f *function) let(kind byte, v operand) local {
	l := f.local(kind)
	f.set(l, v)
	return l
}

func (f *function) emit(code ...byte)        { f.code = append(f.code, code...) }
func (f *function) push(operands ...operand) { f.emit(instruction(nil, operands)...) }

func (f *function) set(l local, v operand) {
	f.push(v)
	f.emit(append([]byte{0x21}, unsigned(int(l))...)...)
}

// vectors is n new locals of four f32, zeros.
func (f *function) vectors(n int) []local {
	all := make([]local, n)
	for i := range all {
		all[i] = f.local(v128)
	}
	return all
}

// advance adds to an integer.
func (f *function) advance(l local, by operand) { f.set(l, plus(l, by)) }

// block runs the body, which leave may end.
func (f *function) block(body func()) {
	f.emit(0x02, 0x40)
	f.within(0, body)
	f.emit(0x0b)
}

// loop runs the body once, and from its start where again says so; leave ends it.
func (f *function) loop(body func()) {
	f.emit(0x02, 0x40, 0x03, 0x40) // block, loop
	f.within(1, body)
	f.emit(0x0b, 0x0b)
}

func (f *function) within(exit byte, body func()) {
	before := f.exit
	f.exit = exit
	body()
	f.exit = before
}

// leave ends the innermost block or loop if the condition is not 0, again starts the innermost loop anew.
func (f *function) leave(condition operand) {
	f.push(condition)
	f.emit(0x0d, f.exit)
}

func (f *function) again(condition operand) {
	f.push(condition)
	f.emit(0x0d, 0)
}

// repeat runs the body count times; count is not 0.
func (f *function) repeat(count operand, body func()) {
	left := f.let(i32, count)
	f.loop(func() {
		body()
		f.advance(left, number(-1))
		f.again(left)
	})
}

// barrier keeps the loads after it behind it: without branches V8 moves the loads of all steps to the front and runs
// out of registers. It is a branch that is never taken, on a condition of its own for each n, as V8 forgets those that it
// has seen: no address is so small.
func (f *function) barrier(address local, n int) { f.leave(equal(address, number(n+1))) }

func instruction(code []byte, operands []operand) value {
	var v value
	for _, o := range operands {
		v = append(v, o.push()...)
	}
	return append(v, code...)
}

func scalar(code byte) func(a, b operand) value {
	return func(a, b operand) value { return instruction([]byte{code}, []operand{a, b}) }
}

func zero(n operand) value { return instruction([]byte{0x45}, []operand{n}) }

func vector(code int) func(operands ...operand) value {
	return func(operands ...operand) value { return instruction(vectorCode(code), operands) }
}

func vectorCode(code int) []byte { return append([]byte{0xfd}, unsigned(code)...) }

// The instructions in use: of i32, of four f32, of two f64, of bits.
var (
	plus  = scalar(0x6a)
	times = scalar(0x6c)
	equal = scalar(0x46)

	add     = vector(0xe4)
	sub     = vector(0xe5)
	mul     = vector(0xe6)
	abs     = vector(0xe0)
	less    = vector(0x43)
	greater = vector(0xeb) // pmax(a, b) = a < b ? b : a, one instruction where max, minding NaN, is many

	add2     = vector(0xf0)
	sub2     = vector(0xf1)
	mul2     = vector(0xf2)
	div2     = vector(0xf3)
	neg2     = vector(0xed)
	smaller2 = vector(0xf6) // pmin(a, b) = b < a ? b : a
	greater2 = vector(0xf7) // pmax
	widen    = vector(0x5f) // the first two f32 as f64
	narrow   = vector(0x5e) // and back

	both      = vector(0x4e) // a & b
	either    = vector(0x50) // a | b
	widenLow  = vector(0xa9) // the first four u16 as i32
	widenHigh = vector(0xaa) // the last four
	shiftFour = vector(0xab) // four i32 to the left
	equalFour = vector(0x37) // ones where they are equal

	choose   = vector(0x52) // bits of the first where the third has ones, else of the second
	addInt2  = vector(0xce)
	shiftTwo = vector(0xcb) // two i64 to the left
)

// madd is a·b + c of four f32, nmadd c - a·b.
func (m *module) madd(a, b, c operand) value {
	if m.relaxed {
		return vector(0x105)(a, b, c)
	}
	return add(c, mul(a, b))
}

func (m *module) nmadd(a, b, c operand) value {
	if m.relaxed {
		return vector(0x106)(a, b, c)
	}
	return sub(c, mul(a, b))
}

// constant is four f32, bits4 four i32, constant2 two f64, bits2 two i64, all alike.
func constant(x float32) value { return bits4(math.Float32bits(x)) }

func bits4(x uint32) value { return bits2(uint64(x)<<32 | uint64(x)) }

func constant2(x float64) value { return bits2(math.Float64bits(x)) }

func bits2(x uint64) value {
	v := value(vectorCode(0x0c))
	return binary.LittleEndian.AppendUint64(binary.LittleEndian.AppendUint64(v, x), x)
}

// Memory. Floats are aligned to 4 bytes and no more.

func memory(code, offset int) []byte { return append(append(vectorCode(code), 2), unsigned(offset)...) }

// word is an i32.
func word(address operand, offset int) value {
	return instruction(append([]byte{0x28, 2}, unsigned(offset)...), []operand{address})
}

// load is four f32, splat one f32 four times, load2 two f32 and two zeros.
func load(address operand, offset int) value {
	return instruction(memory(0x00, offset), []operand{address})
}
func splat(address operand, offset int) value {
	return instruction(memory(0x09, offset), []operand{address})
}
func load2(address operand, offset int) value {
	return instruction(memory(0x5d, offset), []operand{address})
}

// insert is a vector with one of its f32 taken from memory.
func insert(address operand, offset int, into operand, lane int) value {
	return instruction(append(memory(0x56, offset), byte(lane)), []operand{address, into})
}

func (f *function) store(address operand, offset int, v operand) {
	f.push(address, v)
	f.emit(memory(0x0b, offset)...)
}

// storeLane stores one f32 of four.
func (f *function) storeLane(address operand, offset int, v operand, lane int) {
	f.push(address, v)
	f.emit(append(memory(0x5a, offset), byte(lane))...)
}

// store2 stores the first two f32 of four.
func (f *function) store2(address operand, offset int, v operand) {
	f.push(address, v)
	f.emit(append(memory(0x5b, offset), 0)...)
}

// fields loads the arguments that a struct of i32 holds from the given field on.
func (f *function) fields(args operand, first, count int) []local {
	fields := make([]local, count)
	for i := range fields {
		fields[i] = f.let(i32, word(args, 4*(first+i)))
	}
	return fields
}

// encode writes the binary format: types, imports, functions, exports, code.
func (m *module) encode() []byte {
	var types, functions, exports, codes [][]byte
	for i, f := range m.functions {
		types = append(types, concat([]byte{0x60}, list(repeated(f.params, []byte{i32})), []byte{0}))
		functions = append(functions, unsigned(i))
		if f.export != "" {
			exports = append(exports, concat(text(f.export), []byte{0}, unsigned(f.index)))
		}
		var locals [][]byte
		for _, kind := range f.locals {
			locals = append(locals, []byte{1, kind})
		}
		codes = append(codes, sized(concat(list(locals), f.code, []byte{0x0b})))
	}
	goMemory := concat(text("go"), text("mem"), []byte{2, 0, 1}) // of one page or more
	out := []byte("\x00asm\x01\x00\x00\x00")
	for _, section := range []struct {
		id    byte
		items [][]byte
	}{{1, types}, {2, [][]byte{goMemory}}, {3, functions}, {7, exports}, {10, codes}} {
		out = append(append(out, section.id), sized(list(section.items))...)
	}
	return out
}

func repeated(n int, item []byte) (items [][]byte) {
	for range n {
		items = append(items, item)
	}
	return items
}

func concat(parts ...[]byte) (all []byte) {
	for _, p := range parts {
		all = append(all, p...)
	}
	return all
}

func list(items [][]byte) []byte { return append(unsigned(len(items)), concat(items...)...) }
func sized(b []byte) []byte      { return append(unsigned(len(b)), b...) }
func text(s string) []byte       { return sized([]byte(s)) }

// unsigned and signed are LEB128.
func unsigned(n int) []byte { return binary.AppendUvarint(nil, uint64(n)) }

func signed(n int) (b []byte) {
	for {
		low := byte(n & 0x7f)
		n >>= 7
		if n == 0 && low&0x40 == 0 || n == -1 && low&0x40 != 0 {
			return append(b, low)
		}
		b = append(b, low|0x80)
	}
}
