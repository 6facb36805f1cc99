package core

// Glimpse is one look of the network: where, how sure, and what it thought after it.
type Glimpse struct {
	X, Y           float32 // centre in -1..1; X is the column, (-1,-1) the top left corner
	Weight         float32 // how much this look counts in the answer, 0..1; the first counts 1
	SigmaX, SigmaY float32 // standard deviation of the Gaussian this place was drawn from
	// Probabilities is the answer if the network stopped here: softmax of the weighted
	// mean of the step logits so far.
	Probabilities []float32
}

// Result is the answer for one picture with the whole glimpse trace.
// It is owned by the Classifier and valid until its next call.
type Result struct {
	Label         int       // index of the most probable class
	Logits        []float32 // weighted mean of the step logits, one per class
	Probabilities []float32 // softmax of Logits
	Glimpses      []Glimpse // the looks taken, 1 to Steps of them
}

// Options choose how to look. The zero value looks Steps times, following the policy's mean.
type Options struct {
	// Fast stops early: after the third look or a later one, when it and the look before it both
	// weigh less than 0.5.
	Fast bool
	// MaxGlimpses bounds the looks; 0 means Steps.
	MaxGlimpses int
}
