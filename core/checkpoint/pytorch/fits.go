package pytorch

import (
	"bytes"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
)

// What follows an instruction of a pickle program, after Python's pickletools.
var (
	fixed = map[byte]int{ // so many bytes
		'G': 8, 'J': 4, 'K': 1, 'M': 2, 'h': 1, 'j': 4, 'q': 1, 'r': 4, 0x80: 1, 0x82: 1, 0x83: 2, 0x84: 4,
	}
	lines = map[byte]int{ // so many lines
		'F': 1, 'I': 1, 'L': 1, 'P': 1, 'S': 1, 'V': 1, 'c': 2, 'g': 1, 'i': 2, 'p': 1,
	}
	counted = map[byte]int{ // a number of so many bytes, and as many bytes as that says
		'B': 4, 'C': 1, 'T': 4, 'U': 1, 'X': 4, 0x8a: 1, 0x8b: 4, 0x8c: 1, 0x8d: 8, 0x8e: 8, frame: 8, 0x96: 8,
	}
)

const (
	stop  = '.'
	frame = 0x95 // what it counts is instructions
)

// fits refuses the pickle program that r comes to if a length in it goes beyond the file: the library's machine makes room
// for what a length says before it reads, and of too much the process dies. r stays where it is.
func fits(r *bytes.Reader) error {
	defer r.Seek(r.Size()-int64(r.Len()), io.SeekStart)
	for {
		code, err := r.ReadByte()
		if err != nil {
			return errEnds
		}
		if code == stop {
			return nil
		}
		var number [8]byte
		if _, err := io.ReadFull(r, number[:counted[code]]); err != nil {
			return errEnds
		}
		n := binary.LittleEndian.Uint64(number[:])
		if n > uint64(r.Len()) {
			return fmt.Errorf("something in it is said to take %d bytes, and %d are left", n, r.Len())
		}
		if code == frame {
			continue // instructions
		}
		r.Seek(int64(fixed[code])+int64(n), io.SeekCurrent)
		for range lines[code] {
			for b := byte(0); b != '\n'; {
				if b, err = r.ReadByte(); err != nil {
					return errEnds
				}
			}
		}
	}
}

var errEnds = errors.New("it ends within its list of tensors")
