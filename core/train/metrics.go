package train

import (
	"math"

	"gdram/core"
)

// Metrics sums an evaluation up. Shares are in 0..1.
type Metrics struct {
	Images       int
	Top1, Top5   float64
	MeanGlimpses float64
	After        [core.Steps]float64 // top-1 had every picture stopped after 1, 2, ... looks, of those that looked so often
	MeanSigma    float64             // of the policy, in units of half the picture's width
	Spread       float64             // standard deviation of the places over pictures, mean over looks and coordinates
	ECE          float64             // expected calibration error, see Calibration
	Fast         Exit                // what stopping when sure would give, see ChooseExit
}

// Metrics sums up, in the order of the pictures.
func (e *Evaluation) Metrics() Metrics {
	m := Metrics{Images: len(e.Outcomes)}
	n := float64(m.Images)
	var top1, top5, glimpses, sigma float64
	var looked [core.Steps]float64
	var place, square [core.Steps][2]float64
	for i := range e.Outcomes {
		o := &e.Outcomes[i]
		if o.Rank < 5 {
			top5++
		}
		if o.right(len(o.Looks)) {
			top1++
		}
		for t, s := range o.Looks {
			glimpses++
			looked[t]++
			sigma += float64(s.Sigma)
			if o.right(t + 1) {
				m.After[t]++
			}
			for c, v := range [2]float64{float64(s.X), float64(s.Y)} {
				place[t][c] += v
				square[t][c] += v * v
			}
		}
	}
	m.Top1, m.Top5 = top1/n, top5/n
	m.MeanGlimpses, m.MeanSigma = glimpses/n, sigma/glimpses
	steps := 0.0
	for t, count := range looked {
		if count == 0 {
			continue
		}
		m.After[t] /= count
		for c := range 2 {
			mean := place[t][c] / count
			m.Spread += math.Sqrt(max(0, square[t][c]/count-mean*mean)) / 2
		}
		steps++
	}
	m.Spread /= steps
	_, m.ECE = e.Calibration()
	m.Fast = e.ChooseExit()
	return m
}

// right reports whether the answer after so many looks was.
func (o *Outcome) right(looks int) bool { return int(o.Looks[looks-1].Answer) == o.Label }

// Confusion counts answers, [label][answer].
func (e *Evaluation) Confusion() [][]int {
	counts := make([][]int, e.Classes)
	for i := range counts {
		counts[i] = make([]int, e.Classes)
	}
	for i := range e.Outcomes {
		o := &e.Outcomes[i]
		counts[o.Label][o.Last().Answer]++
	}
	return counts
}

// Bin gathers the pictures whose answer had a probability above From, up to and including To.
type Bin struct {
	From, To             float64
	Count                int
	Confidence, Accuracy float64 // means
}

// calibrationBins is the number that expected calibration errors are usually quoted for.
const calibrationBins = 15

// Calibration compares how probable answers were with how often they were right, and returns the mean
// distance, weighted by pictures: the expected calibration error (Guo et al. 2017).
func (e *Evaluation) Calibration() (bins []Bin, ece float64) {
	bins = make([]Bin, calibrationBins)
	for i := range bins {
		bins[i].From, bins[i].To = float64(i)/calibrationBins, float64(i+1)/calibrationBins
	}
	for i := range e.Outcomes {
		o := &e.Outcomes[i]
		p := float64(o.Last().Confidence)
		b := &bins[max(0, min(int(math.Ceil(p*calibrationBins))-1, calibrationBins-1))]
		b.Count++
		b.Confidence += p
		if o.right(len(o.Looks)) {
			b.Accuracy++
		}
	}
	for i := range bins {
		b := &bins[i]
		if b.Count == 0 {
			continue
		}
		ece += math.Abs(b.Confidence-b.Accuracy) / float64(len(e.Outcomes))
		b.Confidence /= float64(b.Count)
		b.Accuracy /= float64(b.Count)
	}
	return bins, ece
}

// Exit is what stopping early gives.
type Exit struct {
	Lead     float64 // at which looking stops, see core.Enough; 0 where it is not that which stops it
	Top1     float64
	Glimpses float64 // mean
}

const (
	// exitStep is the distance of the leads that are tried.
	exitStep = 0.005
	// exitLoss is how much of top-1 stopping early may cost on the pictures it is chosen on: two thirds of the half a
	// point that others may lose, because the choice fits the former.
	exitLoss = 0.0033
)

// Exits returns what stopping gives for leads from exitStep to 1, in steps of it: from one look at nearly every
// picture to all of them at nearly every one. The pictures must have been looked at to the end.
func (e *Evaluation) Exits() []Exit {
	var exits []Exit
	for i := 1; float64(i)*exitStep < 1+exitStep/2; i++ {
		exits = append(exits, e.ExitAt(float64(i)*exitStep))
	}
	return exits
}

// ExitAt returns what stopping at a lead gives, 0 for never.
func (e *Evaluation) ExitAt(lead float64) Exit {
	exit := e.exit(func(o *Outcome) int {
		for t, s := range o.Looks {
			if lead > 0 && s.Lead >= core.Enough(float32(lead), t) {
				return t + 1
			}
		}
		return len(o.Looks)
	})
	exit.Lead = lead
	return exit
}

// PublishedExit returns what stopping as published gives.
func (e *Evaluation) PublishedExit() Exit { return e.exit((*Outcome).published) }

func (e *Evaluation) exit(looks func(o *Outcome) int) (exit Exit) {
	n := float64(len(e.Outcomes))
	var glimpses, right int
	for i := range e.Outcomes {
		o := &e.Outcomes[i]
		k := looks(o)
		glimpses += k
		if o.right(k) {
			right++
		}
	}
	exit.Glimpses, exit.Top1 = float64(glimpses)/n, float64(right)/n
	return exit
}

// ChooseExit returns the lead that saves most looks and costs at most exitLoss of top-1; of those that save the same, the
// one that costs least. It is to be chosen on validation pictures and then kept.
func (e *Evaluation) ChooseExit() Exit {
	all := e.ExitAt(0)
	best := all
	for _, x := range e.Exits() {
		if x.Top1 < all.Top1-exitLoss-1e-9 { // less than any picture: both are rounded
			continue
		}
		if x.Glimpses < best.Glimpses || x.Glimpses == best.Glimpses && x.Top1 > best.Top1 {
			best = x
		}
	}
	return best
}
