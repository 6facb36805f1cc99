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
	glimpsePixel    = 16               // numbers of a glimpse's pixel in training, the last of them 0
	glimpsePadded   = GlimpseSize + 2  // with the border of zeros a 3x3 convolution reads
	conv1Channels   = 128
	conv2Channels   = 256
	pool1Size       = GlimpseSize / 2 // 6
	pool1Padded     = pool1Size + 2
	pool2Size       = GlimpseSize / 4 // 3

	glimpseLen      = glimpsePadded * glimpsePadded * glimpsePixel // one padded glimpse
	conv1Len        = GlimpseSize * GlimpseSize * conv1Channels
	pool1Len        = pool1Padded * pool1Padded * conv1Channels // padded
	conv2Len        = pool1Size * pool1Size * conv2Channels
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
