// Command native is our side of a comparison with other engines: the network as this program runs it, on
// pictures in the form that other engines take, [N][3][128][128] little-endian float32 in 0..1.
//
//	native prepare WEIGHTS FILE PICTURE.png...   makes such a file; the weights say whether it is grey
//	native answer WEIGHTS FILE                   prints logits, locations and weights as JSON
//	native race WEIGHTS FILE THREADS             for every line "PICTURES TIMES" that it reads, classifies so
//	                                             many pictures at once, so many times, and prints the mean
//	                                             milliseconds of once
package main

import (
	"bufio"
	"encoding/binary"
	"encoding/json"
	"fmt"
	"image"
	"image/draw"
	_ "image/png"
	"math"
	"os"
	"runtime"
	"strconv"
	"sync"
	"sync/atomic"
	"time"

	"gdram/core"
	"gdram/core/checkpoint/disk"
	"gdram/core/pixels"
)

const plane = core.ImageSize * core.ImageSize

func main() {
	if err := run(os.Args[1:]); err != nil {
		fmt.Fprintln(os.Stderr, "native:", err)
		os.Exit(1)
	}
}

func run(args []string) error {
	switch {
	case len(args) > 3 && args[0] == "prepare":
		return prepare(args[1], args[2], args[3:])
	case len(args) == 3 && args[0] == "answer":
		return answer(args[1], args[2])
	case len(args) == 4 && args[0] == "race":
		threads, err := strconv.Atoi(args[3])
		if err != nil || threads < 1 {
			return fmt.Errorf("%q threads; want a number of 1 or more", args[3])
		}
		return race(args[1], args[2], threads)
	}
	return fmt.Errorf("cannot make sense of %q; see the head of web/bench/native/main.go", args)
}

func prepare(weights, to string, pictures []string) error {
	_, meta, err := disk.Load(weights)
	if err != nil {
		return err
	}
	var out []byte
	for _, path := range pictures {
		f, err := os.Open(path)
		if err != nil {
			return err
		}
		m, _, err := image.Decode(f)
		f.Close()
		if err != nil {
			return fmt.Errorf("%s: %w", path, err)
		}
		rgba := image.NewNRGBA(image.Rect(0, 0, m.Bounds().Dx(), m.Bounds().Dy()))
		draw.Draw(rgba, rgba.Rect, m, m.Bounds().Min, draw.Src)
		prepared, err := pixels.FromRGBA(rgba.Pix, rgba.Rect.Dx(), rgba.Rect.Dy(), meta.Gray)
		if err != nil {
			return fmt.Errorf("%s: %w", path, err)
		}
		input := make([]float32, core.ImageLen)
		pixels.ToFloat(input, prepared)
		for colour := range core.Colours {
			for p := range plane {
				out = binary.LittleEndian.AppendUint32(out, math.Float32bits(input[p*core.Colours+colour]))
			}
		}
	}
	return os.WriteFile(to, out, 0o644)
}

// open returns a classifier and pictures as it takes them, [128][128][3].
func open(weights, file string) (*core.Classifier, [][]float32, error) {
	params, _, err := disk.Load(weights)
	if err != nil {
		return nil, nil, err
	}
	b, err := os.ReadFile(file)
	if err != nil {
		return nil, nil, err
	}
	if len(b) == 0 || len(b)%(4*core.ImageLen) != 0 {
		return nil, nil, fmt.Errorf("%s has %d bytes; want %d for each picture", file, len(b), 4*core.ImageLen)
	}
	images := make([][]float32, len(b)/(4*core.ImageLen))
	for i := range images {
		images[i] = make([]float32, core.ImageLen)
		for p := range plane {
			for colour := range core.Colours {
				images[i][p*core.Colours+colour] = math.Float32frombits(binary.LittleEndian.Uint32(b[4*(i*core.ImageLen+colour*plane+p):]))
			}
		}
	}
	return core.NewClassifier(params), images, nil
}

// answers are what the exported model puts out, one row for each picture.
type answers struct {
	Logits    [][]float32    `json:"logits"`
	Locations [][][2]float32 `json:"locations"`
	Weights   [][]float32    `json:"weights"`
}

func answer(weights, file string) error {
	classifier, images, err := open(weights, file)
	if err != nil {
		return err
	}
	var a answers
	for _, image := range images {
		r := classifier.Classify(image, core.Options{})
		a.Logits = append(a.Logits, append([]float32(nil), r.Logits...))
		var locations [][2]float32
		var weights []float32
		for _, g := range r.Glimpses {
			locations = append(locations, [2]float32{g.X, g.Y})
			weights = append(weights, g.Weight)
		}
		a.Locations = append(a.Locations, locations)
		a.Weights = append(a.Weights, weights)
	}
	return json.NewEncoder(os.Stdout).Encode(a)
}

func race(weights, file string, threads int) error {
	runtime.GOMAXPROCS(threads)
	classifier, images, err := open(weights, file)
	if err != nil {
		return err
	}
	crew := []*core.Classifier{classifier}
	for len(crew) < threads {
		crew = append(crew, classifier.Share())
	}
	lines := bufio.NewScanner(os.Stdin)
	for lines.Scan() {
		var n, times int
		if _, err := fmt.Sscan(lines.Text(), &n, &times); err != nil || n < 1 || times < 1 {
			return fmt.Errorf("cannot make sense of the line %q; want how many pictures and how many times", lines.Text())
		}
		batch := make([][]float32, n)
		for i := range batch {
			batch[i] = images[i%len(images)]
		}
		start := time.Now()
		for range times {
			classify(crew, batch)
		}
		fmt.Printf("%.6f\n", float64(time.Since(start).Microseconds())/1e3/float64(times))
	}
	return lines.Err()
}

// classify has the crew take blocks of the batch until none is left.
func classify(crew []*core.Classifier, batch [][]float32) {
	var next atomic.Int64
	take := func(c *core.Classifier) {
		for {
			from := int(next.Add(core.BlockSize)) - core.BlockSize
			if from >= len(batch) {
				return
			}
			c.ClassifyBlock(batch[from:min(from+core.BlockSize, len(batch))], core.Options{})
		}
	}
	var done sync.WaitGroup
	for _, c := range crew[1:min(len(crew), (len(batch)+core.BlockSize-1)/core.BlockSize)] {
		done.Go(func() { take(c) })
	}
	take(crew[0])
	done.Wait()
}
