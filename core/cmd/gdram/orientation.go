package main

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
		if tiff, ok := bytes.CutPrefix(segment, []byte("Exif\x00\x00")); ok && marker == app1 {
			return orientationOf(tiff)
		}
	}
	return 1
}

// progressive reports whether a JPEG file comes in several scans, each finer.
func progressive(jpeg []byte) bool {
	const startOfFrame2 = 0xc2
	for marker := range segments(jpeg) {
		if marker == startOfFrame2 {
			return true
		}
	}
	return false
}

// segments gives the marker and the content of each segment of a JPEG file before its pixels.
func segments(jpeg []byte) iter.Seq2[byte, []byte] {
	return func(yield func(byte, []byte) bool) {
		const startOfScan, fill = 0xda, 0xff
		for at := 2; at+4 <= len(jpeg) && jpeg[at] == 0xff && jpeg[at+1] != startOfScan; {
			if jpeg[at+1] == fill { // any number of them may stand before a marker
				at++
				continue
			}
			length := int(binary.BigEndian.Uint16(jpeg[at+2:])) // counts its own two bytes
			if length < 2 || at+2+length > len(jpeg) || !yield(jpeg[at+1], jpeg[at+4:at+2+length]) {
				return
			}
			at += 2 + length
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

// upright turns pixels [height][width][4] as their orientation asks, and returns them with
// their new width and height. Orientations 5 to 8 swap rows and columns.
func upright(rgba []uint8, width, height, orientation int) ([]uint8, int, int) {
	if orientation == 1 {
		return rgba, width, height
	}
	w, h := width, height
	if orientation >= 5 {
		w, h = height, width
	}
	turned := make([]uint8, len(rgba))
	for y := range h {
		for x := range w {
			var fromX, fromY int
			switch orientation {
			case 2: // mirrored
				fromX, fromY = width-1-x, y
			case 3: // upside down
				fromX, fromY = width-1-x, height-1-y
			case 4:
				fromX, fromY = x, height-1-y
			case 5:
				fromX, fromY = y, x
			case 6: // to be turned right
				fromX, fromY = y, height-1-x
			case 7:
				fromX, fromY = width-1-y, height-1-x
			case 8: // to be turned left
				fromX, fromY = width-1-y, x
			}
			copy(turned[(y*w+x)*4:][:4], rgba[(fromY*width+fromX)*4:][:4])
		}
	}
	return turned, w, h
}
