package evidence

import (
	"fmt"
	"image"
	"image/color"

	"gonum.org/v1/plot/vg"
	"gonum.org/v1/plot/vg/draw"
	"gonum.org/v1/plot/vg/vgimg"

	"gdram/core"
	"gdram/core/dataset"
	"gdram/core/pixels"
	"gdram/core/train"
)

// shownPictures is how many of a set are shown with their glimpses: its first, not its finest.
const shownPictures = 8

// locations draws a sheet: a row for each picture, a column for each look, with the sharpest patch of the
// glimpse framed boldly and the coarser ones finely.
func locations(dir string, about About, e *train.Evaluation, set dataset.Set) error {
	n := min(shownPictures, len(e.Outcomes))
	t := newTable("picture", "label", "look", "x", "y", "weight", "sigma", "answer", "probability")
	const (
		side    = vg.Length(96)
		gap     = vg.Length(6)
		caption = vg.Length(14)
		names   = vg.Length(84)
		top     = vg.Length(48)
	)
	width, height := names+core.Steps*(side+gap), top+vg.Length(n)*(side+caption+gap)
	canvas := vgimg.NewWith(vgimg.UseWH(width, height), vgimg.UseDPI(dpi))
	c := draw.New(canvas)
	title, small := text(11), text(8)
	c.FillText(title, vg.Point{X: gap, Y: height - 18}, "Where it looked, "+about.Data)
	c.FillText(small, vg.Point{X: gap, Y: height - 38}, "label")
	c.FillText(small, vg.Point{X: names, Y: height - 38}, "one look after the other: four patches, the sharpest bold; below, the answer so far and its probability")

	rgb := make([]uint8, pixels.Len)
	for row := range n {
		o := &e.Outcomes[row]
		set.Fill(rgb, row, 0)
		picture := image.NewRGBA(image.Rect(0, 0, pixels.Size, pixels.Size))
		for i := range pixels.Size * pixels.Size {
			copy(picture.Pix[4*i:], rgb[3*i:3*i+3])
			picture.Pix[4*i+3] = 255
		}
		bottom := height - top - vg.Length(row)*(side+caption+gap) - side
		c.FillText(small, vg.Point{X: gap, Y: bottom + side/2}, about.label(o.Label))
		for k, s := range o.Looks {
			t.add(row, about.label(o.Label), k+1, s.X, s.Y, s.Weight, s.Sigma, about.label(int(s.Answer)), s.Confidence)
			left := names + vg.Length(k)*(side+gap)
			frame := vg.Rectangle{Min: vg.Point{X: left, Y: bottom}, Max: vg.Point{X: left + side, Y: bottom + side}}
			c.DrawImage(frame, picture)
			for scale := core.Scales - 1; scale >= 0; scale-- {
				drawPatch(draw.Canvas{Canvas: c.Canvas, Rectangle: frame}, s.X, s.Y, scale)
			}
			c.FillText(small, vg.Point{X: left, Y: bottom - 10}, fmt.Sprintf("%s %.0f%%", about.label(int(s.Answer)), 100*s.Confidence))
		}
	}
	if err := t.save(dir, "locations"); err != nil {
		return err
	}
	return saveCanvas(canvas, dir, "locations")
}

// drawPatch frames one patch of a glimpse, as far as it lies within the picture.
func drawPatch(c draw.Canvas, x, y float32, scale int) {
	size := c.Max.X - c.Min.X
	half := size * core.GlimpseSize / core.ImageSize / 2 * vg.Length(int(1)<<scale)
	centre := vg.Point{X: c.Min.X + size*vg.Length(x+1)/2, Y: c.Max.Y - size*vg.Length(y+1)/2}
	within := func(v, low, high vg.Length) vg.Length { return min(max(v, low), high) }
	l, r := within(centre.X-half, c.Min.X, c.Max.X), within(centre.X+half, c.Min.X, c.Max.X)
	b, t := within(centre.Y-half, c.Min.Y, c.Max.Y), within(centre.Y+half, c.Min.Y, c.Max.Y)
	style := draw.LineStyle{Color: color.NRGBA{230, 60, 40, 110}, Width: vg.Points(0.6)}
	if scale == 0 {
		style = draw.LineStyle{Color: color.NRGBA{230, 40, 30, 255}, Width: vg.Points(1.5)}
	}
	c.StrokeLines(style, []vg.Point{{X: l, Y: b}, {X: r, Y: b}, {X: r, Y: t}, {X: l, Y: t}, {X: l, Y: b}})
}
