package checkpoint

import (
	"testing"

	"github.com/stretchr/testify/assert"
)

func TestStringsOfJSON(t *testing.T) {
	for _, tc := range []struct{ json, want string }{
		{`""`, ""},
		{`"plain é"`, "plain é"},
		{`"\"\\\/\b\f\n\r\t"`, "\"\\/\b\f\n\r\t"},
		{`"\u00e9\u00C9\u0041"`, "éÉA"},
		{`"\ud83d\ude00"`, "😀"},
		{`"\ud83dx"`, "\ufffdx"}, // half a pair
	} {
		p := &parser{b: []byte(tc.json)}
		assert.Equal(t, tc.want, p.string(), tc.json)
		assert.NoError(t, p.end(), tc.json)
	}
	for _, json := range []string{`"\u12"`, `"\u12`, `"\u123g"`, `"\u12 4"`, "\"\\u123\x10\"", `"\u-123"`, `"\x"`, `"a`, "\"\n\"", `a`} {
		p := &parser{b: []byte(json)}
		p.string()
		assert.Error(t, p.end(), json)
	}
}
