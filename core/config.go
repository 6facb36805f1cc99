package core

// The published sizes. They are constants because the weights, the kernels and the
// page all rest on them; only the number of classes varies between models.
const (
	ImageSize   = 128 // rows and columns of the picture
	Colours     = 3   // R, G, B
	GlimpseSize = 12  // rows and columns of every patch of a glimpse
	Scales      = 4   // patches of a glimpse, each covering twice the width of the one before
	Steps       = 8   // glimpses of a full look
	Hidden      = 128 // width of both LSTMs and of the glimpse feature

	// ImageLen is the length of one picture: [ImageSize][ImageSize][Colours] float32 in 0..1.
	ImageLen = ImageSize * ImageSize * Colours

	glimpseChannels = Scales * Colours // 12
	conv1Channels   = 128
	conv2Channels   = 256
	pool1Size       = GlimpseSize / 2 // 6
	pool2Size       = GlimpseSize / 4 // 3
	flatLen         = pool2Size * pool2Size * conv2Channels
	contextChannels = 64
	contextFlat     = pool2Size * pool2Size * contextChannels
	emissionWidth   = 256
	baselineWidth   = 256
	classWidth      = 256
	gates           = 4 * Hidden

	// emissions counts the calls of the location policy in one forward pass: one before
	// the first glimpse and one after each.
	emissions = Steps + 1
)

// The location limits, as published: 12/64 of the picture is a glimpse at the reference's
// original 64-pixel scale, so Limit keeps half a glimpse inside, and a sampled move
// travels at most moveScale.
const (
	Limit     = 1 - 12.0/64/2       // 0.90625
	moveScale = 12.0 / 64 / 2 * 8.0 // 0.75
)

// SigmaMin and SigmaMax bound the policy's standard deviation: exp(-1/2) and exp(1/2).
// A step whose next look was drawn with SigmaMin weighs 1, with SigmaMax 0.
const (
	SigmaMin = 0.60653065971263342360
	SigmaMax = 1.64872127070012814685
)
