package evidence

import (
	"encoding/csv"
	"fmt"
	"math"
	"os"
	"path/filepath"
	"strconv"

	"gonum.org/v1/plot"
	"gonum.org/v1/plot/plotter"
	"gonum.org/v1/plot/vg"
	"gonum.org/v1/plot/vg/draw"
	"gonum.org/v1/plot/vg/vgimg"

	"gdram/core"
	"gdram/core/train"
)

// curve is a column of results.csv and how it is shown.
type curve struct {
	column, name string
	scale        float64
}

// panels are the four plots of a run.
var panels = [2][2]struct {
	title, y string
	under    bool    // the legend, where curves rise
	to       float64 // the axis reaches from 0 to there, or wherever the curves do
	curves   []curve
}{
	{
		{"Loss, training", "loss (nats)", false, 0, []curve{
			{"loss", "as optimised", 1}, {"prediction", "final answer", 1}, {"steps", "every look's", 1},
			{"baseline", "baseline", 1}, {"reinforce", "policy", 1}}},
		{"Accuracy", "right (%)", true, 0, []curve{
			{"train_accuracy", "training", 100}, {"valid_top1", "validation", 100}, {"valid_after_1", "after one look", 100}}},
	},
	{
		{"Fast mode, validation", "looks, mean", false, core.Steps, []curve{{"fast_glimpses", "", 1}}},
		{"Policy, validation", "half picture widths", false, 1.4, []curve{
			{"valid_sigma", "sigma, mean", 1}, {"valid_spread", "spread of the places", 1}}},
	},
}

// Curves draws a run's results.csv as curves.png beside it. Columns that its version of the program did not
// write are left out.
func Curves(dir, data string) error {
	columns, err := readResults(filepath.Join(dir, train.ResultsFile))
	if err != nil {
		return err
	}
	var plots [][]*plot.Plot
	for _, row := range panels {
		var line []*plot.Plot
		some := false
		for _, panel := range row {
			p := newPlot(panel.title+", "+data, "epoch", panel.y)
			p.X.Tick.Marker, p.Legend.Top = round{whole: true}, !panel.under
			if panel.to > 0 {
				p.Y.Min, p.Y.Max = 0, panel.to
			}
			recorded := false
			for i, c := range panel.curves {
				var at plotter.XYs
				for k, v := range columns[c.column] {
					if !math.IsNaN(v) {
						at = append(at, plotter.XY{X: columns["epoch"][k], Y: c.scale * v})
					}
				}
				if len(at) == 0 {
					continue
				}
				recorded = true
				if err := drawLine(p, c.name, at, colours[i], len(at) < 3); err != nil {
					return err
				}
			}
			some = some || recorded
			if !recorded {
				p.Title.Text += ": not recorded"
			}
			line = append(line, p)
		}
		if some || len(plots) == 0 { // a refit has nothing to show of validation
			plots = append(plots, line)
		}
	}
	image := vgimg.NewWith(vgimg.UseWH(2*wide, vg.Length(len(plots))*high), vgimg.UseDPI(dpi))
	tiles := draw.Tiles{Rows: len(plots), Cols: 2, PadX: vg.Points(16), PadY: vg.Points(16)}
	for i, row := range plot.Align(plots, tiles, margin(draw.New(image))) {
		for j, c := range row {
			plots[i][j].Draw(c)
		}
	}
	return saveCanvas(image, dir, "curves")
}

// readResults returns the columns of a results.csv by name. A cell that is empty, because the epoch was
// not judged or the version of the program did not measure it, is NaN.
func readResults(path string) (map[string][]float64, error) {
	f, err := os.Open(path)
	if err != nil {
		return nil, fmt.Errorf("cannot read the results of the run: %w", err)
	}
	defer f.Close()
	lines, err := csv.NewReader(f).ReadAll()
	if err != nil || len(lines) < 2 {
		return nil, fmt.Errorf("%s holds no results (%v); it should have a header and a line an epoch", path, err)
	}
	columns := map[string][]float64{}
	for i, name := range lines[0] {
		for _, line := range lines[1:] {
			v, err := strconv.ParseFloat(line[i], 64)
			if err != nil {
				v = math.NaN()
			}
			columns[name] = append(columns[name], v)
		}
	}
	if columns["epoch"] == nil {
		return nil, fmt.Errorf("%s has no column of epochs; it is not the results of a run", path)
	}
	return columns, nil
}
