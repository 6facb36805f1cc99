// Package answer puts what the network found into words: classes by name, the most probable first, and every
// glimpse, with the names that the command line's and the Worker's JSON have for them.
package answer

import (
	"slices"
	"strconv"

	"gdram/core"
)

// Answer is the answer for one picture. Probabilities and weights are fractions; places run from -1 (left,
// top) to 1.
type Answer struct {
	Label       string    `json:"label"`
	Probability float32   `json:"probability"`
	Top         []Class   `json:"top"`
	Glimpses    []Glimpse `json:"glimpses"`
}

// Class is one of the most probable.
type Class struct {
	Label       string  `json:"label"`
	Probability float32 `json:"probability"`
}

// Glimpse is one look.
type Glimpse struct {
	X      float32 `json:"x"`
	Y      float32 `json:"y"`
	Weight float32 `json:"weight"`
	Sigma  float32 `json:"sigma"` // mean of the two that follow, standard deviations of the policy
	SigmaX float32 `json:"sigma_x"`
	SigmaY float32 `json:"sigma_y"`
}

// New copies a result, which the classifier will overwrite. labels are one for each class, or none: then
// classes are numbers. Of the classes it tells the most probable, as many as top. It is not ok if a number of
// the result is none: weights that are finite may still lead to sums that are not.
func New(r *core.Result, labels []string, top int) (a Answer, ok bool) {
	if !r.Finite() {
		return a, false
	}
	label := func(class int) string {
		if class < len(labels) {
			return labels[class]
		}
		return strconv.Itoa(class)
	}
	classes := make([]int, len(r.Probabilities))
	for i := range classes {
		classes[i] = i
	}
	slices.SortStableFunc(classes, func(a, b int) int {
		switch {
		case r.Probabilities[a] > r.Probabilities[b]:
			return -1
		case r.Probabilities[a] < r.Probabilities[b]:
			return 1
		}
		return 0
	})
	a.Label, a.Probability = label(r.Label), r.Probabilities[r.Label]
	for _, class := range classes[:min(top, len(classes))] {
		a.Top = append(a.Top, Class{label(class), r.Probabilities[class]})
	}
	for _, g := range r.Glimpses {
		a.Glimpses = append(a.Glimpses, Glimpse{
			X: g.X, Y: g.Y, Weight: g.Weight,
			Sigma: (g.SigmaX + g.SigmaY) / 2, SigmaX: g.SigmaX, SigmaY: g.SigmaY,
		})
	}
	return a, true
}
