package pytorch

import (
	"archive/zip"
	"bytes"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// One list, [None, True, 1, 300, 70000, -2**40, 1.5, "text", b"bytes", bytearray(b"xy"), (1, 2), {"k": [1, 2]},
// OrderedDict(a=1)], as Python 3.11's pickle.dumps writes it by its protocols.
var pickles = map[int]string{
	0: "(lp0\nNaI01\naI1\naI300\naI70000\naL-1099511627776L\naF1.5\naVtext\np1\nac_codecs\nencode\np2\n(Vbytes\np3\nVlatin1\np4\ntp5\nRp6\nac__builtin__\nbytearray\np7\n(g2\n(Vxy\np8\ng4\ntp9\nRp10\ntp11\nRp12\na(I1\nI2\ntp13\na(dp14\nVk\np15\n(lp16\nI1\naI2\nasaccollections\nOrderedDict\np17\n(tRp18\nVa\np19\nI1\nsa.",
	2: "\x80\x02]q\x00(N\x88K\x01M,\x01Jp\x11\x01\x00\x8a\x06\x00\x00\x00\x00\x00\xffG?\xf8\x00\x00\x00\x00\x00\x00X\x04\x00\x00\x00textq\x01c_codecs\nencode\nq\x02X\x05\x00\x00\x00bytesq\x03X\x06\x00\x00\x00latin1q\x04\x86q\x05Rq\x06c__builtin__\nbytearray\nq\x07h\x02X\x02\x00\x00\x00xyq\x08h\x04\x86q\x09Rq\n\x85q\x0bRq\x0cK\x01K\x02\x86q\x0d}q\x0eX\x01\x00\x00\x00kq\x0f]q\x10(K\x01K\x02esccollections\nOrderedDict\nq\x11)Rq\x12X\x01\x00\x00\x00aq\x13K\x01se.",
	5: "\x80\x05\x95z\x00\x00\x00\x00\x00\x00\x00]\x94(N\x88K\x01M,\x01Jp\x11\x01\x00\x8a\x06\x00\x00\x00\x00\x00\xffG?\xf8\x00\x00\x00\x00\x00\x00\x8c\x04text\x94C\x05bytes\x94\x96\x02\x00\x00\x00\x00\x00\x00\x00xy\x94K\x01K\x02\x86\x94}\x94\x8c\x01k\x94]\x94(K\x01K\x02es\x8c\x0bcollections\x94\x8c\x0bOrderedDict\x94\x93\x94)R\x94\x8c\x01a\x94K\x01se.",
}

func TestFits(t *testing.T) {
	for protocol, program := range pickles {
		r := bytes.NewReader([]byte("before" + program))
		r.Seek(6, 0)
		assert.NoError(t, fits(r), "protocol %d", protocol)
		assert.Equal(t, len(program), r.Len(), "where it was")
		for end := range len(program) {
			assert.Error(t, fits(bytes.NewReader([]byte(program[:end]))), "protocol %d, its first %d bytes", protocol, end)
		}
	}
}

// TestImportBelievesNoLength has files of a few bytes that say to hold more than any memory.
func TestImportBelievesNoLength(t *testing.T) {
	for code, bytesOfLength := range counted {
		if bytesOfLength == 1 {
			continue // 255 bytes hurt nobody
		}
		program := append([]byte{0x80, 5, code}, bytes.Repeat([]byte{0xff}, bytesOfLength)...)
		program[len(program)-1] = 0x3f // the sign
		var b bytes.Buffer
		z := zip.NewWriter(&b)
		w, err := z.CreateHeader(&zip.FileHeader{Name: "archive/data.pkl", Method: zip.Store})
		require.NoError(t, err)
		_, err = w.Write(program)
		require.NoError(t, err)
		require.NoError(t, z.Close())
		_, err = Decode(b.Bytes())
		assert.ErrorContains(t, err, "is said to take", "instruction %x", code)
		_, err = Decode(program)
		assert.ErrorContains(t, err, "neither as a zip archive nor", "instruction %x", code)
	}
}
