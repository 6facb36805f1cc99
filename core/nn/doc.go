// Package nn holds the layers of the network, forward and backward side by side.
//
// It is readable scalar Go. Convolutions, linear layers, pooling and batch norm here are the
// definition that the faster ones of package core are tested against; the activations,
// the pointwise half of the LSTM, the cross entropy and Adam are what training and inference run.
//
// One capital per dimension:
//
//	N  pictures of a batch, or rows of a matrix
//	H  rows of a feature map
//	W  columns of a feature map
//	C  channels, or features, coming in
//	K  channels, or features, going out
//
// Feature maps are [N][H][W][C], matrices [N][C], all row-major float32. Weights keep the
// published shapes: linear [K][C], convolution [K][C][3][3].
//
// A gradient is called d + the thing it belongs to. Gradients of parameters accumulate (+=);
// gradients of activations, and everything else written, are overwritten. Nothing allocates:
// the caller brings every buffer. A slice of the wrong length is a programmer's error and
// panics.
//
// Every product is rounded before it is added, float32(a*b) + c, so that no compiler fuses
// the two and the bits are the same on every processor.
package nn
