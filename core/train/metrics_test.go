package train

import (
	"context"
	"math/rand/v2"
	"slices"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"gdram/core"
)

// seen makes an outcome of label 1 out of pairs: an answer, and a number that is both its confidence and its lead.
func seen(pairs ...float32) Outcome {
	o := Outcome{Label: 1}
	for i := 0; i < len(pairs); i += 2 {
		o.Looks = append(o.Looks, Seen{Answer: int32(pairs[i]), Confidence: pairs[i+1], Lead: pairs[i+1], Weight: 1})
	}
	return o
}

func TestMetrics(t *testing.T) {
	e := Evaluation{Classes: 3, Outcomes: []Outcome{
		seen(1, .5, 1, .75),
		seen(2, .5, 1, .25),
		seen(0, .75),
		{Label: 2, Rank: 6, Looks: []Seen{{X: .5, Y: -.5, Sigma: 1, Confidence: .25}, {X: 1, Sigma: 3, Confidence: .25, Answer: 1}}},
	}}
	m := e.Metrics()
	assert.Equal(t, 4, m.Images)
	assert.Equal(t, 0.5, m.Top1)
	assert.Equal(t, 0.75, m.Top5)
	assert.Equal(t, 7./4, m.MeanGlimpses)
	assert.Equal(t, [core.Steps]float64{0.25, 2. / 3}, m.After, "the second of those that looked twice")
	assert.InDelta(t, 4./7, m.MeanSigma, 1e-12)
	// One of four places is half a unit off, √3/8 in either coordinate; one of three a whole one, √2/3 in x alone.
	assert.InDelta(t, (2*0.2165064/2+0.4714045/2)/2, m.Spread, 1e-6)
	assert.Equal(t, [][]int{{0, 0, 0}, {1, 2, 0}, {0, 1, 0}}, e.Confusion(), "a row a label, a column an answer")
}

func TestCalibration(t *testing.T) {
	e := Evaluation{Classes: 2, Outcomes: []Outcome{
		seen(1, 1), seen(0, .95), // of 1 and .95, one was right
		seen(1, .61), seen(1, .65), // of .61 and .65, both
		seen(1, 0),
	}}
	bins, ece := e.Calibration()
	require.Len(t, bins, 15)
	assert.Equal(t, 2, bins[14].Count)
	assert.InDelta(t, .975, bins[14].Confidence, 1e-6)
	assert.InDelta(t, .5, bins[14].Accuracy, 1e-6)
	assert.Equal(t, 2, bins[9].Count)
	assert.Equal(t, 1, bins[0].Count)
	assert.InDelta(t, (2*.475+2*.37+1)/5, ece, 1e-6)
}

func TestExits(t *testing.T) {
	var outcomes []Outcome
	for range 600 {
		outcomes = append(outcomes, seen(1, .9, 1, .9, 1, .95, 1, .99)) // could stop at once
	}
	for range 200 {
		outcomes = append(outcomes, seen(0, .7, 0, .6, 1, .8, 1, .9)) // needs three looks
	}
	deceptive := seen(0, .9, 0, .7, 1, .95, 1, .99)
	outcomes = append(outcomes, deceptive, deceptive) // two: a quarter of a point
	e := Evaluation{Classes: 2, Outcomes: outcomes}

	assert.Equal(t, Exit{0, 1, 4}, e.ExitAt(0), "never")
	x := e.ExitAt(0.85)
	assert.InDelta(t, 800./802, x.Top1, 1e-9)
	assert.InDelta(t, (602+600)/802., x.Glimpses, 1e-9)
	assert.Equal(t, 1., e.ExitAt(0.5).Glimpses)
	x = e.ExitAt(1)
	assert.Equal(t, 1., x.Top1)
	assert.InDelta(t, (600*2+202*3)/802., x.Glimpses, 1e-9, "after two looks six sevenths are enough")
	exits := e.Exits()
	assert.Len(t, exits, 200)
	assert.InDelta(t, 1, exits[199].Lead, 1e-9)

	best := e.ChooseExit()
	assert.InDelta(t, 800./802, best.Top1, 1e-9, "0.25 points are lost, fewer than 0.33")
	assert.InDelta(t, (602+600)/802., best.Glimpses, 1e-9, "the 200 stop after the third look")
	assert.Greater(t, best.Lead, .7)
	assert.LessOrEqual(t, best.Lead, .9)

	e.Outcomes = append(e.Outcomes, deceptive) // with a third, 0.37
	best = e.ChooseExit()
	assert.Equal(t, 1., best.Top1)
	assert.Greater(t, best.Lead, .9)

	e.Outcomes = []Outcome{seen(1, .15, 1, .15, 1, .15, 1, .15, 1, .15, 1, .15, 1, .15, 1, .15)}
	assert.Equal(t, 7., e.ExitAt(0.7).Glimpses, "never sure, until the last look but one asks for a tenth")
}

// TestPublishedExit compares with what the classifier does.
func TestPublishedExit(t *testing.T) {
	e := Evaluation{Classes: 2, Outcomes: []Outcome{seen(0, .5, 0, .5, 1, .5, 0, .5), seen(1, .5, 1, .5)}}
	e.Outcomes[0].Looks[1].Weight, e.Outcomes[0].Looks[2].Weight = .4, .4
	assert.Equal(t, Exit{Top1: 1, Glimpses: 2.5}, e.PublishedExit())
}

// TestEvaluateManners: stopping while looking is what the full looks say it would be.
func TestEvaluateManners(t *testing.T) {
	p := core.NewParams(2)
	p.Initialize(rand.New(rand.NewPCG(1, 1)))
	for i := range p.Tensor("emission_net.logvar_net.0.weight") { // weights on both sides of a half
		p.Tensor("emission_net.logvar_net.0.weight")[i] *= 4
	}
	fill(p.Tensor("emission_net.logvar_net.0.bias"), 0.4)
	c := core.NewClassifier(p)
	evaluate := func(m Manner) *Evaluation {
		e, err := Evaluate(context.Background(), c, bars{20, 3}, m, 2, nil)
		require.NoError(t, err)
		return e
	}
	full := evaluate(Manner{})
	assert.Equal(t, 8., full.Metrics().MeanGlimpses)
	var all []float32
	for _, o := range full.Outcomes {
		for _, s := range o.Looks {
			all = append(all, s.Lead)
		}
	}
	slices.Sort(all)
	first := float64(all[len(all)*9/10])
	for what, pair := range map[string][2]Exit{
		"sure":      {evaluate(Manner{Stop: core.Options{Lead: float32(first)}}).ExitAt(0), full.ExitAt(first)},
		"published": {evaluate(Manner{Stop: core.Options{Fast: true}}).ExitAt(0), full.PublishedExit()},
	} {
		assert.Equal(t, pair[1].Glimpses, pair[0].Glimpses, what)
		assert.Equal(t, pair[1].Top1, pair[0].Top1, what)
		assert.Less(t, pair[0].Glimpses, 8., what)
		assert.Greater(t, pair[0].Glimpses, 1., what)
	}

	assert.Equal(t, full, evaluate(Manner{Seed: 9}), "the policy's mean has no dice")
	still := evaluate(Manner{Samples: 2})
	for i := range full.Outcomes {
		assert.InDelta(t, full.Outcomes[i].Last().Confidence, still.Outcomes[i].Last().Confidence, 1e-5)
	}
	sampled := Manner{Samples: 3, Noise: 0.5, Seed: 1}
	assert.Equal(t, evaluate(sampled), evaluate(sampled))
	assert.NotEqual(t, full, evaluate(sampled))
	a := evaluate(Manner{Looks: Random, Seed: 1})
	assert.Equal(t, a, evaluate(Manner{Looks: Random, Seed: 1}))
	assert.NotEqual(t, a, evaluate(Manner{Looks: Random, Seed: 2}))
	for _, o := range evaluate(Manner{Looks: Scan}).Outcomes {
		for t2, s := range o.Looks {
			assert.Equal(t, scan[t2], [2]float32{s.X, s.Y})
		}
	}
}
