package golden

import (
	"crypto/sha256"
	"encoding/binary"
	"encoding/hex"
	"math"
	"os"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

func TestParityWeightsQuoted(t *testing.T) {
	s := stream{1 * 1000003}
	for _, want := range []float64{0.3515674306724538, 0.9891477639121995, 0.15845101292688324} {
		assert.Equal(t, want, s.next())
	}
	first := Weights(10, 1)["glimpse_net.fc_g.0.weight"]
	assert.Equal(t, []float32{-0.05713172256946564, 0.18827305734157562, -0.13146226108074188}, first[:3])
}

// The digests cover every bit of every float tensor of seed 1.
func TestParityWeightsDigest(t *testing.T) {
	for _, tc := range []struct {
		classes int
		sha256  string
	}{
		{10, "3fadf5ea8927073e0c49adc4d6c0621b7542035def23681f4d9d2fd2b6c02f17"},
		{100, "71c9eed5dbd726526780963fcdafa8d309754e131ced9556a2f33fbb44d51ca5"},
	} {
		weights := Weights(tc.classes, 1)
		h := sha256.New()
		for _, x := range Tensors(tc.classes) {
			if x.kind == zero {
				assert.Equal(t, []float32{0}, weights[x.Name], x.Name)
				continue
			}
			var b []byte
			for _, v := range weights[x.Name] {
				b = binary.LittleEndian.AppendUint32(b, math.Float32bits(v))
			}
			h.Write(b)
		}
		assert.Equal(t, tc.sha256, hex.EncodeToString(h.Sum(nil)), "%d classes", tc.classes)
	}
}

// The eval files carry first, last and sum of every tensor, for whichever seed they are of.
func TestParityWeightsOfFiles(t *testing.T) {
	for _, f := range Open(t, "eval") {
		sum, first, last := f.F64("weights_check_sum"), f.F32("weights_check_first"), f.F32("weights_check_last")
		list := Tensors(f.Classes)
		require.Len(t, sum, len(list), f.Name)
		weights := Weights(f.Classes, f.Seed)
		for i, x := range list {
			w := weights[x.Name]
			total := 0.0
			for _, v := range w {
				total += float64(v)
			}
			assert.Equal(t, first[i], w[0], "%s %s", f.Name, x.Name)
			assert.Equal(t, last[i], w[len(w)-1], "%s %s", f.Name, x.Name)
			assert.InDelta(t, sum[i], total, 1e-6, "%s %s", f.Name, x.Name) // the order of adding differs
		}
	}
}

func TestOpenTellsKindsApart(t *testing.T) {
	t.Setenv("GDRAM_FIXTURES", "") // this is about the reader, so about the committed files
	for _, kind := range []string{"eval", "train", "train_f64", "units", "glimpse", "preprocess"} {
		for _, f := range Open(t, kind) {
			assert.Equal(t, kind == "eval" || kind == "train" || kind == "train_f64", f.Classes > 0, f.Name)
			assert.NotEmpty(t, f.Names(), f.Name)
			// Only the float32 runs recorded where each layer was looked at and with which noise.
			assert.Equal(t, kind == "train", f.Has("eps") && f.Has("images"), f.Name)
		}
	}
	f := Open(t, "train")[0]
	assert.Equal(t, []int{8, 3, 128, 128}, f.Shape("images"))
	assert.Len(t, f.U8("images"), 8*3*128*128)
	assert.Len(t, f.I64("labels"), 8)
	assert.Len(t, f.F64("step0/losses"), 4)
}

func TestOpenReadsTheNamedFolder(t *testing.T) {
	folder := t.TempDir()
	header := `{"x":{"dtype":"I32","shape":[2],"data_offsets":[0,8]},"__metadata__":{"a":"b"}}`
	b := binary.LittleEndian.AppendUint64(nil, uint64(len(header)))
	b = append(append(b, header...), 1, 0, 0, 0, 255, 255, 255, 255)
	require.NoError(t, os.WriteFile(filepath.Join(folder, "eval_c37_s12.safetensors"), b, 0o644))
	t.Setenv("GDRAM_FIXTURES", folder)
	files := Open(t, "eval")
	require.Len(t, files, 1)
	assert.Equal(t, 37, files[0].Classes)
	assert.Equal(t, uint64(12), files[0].Seed)
	assert.Equal(t, "eval_c37_s12", files[0].Name)
	assert.Equal(t, []int32{1, -1}, files[0].I32("x"))
	assert.Equal(t, map[string]string{"a": "b"}, files[0].Meta)
}

func TestParseRefuses(t *testing.T) {
	good, err := committed.ReadFile("testdata/units_s1.safetensors")
	require.NoError(t, err)
	for _, n := range []int{0, 7, 8, 100, len(good) - 1} {
		_, err := parse(good[:n])
		assert.Error(t, err, "%d bytes", n)
	}
}
