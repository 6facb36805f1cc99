package picture

import (
	"bytes"
	"encoding/binary"
	"iter"
)

// orientation returns how the camera was held, the EXIF tag 0x0112 of a JPEG file: 1 for
// upright to 8. It is 1 where the file does not say or says it wrongly.
func orientation(jpeg []byte) int {
	const app1 = 0xe1
	for marker, segment := range segments(jpeg) {
		if marker == startOfScan {
			break // what follows is about other pictures
		}
		if tiff, ok := bytes.CutPrefix(segment, []byte("Exif\x00\x00")); ok && marker == app1 {
			return orientationOf(tiff)
		}
	}
	return 1
}

// scans is what the segments of a JPEG file tell of its scans.
type scans struct {
	count       int
	progressive bool // each is finer than the one before
	tabled      bool // each has its Huffman tables before it
}

func scansOf(jpeg []byte) scans {
	s := scans{tabled: true}
	var dc, ac [16]bool // the tables so far, by their numbers
	for marker, segment := range segments(jpeg) {
		switch marker {
		case startOfFrame2:
			s.progressive = true
		case defineHuffman:
			for len(segment) > 16 { // class and number, how many codes there are of each length, what they stand for
				of := &dc
				if segment[0]>>4 != 0 {
					of = &ac
				}
				of[segment[0]&15] = true
				size := 17
				for _, codes := range segment[1:17] {
					size += int(codes)
				}
				segment = segment[min(size, len(segment)):]
			}
		case startOfScan:
			s.count++
			if len(segment) < 4 || len(segment) < 4+2*int(segment[0]) {
				s.tabled = false
				break
			}
			colours, rest := segment[1:1+2*int(segment[0])], segment[1+2*int(segment[0]):]
			needsDC, needsAC := true, true
			if s.progressive { // the first coefficient or others, from scratch or refined
				needsDC, needsAC = rest[0] == 0 && rest[2]>>4 == 0, rest[0] > 0
			}
			for i := 1; i < len(colours); i += 2 {
				if needsDC && !dc[colours[i]>>4] || needsAC && !ac[colours[i]&15] {
					s.tabled = false
				}
			}
		}
	}
	return s
}

// Markers.
const (
	startOfFrame2 = 0xc2
	defineHuffman = 0xc4
	startOfScan   = 0xda
)

// segments gives the marker and the content of each segment of a JPEG file. As decoders do, it steps over whatever stands
// between them: the pixels that follow a scan's head, and what does not belong there. Were it stricter than they are,
// a file could hide from it what they will meet.
func segments(jpeg []byte) iter.Seq2[byte, []byte] {
	const stuffed, temporary, restart0, restart7, endOfImage, fill = 0x00, 0x01, 0xd0, 0xd7, 0xd9, 0xff
	return func(yield func(byte, []byte) bool) {
		for at := 2; ; {
			next := bytes.IndexByte(jpeg[min(at, len(jpeg)):], 0xff)
			if at += next + 1; next < 0 || at+3 > len(jpeg) {
				return
			}
			switch marker := jpeg[at]; {
			case marker == fill: // any number of them may stand before a marker
			case marker == stuffed || marker == temporary || marker >= restart0 && marker <= restart7: // they have no content
				at++
			case marker == endOfImage:
				return
			default:
				length := int(binary.BigEndian.Uint16(jpeg[at+1:])) // counts its own two bytes
				if length < 2 || at+1+length > len(jpeg) || !yield(marker, jpeg[at+3:at+1+length]) {
					return
				}
				at += 1 + length
			}
		}
	}
}

// orientationOf looks the tag up in the first directory of a TIFF block: a count, then
// entries of 12 bytes with tag, type, number of values and value.
func orientationOf(tiff []byte) int {
	var order binary.ByteOrder = binary.LittleEndian
	if bytes.HasPrefix(tiff, []byte("MM")) {
		order = binary.BigEndian
	}
	if len(tiff) < 8 {
		return 1
	}
	at := uint64(order.Uint32(tiff[4:]))
	if at+2 > uint64(len(tiff)) {
		return 1
	}
	entries := int(order.Uint16(tiff[at:]))
	for entry := tiff[at+2:]; entries > 0 && len(entry) >= 12; entries, entry = entries-1, entry[12:] {
		const tag, short = 0x0112, 3
		if order.Uint16(entry) == tag && order.Uint16(entry[2:]) == short {
			if v := int(order.Uint16(entry[8:])); v >= 1 && v <= 8 {
				return v
			}
		}
	}
	return 1
}

// upright turns a picture as its orientation asks. Orientations 5 to 8 swap rows and columns.
func upright(p Picture, orientation int) Picture {
	if orientation == 1 {
		return p
	}
	w, h := p.Width, p.Height
	// In pixels of the stored picture: where the upright one begins, and the way to its next column and row.
	walk := [...]struct{ start, column, row int }{
		2: {w - 1, -1, w}, // mirrored
		3: {w*h - 1, -1, -w},
		4: {w * (h - 1), 1, -w},
		5: {0, w, 1},
		6: {w * (h - 1), -w, 1}, // to be turned right
		7: {w*h - 1, -w, -1},
		8: {w - 1, w, -1}, // to be turned left
	}[orientation]
	if orientation >= 5 {
		w, h = h, w
	}
	turned := Picture{make([]uint8, len(p.RGBA)), w, h}
	for y := range h {
		to := turned.RGBA[4*w*y:][:4*w]
		for x := range w {
			from := walk.start + walk.column*x + walk.row*y
			*(*[4]uint8)(to[4*x:]) = [4]uint8(p.RGBA[4*from:])
		}
	}
	return turned
}
