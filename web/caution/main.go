// Command caution measures how well the numbers of an answer tell pictures of what a network knows from
// pictures of other things, for the page's caution (web/src/page/caution.js). Run it in the top folder:
//
//	go run ./web/caution -data-path data
//
// Known pictures are the validation pictures of the data set that the weights learnt from, even if they learnt from those, too: then
// their evidence is a little more than that of new ones, and what the ranges catch of the test pictures says how much. Strangers are the test pictures of the other data
// sets, without those whose things the network knows, and evenly coloured and noisy fields.
package main

import (
	"flag"
	"fmt"
	"math"
	"math/rand/v2"
	"os"
	"path/filepath"
	"slices"

	"gdram/core"
	"gdram/core/checkpoint/disk"
	"gdram/core/dataset"
	"gdram/core/pixels"
)

func main() {
	dataPath := flag.String("data-path", "data", "folder with the published files")
	most := flag.Int("pictures", 2000, "at most so many of each set")
	flag.Parse()
	if err := measureEach(*dataPath, *most); err != nil {
		fmt.Fprintln(os.Stderr, "caution:", err)
		os.Exit(1)
	}
}

// A measure is a number of a picture or of its answer that strangers may have out of range.
type measure struct {
	name      string
	low, high float64 // shares of the known pictures that may lie below and above the range
	of        func(picture []uint8, r *core.Result) float64
}

// As web/src/page/caution.js computes them.
var measures = []measure{
	{"brightness", 0.005, 0.005, func(p []uint8, _ *core.Result) float64 { mean, _, _ := statistics(p); return mean }},
	{"contrast", 0.005, 0.005, func(p []uint8, _ *core.Result) float64 { _, contrast, _ := statistics(p); return contrast }},
	{"roughness", 0.005, 0.005, func(p []uint8, _ *core.Result) float64 { _, _, rough := statistics(p); return rough }},
	{"evidence", 0.03, 0, func(_ []uint8, r *core.Result) float64 {
		sum := 0.0
		for _, v := range r.Logits {
			sum += math.Exp(float64(v))
		}
		return math.Log(sum)
	}},
}

// statistics of the brightness of a picture, [Size][Size][3] bytes, in 0..255: mean, standard deviation, and the mean
// difference of neighbours in a row. Of squares of 4x4 pixels: the data sets' pictures are enlarged, and photographs
// of the same things, which are sharper, should not stand out.
func statistics(picture []uint8) (mean, contrast, roughness float64) {
	const side, square = pixels.Size / 4, 4
	var sum, squares, differences, last float64
	for i := range side * side {
		v := 0.0
		for j := range square * square {
			row, column := i/side*square+j/square, i%side*square+j%square
			for _, c := range picture[3*(row*pixels.Size+column):][:3] {
				v += float64(c) / (3 * square * square)
			}
		}
		sum += v
		squares += v * v
		if i%side > 0 {
			differences += math.Abs(v - last)
		}
		last = v
	}
	const n = side * side
	mean = sum / n
	return mean, math.Sqrt(max(0, squares/n-mean*mean)), differences / (n - side)
}

func measureEach(dataPath string, most int) error {
	files, err := filepath.Glob("weights/*.safetensors")
	if err != nil {
		return err
	}
	if len(files) == 0 {
		return fmt.Errorf("no weights/*.safetensors here; run it in the top folder of the project")
	}
	for _, file := range files {
		if err := tell(file, dataPath, most); err != nil {
			return err
		}
	}
	return nil
}

// tell prints the ranges of known pictures, and how many of others lie outside.
func tell(file, dataPath string, most int) error {
	params, meta, err := disk.Load(file)
	if err != nil {
		return err
	}
	own, err := dataset.Open(meta.Dataset, dataPath)
	if err != nil {
		return err
	}
	classifier := core.NewClassifier(params)
	known := judge(classifier, own.Valid, most, meta.Gray)
	ranges := make([][2]float64, len(measures))
	fmt.Println(filepath.Base(file))
	for i, m := range measures {
		v := make([]float64, len(known))
		for j := range known {
			v[j] = known[j][i]
		}
		slices.Sort(v)
		ranges[i] = [2]float64{math.Inf(-1), math.Inf(1)}
		if m.low > 0 {
			ranges[i][0] = v[int(m.low*float64(len(v)))]
		}
		if m.high > 0 {
			ranges[i][1] = v[len(v)-1-int(m.high*float64(len(v)))]
		}
		fmt.Printf("  %-12s %.4g to %.4g\n", m.name, ranges[i][0], ranges[i][1])
	}
	fmt.Printf("  %-28s", "outside, in %")
	for _, m := range measures {
		fmt.Printf("%12s", m.name)
	}
	fmt.Printf("%12s\n", "any")
	show := func(name string, judged [][]float64) {
		counts := make([]int, len(measures)+1)
		for _, v := range judged {
			outside := false
			for i := range measures {
				if v[i] < ranges[i][0] || v[i] > ranges[i][1] {
					counts[i]++
					outside = true
				}
			}
			if outside {
				counts[len(measures)]++
			}
		}
		fmt.Printf("  %-28s", fmt.Sprintf("%s (%d)", name, len(judged)))
		for _, n := range counts {
			fmt.Printf("%12.1f", 100*float64(n)/float64(len(judged)))
		}
		fmt.Println()
	}
	show("validation", known)
	show("test", judge(classifier, own.Test, most, meta.Gray))
	show("plain", judge(classifier, field{false}, most, meta.Gray))
	show("noise", judge(classifier, field{true}, most, meta.Gray))
	for _, name := range []string{"mnist", "cifar10", "cifar100"} {
		if name == meta.Dataset || name == "cifar10" && meta.Dataset == "cifar100" {
			continue // the hundred things hold most of the ten
		}
		other, err := dataset.Open(name, dataPath)
		if err != nil {
			return err
		}
		set := other.Test
		if name == "cifar100" && meta.Dataset == "cifar10" {
			set = without(other.Test, other.Labels, "bus", "pickup_truck", "streetcar")
		}
		show(name, judge(classifier, set, most, meta.Gray))
	}
	return nil
}

// judge returns every measure of every picture, [pictures][measures].
func judge(c *core.Classifier, set dataset.Set, most int, gray bool) [][]float64 {
	n := min(most, set.Len())
	found := make([][]float64, n)
	image, picture := make([]float32, core.ImageLen), make([]uint8, pixels.Len)
	for i := range n {
		set.Fill(picture, i, 0)
		if gray {
			pixels.Gray(picture)
		}
		pixels.ToFloat(image, picture)
		r := c.Classify(image, core.Options{})
		for _, m := range measures {
			found[i] = append(found[i], m.of(picture, r))
		}
	}
	return found
}

// field is a set of fields without anything on them: of one colour, or of noise around it.
type field struct{ noisy bool }

func (f field) Len() int      { return 500 }
func (f field) Label(int) int { return 0 }
func (f field) Fill(dst []uint8, i int, _ uint64) {
	rng := rand.New(rand.NewPCG(uint64(i), 1))
	colour := [3]uint8{uint8(rng.Uint32()), uint8(rng.Uint32()), uint8(rng.Uint32())}
	for j := range dst {
		dst[j] = colour[j%3]
		if f.noisy {
			dst[j] = uint8(rng.Uint32())
		}
	}
}

// rest is a set without some of its pictures.
type rest struct {
	dataset.Set
	kept []int
}

func (r rest) Len() int                              { return len(r.kept) }
func (r rest) Label(i int) int                       { return r.Set.Label(r.kept[i]) }
func (r rest) Fill(dst []uint8, i int, epoch uint64) { r.Set.Fill(dst, r.kept[i], epoch) }

func without(set dataset.Set, labels []string, classes ...string) dataset.Set {
	r := rest{Set: set}
	for i := range set.Len() {
		if !slices.Contains(classes, labels[set.Label(i)]) {
			r.kept = append(r.kept, i)
		}
	}
	return r
}
