package train

import (
	"fmt"

	"gdram/core"
	"gdram/core/policy"
)

// Looks is who chooses the places to look at: the policy, or one of two that it has to beat. Looks that no
// policy chose all weigh 1, in training and in evaluation.
type Looks string

const (
	Policy Looks = "policy"
	Scan   Looks = "scan"   // the same eight places in every picture, see scan
	Random Looks = "random" // uniformly within ±randomReach, in both coordinates
)

// scan covers the picture from the middle: the centre, the four diagonals, the top, the left and the right.
var scan = [core.Steps][2]float32{
	{0, 0}, {-.45, -.45}, {.45, -.45}, {-.45, .45}, {.45, .45}, {0, -.5}, {-.5, 0}, {.5, 0},
}

// randomReach bounds the places of random looks, in both coordinates.
const randomReach = 0.75

// place returns where look t at a picture goes; the policy has no say here.
func (l Looks) place(seed uint64, epoch, picture, t int) [2]float32 {
	if l == Scan {
		return scan[t]
	}
	place := policy.RandomPlace(seed, epoch, picture, t)
	for c := range place {
		place[c] *= randomReach / policy.Limit
	}
	return place
}

// ParseLooks reads the name of one; the empty name is the policy.
func ParseLooks(name string) (Looks, error) {
	switch l := Looks(name); l {
	case "":
		return Policy, nil
	case Policy, Scan, Random:
		return l, nil
	}
	return "", fmt.Errorf("unknown looks %q; want %s, %s or %s", name, Policy, Scan, Random)
}

// Taught says how a network that a recipe trained looks: who chose its places at the end of its training, and
// how wide stochastic looks are drawn, as a factor on the policy's standard deviation. Weights that name no recipe of
// ours are taken for published ones.
func Taught(recipe string) (looks Looks, noise float32) {
	r, err := anyRecipe(recipe)
	if recipe == "" || recipe == Reference || err != nil {
		return Policy, 1
	}
	return r.lookers(), policy.TaughtNoise
}
