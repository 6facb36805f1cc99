package evidence

import (
	"bytes"
	"encoding/csv"
	"image"
	"image/color"
	"image/png"
	"math"
	"os"
	"path/filepath"
	"strconv"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"gdram/core"
	"gdram/core/checkpoint/disk"
	"gdram/core/pixels"
	"gdram/core/train"
)

// greys is a set of n grey pictures.
type greys int

func (g greys) Len() int                          { return int(g) }
func (g greys) Label(i int) int                   { return i % 3 }
func (g greys) Fill(dst []uint8, _ int, _ uint64) { copy(dst, bytes.Repeat([]byte{128}, pixels.Len)) }

// evaluation is of three classes: all right after the last look, with rising confidence; half of them before.
func evaluation(n int) *train.Evaluation {
	e := &train.Evaluation{Classes: 3}
	for i := range n {
		o := train.Outcome{Label: i % 3}
		for t := range core.Steps {
			s := train.Seen{X: 0.5, Y: -0.25, Weight: 1, Sigma: 0.7, Answer: int32(o.Label), Confidence: 0.2 + float32(t)/10, Lead: 0.1 + float32(t)/10}
			if i%2 == 1 && t < core.Steps-1 {
				s.Answer = int32(i+1) % 3
			}
			o.Looks = append(o.Looks, s)
		}
		e.Outcomes = append(e.Outcomes, o)
	}
	return e
}

func readCSV(t *testing.T, dir, name string) [][]string {
	t.Helper()
	f, err := os.Open(filepath.Join(dir, name+".csv"))
	require.NoError(t, err)
	defer f.Close()
	lines, err := csv.NewReader(f).ReadAll()
	require.NoError(t, err)
	return lines
}

// readPNG returns a plot.
func readPNG(t *testing.T, dir, name string) image.Image {
	t.Helper()
	f, err := os.Open(filepath.Join(dir, name+".png"))
	require.NoError(t, err)
	defer f.Close()
	m, err := png.Decode(f)
	require.NoError(t, err)
	return m
}

// coloured returns the bounds of all pixels of a colour.
func coloured(m image.Image, c color.Color) (bounds image.Rectangle) {
	r, g, b, _ := c.RGBA()
	for y := m.Bounds().Min.Y; y < m.Bounds().Max.Y; y++ {
		for x := m.Bounds().Min.X; x < m.Bounds().Max.X; x++ {
			if r1, g1, b1, _ := m.At(x, y).RGBA(); r1>>8 == r>>8 && g1>>8 == g>>8 && b1>>8 == b>>8 {
				bounds = bounds.Union(image.Rect(x, y, x+1, y+1))
			}
		}
	}
	return bounds
}

func TestWrite(t *testing.T) {
	dir := t.TempDir()
	e := evaluation(12)
	about := About{Data: "greys valid, 12 pictures", Labels: []string{"a", "b", "c"}, Fast: &disk.Fast{Lead: 0.5}}
	require.NoError(t, Write(dir, about, e, greys(12)))
	require.NoError(t, Glimpses(dir, about.Data, []Line{{"policy", e.Metrics().After}, {"scan", [core.Steps]float64{0.25}}}))

	assert.Equal(t, [][]string{{"label", "a", "b", "c"}, {"a", "4", "0", "0"}, {"b", "0", "4", "0"}, {"c", "0", "0", "4"}}, readCSV(t, dir, "confusion"))
	glimpses := readCSV(t, dir, "glimpses")
	require.Len(t, glimpses, 1+2*core.Steps)
	assert.Equal(t, []string{"policy", "7", "0.5"}, glimpses[7])
	assert.Equal(t, []string{"policy", "8", "1"}, glimpses[8])
	assert.Equal(t, []string{"scan", "1", "0.25"}, glimpses[9])
	bins := readCSV(t, dir, "calibration")
	require.Len(t, bins, 16)
	assert.Equal(t, []string{"0.866667", "0.933333", "12", "0.9", "1"}, bins[14])
	exits := readCSV(t, dir, "early_exit")
	require.Len(t, exits, 1+200)
	assert.Equal(t, []string{"0.1", "1", "0.5"}, exits[20], "the first look at every picture, half of them right")
	assert.Equal(t, []string{"1", "5", "0.5"}, exits[200], "after five looks three sevenths are enough, and the lead is a half")
	locations := readCSV(t, dir, "locations")
	require.Len(t, locations, 1+8*core.Steps)
	assert.Equal(t, []string{"1", "b", "1", "0.5", "-0.25", "1", "0.7", "c", "0.2"}, locations[9])

	for _, name := range []string{"confusion", "glimpses", "calibration", "early_exit"} {
		m := readPNG(t, dir, name)
		assert.False(t, coloured(m, colours[0]).Empty(), "%s shows its first colour", name)
		edge := coloured(m, white)
		assert.Equal(t, m.Bounds(), edge, "%s has a white margin", name)
	}
	assert.False(t, coloured(readPNG(t, dir, "early_exit"), colours[2]).Empty(), "where fast mode stops")
}

// TestLocations: the frame lies where the network looked.
func TestLocations(t *testing.T) {
	dir := t.TempDir()
	require.NoError(t, locations(dir, About{Data: "greys"}, evaluation(1), greys(1)))
	m := readPNG(t, dir, "locations")
	bold := coloured(m, color.RGBA{230, 40, 30, 255})
	require.False(t, bold.Empty())
	const points = dpi / 72.
	picture := func(column int) (left, width float64) { return points * (84 + float64(column)*(96+6)), points * 96 }
	left, side := picture(0)
	assert.InDelta(t, left+side*(0.75-6./128), float64(bold.Min.X), 4, "the first picture's")
	last, _ := picture(core.Steps - 1)
	assert.InDelta(t, last+side*(0.75+6./128), float64(bold.Max.X), 4, "the last one's")
	top := points * 48
	assert.InDelta(t, top+side*(0.375-6./128), float64(bold.Min.Y), 4)
	assert.InDelta(t, top+side*(0.375+6./128), float64(bold.Max.Y), 4)
}

func TestManyClasses(t *testing.T) {
	dir := t.TempDir()
	e := &train.Evaluation{Classes: 100}
	for i := range 100 {
		e.Outcomes = append(e.Outcomes, train.Outcome{Label: i, Looks: []train.Seen{{Answer: int32(i / 2)}}})
	}
	require.NoError(t, confusion(dir, About{Data: "many"}, e))
	lines := readCSV(t, dir, "confusion")
	assert.Len(t, lines, 101)
	assert.Equal(t, "1", lines[4][2], "class 3 is taken for class 1")
	readPNG(t, dir, "confusion")
}

func TestCurves(t *testing.T) {
	dir := t.TempDir()
	write := func(text string) {
		require.NoError(t, os.WriteFile(filepath.Join(dir, train.ResultsFile), []byte(text), 0o644))
	}
	header := "epoch,loss,train_accuracy,valid_top1,fast_glimpses,valid_sigma\n"
	write(header + "1,2.5,0.2,0.3,8,1.1\n")
	require.NoError(t, Curves(dir, "greys"), "a single epoch")
	write(header + "1,2.5,0.2,0.3,8,1.1\n2,2,0.3,0.4,4,1\n3,1.5,0.4,0.5,3,0.9\n")
	require.NoError(t, Curves(dir, "greys"))
	m := readPNG(t, dir, "curves")
	half := m.Bounds().Dx() / 2
	for i, corner := range []image.Point{{0, 0}, {half, 0}, {0, m.Bounds().Dy() / 2}, {half, m.Bounds().Dy() / 2}} {
		panel := m.(interface {
			SubImage(image.Rectangle) image.Image
		}).SubImage(image.Rectangle{corner, corner.Add(image.Pt(half, m.Bounds().Dy()/2))})
		assert.False(t, coloured(panel, colours[0]).Empty(), "panel %d", i)
	}

	write(header + "1,2.5,0.2,,,\n2,2,0.3,,,\n")
	require.NoError(t, Curves(dir, "greys"), "a refit")
	assert.Equal(t, m.Bounds().Dy()/2, readPNG(t, dir, "curves").Bounds().Dy(), "what validation would have shown is left out")

	assert.ErrorContains(t, Curves(t.TempDir(), "greys"), "cannot read the results of the run")
	for why, text := range map[string]string{"empty": "", "no lines": header, "no table": "a,b\n1\n", "foreign": "a,b\n1,2\n"} {
		write(text)
		assert.ErrorContains(t, Curves(dir, "greys"), train.ResultsFile, why)
	}
}

func TestRoundTicks(t *testing.T) {
	for _, x := range []struct {
		low, high float64
		whole     bool
		first     string
		last      string
		count     int
	}{
		{0, 100, false, "0", "100", 6},
		{72.4, 77.6, false, "73", "77", 5},
		{-0.3, 0.31, false, "-0.3", "0.3", 7},
		{0.612, 0.618, false, "0.612", "0.618", 7},
		{1, 8, true, "1", "8", 8},
		{1, 2, true, "1", "2", 2},
		{1, 300, true, "50", "300", 6},
		{99.5, 100.5, false, "99.6", "100.4", 5},
	} {
		ticks := round{x.whole}.Ticks(x.low, x.high)
		require.NotEmpty(t, ticks, "%v to %v", x.low, x.high)
		assert.Equal(t, x.first, ticks[0].Label, "%v to %v", x.low, x.high)
		assert.Equal(t, x.last, ticks[len(ticks)-1].Label, "%v to %v", x.low, x.high)
		assert.Len(t, ticks, x.count, "%v to %v", x.low, x.high)
		for _, tick := range ticks {
			v, err := strconv.ParseFloat(tick.Label, 64)
			require.NoError(t, err)
			assert.InDelta(t, tick.Value, v, 1e-9)
			assert.False(t, math.Signbit(tick.Value) && tick.Value == 0)
		}
	}
}
