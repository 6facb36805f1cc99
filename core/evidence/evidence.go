// Package evidence shows what an evaluation or a training run found: plots as PNG, and beside each the
// numbers that it was drawn from, as CSV under the same name. Accuracies in the files are fractions from 0
// to 1; the plots say percent.
//
// It links a plotting library, so only native commands import it.
package evidence

import (
	"bytes"
	"encoding/csv"
	"fmt"
	"image/color"
	"math"
	"path/filepath"
	"strconv"

	"gonum.org/v1/plot"
	"gonum.org/v1/plot/plotter"
	"gonum.org/v1/plot/vg"
	"gonum.org/v1/plot/vg/draw"

	"gdram/core"
	"gdram/core/checkpoint/disk"
	"gdram/core/dataset"
	"gdram/core/train"
)

// About says what was evaluated.
type About struct {
	Data   string     // for the titles: data set, split and number of pictures
	Labels []string   // names of the classes; numbers where they are missing
	Fast   *disk.Fast // where fast mode stops, as the weights say; nil where they do not
}

// Write puts what an evaluation with full looks found into the folder dir:
//
//	confusion     which classes are taken for which
//	calibration   how often answers of some probability are right
//	early_exit    accuracy against the mean number of looks, when looking stops at various probabilities
//	locations     where the network looked in the set's first pictures
func Write(dir string, about About, e *train.Evaluation, set dataset.Set) error {
	for _, part := range []func() error{
		func() error { return confusion(dir, about, e) },
		func() error { return calibration(dir, about, e) },
		func() error { return earlyExit(dir, about, e) },
		func() error { return locations(dir, about, e, set) },
	} {
		if err := part(); err != nil {
			return err
		}
	}
	return nil
}

// label names a class.
func (a *About) label(class int) string {
	if class < len(a.Labels) {
		return a.Labels[class]
	}
	return strconv.Itoa(class)
}

// table collects the lines of a CSV file.
type table struct {
	b bytes.Buffer
	w *csv.Writer
}

func newTable(header ...string) *table {
	t := &table{}
	t.w = csv.NewWriter(&t.b)
	t.w.Write(header)
	return t
}

// add writes a line of numbers and texts.
func (t *table) add(cells ...any) {
	line := make([]string, len(cells))
	for i, c := range cells {
		switch v := c.(type) {
		case float64:
			line[i] = strconv.FormatFloat(v, 'g', 6, 64)
		case float32:
			line[i] = strconv.FormatFloat(float64(v), 'g', 6, 32)
		default:
			line[i] = fmt.Sprint(v)
		}
	}
	t.w.Write(line)
}

func (t *table) save(dir, name string) error {
	t.w.Flush()
	return disk.WriteFile(filepath.Join(dir, name+".csv"), t.b.Bytes())
}

func confusion(dir string, about About, e *train.Evaluation) error {
	counts := e.Confusion()
	header := []string{"label"}
	for class := range counts {
		header = append(header, about.label(class))
	}
	t := newTable(header...)
	shares := make(grid, len(counts))
	for label, row := range counts {
		line, total := []any{about.label(label)}, 0
		for _, n := range row {
			line, total = append(line, n), total+n
		}
		t.add(line...)
		shares[label] = make([]float64, len(row))
		for answer, n := range row {
			shares[label][answer] = 100 * float64(n) / float64(max(total, 1))
		}
	}
	if err := t.save(dir, "confusion"); err != nil {
		return err
	}

	p := newPlot("Confusion, "+about.Data, "answer", "label (each row: % of its pictures)")
	heat := plotter.NewHeatMap(shares, blues{})
	heat.Min, heat.Max = 0, 100
	p.Add(heat)
	n := len(counts)
	ticks := nominal{name: about.label, n: n, every: 1 + (n-1)/25}
	p.X.Tick.Marker, p.Y.Tick.Marker = ticks, upsideDown{ticks}
	p.X.Tick.Label.Rotation, p.X.Tick.Label.XAlign, p.X.Tick.Label.YAlign = math.Pi/4, draw.XRight, draw.YCenter
	for _, axis := range []*plot.Axis{&p.X, &p.Y} {
		axis.Tick.Length, axis.LineStyle.Width, axis.Padding = 0, 0, 4
	}
	if n <= 10 {
		var cells plotter.XYLabels
		for label, row := range shares {
			for answer, share := range row {
				cells.XYs = append(cells.XYs, plotter.XY{X: float64(answer), Y: float64(n - 1 - label)})
				cells.Labels = append(cells.Labels, percent(share))
			}
		}
		numbers, err := plotter.NewLabels(cells)
		if err != nil {
			return err
		}
		for i := range numbers.TextStyle {
			style := &numbers.TextStyle[i]
			*style = text(8)
			style.XAlign, style.YAlign = draw.XCenter, draw.YCenter
			if shares[i/n][i%n] > 50 {
				style.Color = white
			}
		}
		p.Add(numbers)
	}
	return save(p, dir, "confusion", 7*vg.Inch, 7*vg.Inch)
}

// percent is short enough for a cell; nothing for nothing.
func percent(share float64) string {
	switch {
	case share == 0:
		return ""
	case share < 9.95:
		return strconv.FormatFloat(share, 'f', 1, 64)
	}
	return strconv.FormatFloat(share, 'f', 0, 64)
}

// Line is the accuracy after 1, 2, ... looks of one way to look.
type Line struct {
	Name  string
	After [core.Steps]float64
}

// Glimpses draws accuracy against the number of looks, a line for each way to look.
func Glimpses(dir, data string, lines []Line) error {
	t := newTable("looks", "glimpses", "top1")
	p := newPlot("Accuracy against looks, "+data, "looks taken", "right (%)")
	p.X.Tick.Marker = round{whole: true}
	for i, line := range lines {
		var at plotter.XYs
		for k, share := range line.After {
			t.add(line.Name, k+1, share)
			at = append(at, plotter.XY{X: float64(k + 1), Y: 100 * share})
		}
		if err := drawLine(p, line.Name, at, colours[i%len(colours)], true); err != nil {
			return err
		}
	}
	p.Legend.Top = false
	if err := t.save(dir, "glimpses"); err != nil {
		return err
	}
	return save(p, dir, "glimpses", wide, high)
}

func calibration(dir string, about About, e *train.Evaluation) error {
	bins, ece := e.Calibration()
	t := newTable("from", "to", "pictures", "confidence", "top1")
	var at, share plotter.XYs
	for _, b := range bins {
		t.add(b.From, b.To, b.Count, b.Confidence, b.Accuracy)
		share = append(share, plotter.XY{X: 100 * b.From, Y: 100 * float64(b.Count) / float64(len(e.Outcomes))})
		if b.Count > 0 {
			at = append(at, plotter.XY{X: 100 * b.Confidence, Y: 100 * b.Accuracy})
		}
	}
	if err := t.save(dir, "calibration"); err != nil {
		return err
	}

	p := newPlot(fmt.Sprintf("Calibration, %s: expected error %.1f points", about.Data, 100*ece), "probability of the answer (%)", "right (%)")
	p.X.Min, p.X.Max, p.Y.Min, p.Y.Max = 0, 100, 0, 100
	p.X.Padding, p.Y.Padding = 0, 0
	bars, err := plotter.NewHistogram(share, len(share))
	if err != nil {
		return err
	}
	bars.Bins = bars.Bins[:0]
	for i, s := range share {
		bars.Bins = append(bars.Bins, plotter.HistogramBin{Min: 100 * bins[i].From, Max: 100 * bins[i].To, Weight: s.Y})
	}
	bars.FillColor, bars.LineStyle.Width = pale, 0
	p.Add(bars)
	p.Legend.Add("share of the pictures (%)", bars)
	diagonal, err := plotter.NewLine(plotter.XYs{{X: 0, Y: 0}, {X: 100, Y: 100}})
	if err != nil {
		return err
	}
	diagonal.Color, diagonal.Dashes = grey, []vg.Length{vg.Points(3), vg.Points(3)}
	p.Add(diagonal)
	if err := drawLine(p, "right, mean of a bin", at, colours[0], true); err != nil {
		return err
	}
	p.Legend.Left, p.Legend.XOffs = true, vg.Points(4)
	return save(p, dir, "calibration", 5.5*vg.Inch, 5.5*vg.Inch)
}

func earlyExit(dir string, about About, e *train.Evaluation) error {
	p := newPlot("Early exit, "+about.Data, "looks, mean", "right (%)")
	p.X.Tick.Marker = round{whole: true}
	p.Legend.Top = false
	var fixed plotter.XYs
	for k, share := range e.Metrics().After {
		fixed = append(fixed, plotter.XY{X: float64(k + 1), Y: 100 * share})
	}
	if err := drawLine(p, "as many looks at every picture", fixed, grey, true); err != nil {
		return err
	}

	t := newTable("lead", "mean_glimpses", "top1")
	var curve plotter.XYs
	for _, x := range e.Exits() {
		t.add(x.Lead, x.Glimpses, x.Top1)
		curve = append(curve, plotter.XY{X: x.Glimpses, Y: 100 * x.Top1})
	}
	if err := drawLine(p, "until the lead is enough", curve, colours[0], false); err != nil {
		return err
	}
	if err := t.save(dir, "early_exit"); err != nil {
		return err
	}

	point := func(name string, x train.Exit, c color.Color) error {
		return drawPoint(p, name, plotter.XY{X: x.Glimpses, Y: 100 * x.Top1}, c)
	}
	if err := point("as published", e.PublishedExit(), colours[1]); err != nil {
		return err
	}
	if f := about.Fast; f != nil {
		if err := point(fmt.Sprintf("fast mode: a lead of %.3g%%", 100*f.Lead), e.ExitAt(f.Lead), colours[2]); err != nil {
			return err
		}
	}
	return save(p, dir, "early_exit", wide, high)
}
