package evidence

import (
	"bytes"
	"image/color"
	"math"
	"path/filepath"
	"strconv"

	"gonum.org/v1/plot"
	"gonum.org/v1/plot/plotter"
	"gonum.org/v1/plot/vg"
	"gonum.org/v1/plot/vg/draw"
	"gonum.org/v1/plot/vg/vgimg"

	"gdram/core/checkpoint/disk"
)

const (
	wide, high = 6 * vg.Inch, 4 * vg.Inch
	dpi        = 144
)

// Colours that the colour-blind tell apart (Okabe and Ito 2008), on white.
var (
	colours = []color.Color{
		color.RGBA{0, 114, 178, 255}, color.RGBA{213, 94, 0, 255}, color.RGBA{0, 158, 115, 255},
		color.RGBA{204, 121, 167, 255}, color.RGBA{230, 159, 0, 255}, color.RGBA{86, 180, 233, 255},
	}
	white = color.RGBA{255, 255, 255, 255}
	black = color.RGBA{40, 40, 40, 255}
	grey  = color.RGBA{150, 150, 150, 255}
	pale  = color.RGBA{222, 230, 238, 255}
)

// newPlot is an empty plot in our style.
func newPlot(title, x, y string) *plot.Plot {
	p := plot.New()
	p.Title.Text, p.X.Label.Text, p.Y.Label.Text = title, x, y
	letters(&p.Title.TextStyle, 11)
	p.Title.Padding = vg.Points(8)
	for _, axis := range []*plot.Axis{&p.X, &p.Y} {
		letters(&axis.Label.TextStyle, 10)
		letters(&axis.Tick.Label, 9)
		axis.LineStyle.Color, axis.Tick.LineStyle.Color = grey, grey
		axis.Tick.Marker = round{}
	}
	letters(&p.Legend.TextStyle, 9)
	p.Legend.Top, p.Legend.Padding = true, vg.Points(3)
	return p
}

// letters sets a style's font, so many points high, and its colour.
func letters(style *draw.TextStyle, points float64) {
	style.Font.Typeface, style.Font.Variant, style.Font.Size = "Liberation", "Sans", vg.Points(points)
	style.Color = black
}

// text is a style for letters by themselves, so many points high; it begins at a point's left and above it.
func text(points float64) draw.TextStyle {
	style := plot.New().Legend.TextStyle
	letters(&style, points)
	style.XAlign, style.YAlign = draw.XLeft, draw.YBottom
	return style
}

// drawLine adds a line, with a legend unless it has no name.
func drawLine(p *plot.Plot, name string, at plotter.XYs, c color.Color, dots bool) error {
	line, points, err := plotter.NewLinePoints(at)
	if err != nil {
		return err
	}
	line.Color, line.Width = c, vg.Points(1.5)
	points.Color, points.Shape, points.Radius = c, draw.CircleGlyph{}, vg.Points(2)
	p.Add(line)
	shown := []plot.Thumbnailer{line}
	if dots {
		p.Add(points)
		shown = append(shown, points)
	}
	if name != "" {
		p.Legend.Add(name, shown...)
	}
	return nil
}

func drawPoint(p *plot.Plot, name string, at plotter.XY, c color.Color) error {
	point, err := plotter.NewScatter(plotter.XYs{at})
	if err != nil {
		return err
	}
	point.Color, point.Shape, point.Radius = c, draw.CircleGlyph{}, vg.Points(4)
	p.Add(point)
	p.Legend.Add(name, point)
	return nil
}

// save draws a plot into dir/name.png.
func save(p *plot.Plot, dir, name string, width, height vg.Length) error {
	c := vgimg.NewWith(vgimg.UseWH(width, height), vgimg.UseDPI(dpi))
	p.Draw(margin(draw.New(c)))
	return saveCanvas(c, dir, name)
}

// margin leaves room around what is drawn.
func margin(c draw.Canvas) draw.Canvas {
	const m = 8
	return draw.Crop(c, m, -m, m, -m)
}

func saveCanvas(c *vgimg.Canvas, dir, name string) error {
	var b bytes.Buffer
	if _, err := (vgimg.PngCanvas{Canvas: c}).WriteTo(&b); err != nil {
		return err
	}
	return disk.WriteFile(filepath.Join(dir, name+".png"), b.Bytes())
}

// grid is a square of numbers, [row][column] with the first row on top.
type grid [][]float64

func (g grid) Dims() (columns, rows int) { return len(g), len(g) }
func (g grid) Z(column, row int) float64 { return g[len(g)-1-row][column] }
func (g grid) X(column int) float64      { return float64(column) }
func (g grid) Y(row int) float64         { return float64(row) }

// blues run from white to the first of the colours.
type blues struct{}

func (blues) Colors() []color.Color {
	const n = 101
	shades := make([]color.Color, n)
	r, g, b, _ := colours[0].RGBA()
	for i := range shades {
		mix := func(to uint32) uint8 {
			// The root makes rare mistakes visible.
			return uint8(255 - math.Sqrt(float64(i)/(n-1))*(255-float64(to>>8)))
		}
		shades[i] = color.RGBA{mix(r), mix(g), mix(b), 255}
	}
	return shades
}

// nominal marks 0, 1, ... n-1 by their names, or every so many of them.
type nominal struct {
	name     func(int) string
	n, every int
}

func (m nominal) Ticks(_, _ float64) (ticks []plot.Tick) {
	for i := 0; i < m.n; i += m.every {
		ticks = append(ticks, plot.Tick{Value: float64(i), Label: m.name(i)})
	}
	return ticks
}

// upsideDown marks them from the top.
type upsideDown struct{ nominal }

func (m upsideDown) Ticks(low, high float64) []plot.Tick {
	ticks := m.nominal.Ticks(low, high)
	for i := range ticks {
		ticks[i].Value = float64(m.n-1) - ticks[i].Value
	}
	return ticks
}

// round marks four to nine round numbers of an axis: 1, 2 or 5 and zeros apart, whole if so asked.
type round struct{ whole bool }

func (m round) Ticks(low, high float64) (ticks []plot.Tick) {
	step, decimals := math.Pow(10, math.Floor(math.Log10((high-low)/4))), 0
	for _, more := range []float64{2, 2.5, 2} {
		if (high-low)/step > 8 {
			step *= more
		}
	}
	if m.whole {
		step = math.Max(1, step)
	}
	for s := step; s < 0.999; s *= 10 {
		decimals++
	}
	for i := math.Ceil(low/step - 1e-9); i*step <= high*(1+1e-9); i++ {
		v := i*step + 0 // no minus before a zero
		ticks = append(ticks, plot.Tick{Value: v, Label: strconv.FormatFloat(v, 'f', decimals, 64)})
	}
	return ticks
}
