package kernel

// Columns names the rows of a matrix whose columns are summed: Rows rows of Channels values,
// Stride apart. Channels is a multiple of 16.
type Columns struct {
	Src                    []float32
	Stride, Rows, Channels int
}

func (c *Columns) check() {
	if c.Channels%Panel != 0 || c.Channels == 0 || c.Rows == 0 {
		panic("kernel: Columns: channels must be a positive multiple of 16 and rows positive")
	}
	_ = c.Src[(c.Rows-1)*c.Stride+c.Channels-1]
}

// Sums writes the sum of every column.
func (c *Columns) Sums(dst []float32) {
	c.check()
	dst = dst[:c.Channels]
	if fast {
		c.fast(dst, nil)
	} else {
		c.portableSums(dst)
	}
}

// Squares writes the sum of (value - mean)² of every column. A second pass about a mean near
// the true one keeps the digits that E[x²]-mean² would lose.
func (c *Columns) Squares(dst, mean []float32) {
	c.check()
	dst, mean = dst[:c.Channels], mean[:c.Channels]
	if fast {
		c.fast(dst, mean)
	} else {
		c.portableSquares(dst, mean)
	}
}

// Table holds four numbers a channel for the pooling kernels, vector by vector: for each eight
// channels, eight scales, eight shifts, then two more eights that depend on the kernel.
type Table []float32

// NewTable returns a table for a multiple of 8 channels.
func NewTable(channels int) Table { return make(Table, 4*channels) }

// Fields of a Table.
const (
	TableScale = iota // z = scale·y + shift
	TableShift
	TableMean  // of y, for GradientSums
	TableSlope // for Gradient, where TableMean is the base: see there
)

// Set sets a field of a channel.
func (t Table) Set(field, channel int, v float32) {
	t[channel/Lanes*4*Lanes+field*Lanes+channel%Lanes] = v
}

// At returns a field of a channel.
func (t Table) At(field, channel int) float32 {
	return t[channel/Lanes*4*Lanes+field*Lanes+channel%Lanes]
}

// Sums holds two sums a channel, vector by vector, as Table does.
type Sums []float32

// NewSums returns zeroed sums for a multiple of 8 channels.
func NewSums(channels int) Sums { return make(Sums, 2*channels) }

// At returns sum 0 or 1 of a channel.
func (s Sums) At(which, channel int) float32 {
	return s[channel/Lanes*2*Lanes+which*Lanes+channel%Lanes]
}

// Add adds to sum 0 or 1 of a channel.
func (s Sums) Add(which, channel int, v float32) {
	s[channel/Lanes*2*Lanes+which*Lanes+channel%Lanes] += v
}

// Pool describes 2x2 max pooling with stride 2 over z = max(0, scale·y + shift), the tail of a
// conv, batch norm, ReLU, pool block. Y is [2·Rows][2·Cols][Channels], Pooled [Rows][Cols][Channels],
// each with strides of its own in float32; Channels is a multiple of 8.
//
// Evaluation knows scale and shift and pools at once. In training they are known when the whole batch is, but the sign of the
// scale, gamma's, is known before: Select keeps of every window the y that will win, a quarter of Y, while Y is
// near, and everything up to the gradient of Y works on those tops. The first of equal ones takes the gradient, and none does where
// z is not positive.
type Pool struct {
	Y                      []float32 // Forward, Select and Gradient
	YRow, YPixel           int
	Top                    []float32 // all but Forward: as Pooled, before scale, shift and ReLU
	TopRow, TopPixel       int
	Pooled                 []float32 // all but Select
	PooledRow, PooledPixel int
	DY                     []float32 // Gradient
	DYRow, DYPixel         int
	Table                  Table
	Rows, Cols, Channels   int
}

type poolPass uint8

const (
	poolForward poolPass = iota
	poolTops
	poolTopsForward
	poolSums
	poolBackward
)

func (p *Pool) check(y, top, pooled bool) {
	if p.Channels%Lanes != 0 || p.Channels == 0 || p.Rows == 0 || p.Cols == 0 {
		panic("kernel: Pool: channels must be a positive multiple of 8, rows and columns positive")
	}
	if y {
		_ = p.Y[(2*p.Rows-1)*p.YRow+(2*p.Cols-1)*p.YPixel+p.Channels-1]
	}
	if top {
		_ = p.Top[(p.Rows-1)*p.TopRow+(p.Cols-1)*p.TopPixel+p.Channels-1]
	}
	if pooled {
		_ = p.Pooled[(p.Rows-1)*p.PooledRow+(p.Cols-1)*p.PooledPixel+p.Channels-1]
	}
	_ = p.Table[4*p.Channels-1]
}

// Forward writes Pooled from Y.
func (p *Pool) Forward() {
	p.check(true, false, true)
	p.run(poolForward, nil)
}

// Select writes Top: of every window the y whose product with the scale is largest.
func (p *Pool) Select() {
	p.check(true, true, false)
	p.run(poolTops, nil)
}

// Apply writes Pooled from Top.
func (p *Pool) Apply() {
	p.check(false, true, true)
	p.run(poolTopsForward, nil)
}

// GradientSums adds, for every channel, Σ dz and Σ dz·(top - mean) to sums 0 and 1, where dz is
// the gradient Pooled holds. The table's third field is the mean of y.
func (p *Pool) GradientSums(sums Sums) {
	p.check(false, true, true)
	_ = sums[2*p.Channels-1]
	p.run(poolSums, sums)
}

// Gradient writes DY = scale·dz + base - slope·y for every pixel, dz as in GradientSums, at the pixel that won. The
// table's third and fourth fields are base and slope; they carry the part of the gradient
// that flows through the batch's mean and variance.
func (p *Pool) Gradient() {
	p.check(true, true, true)
	_ = p.DY[(2*p.Rows-1)*p.DYRow+(2*p.Cols-1)*p.DYPixel+p.Channels-1]
	p.run(poolBackward, nil)
}

func (p *Pool) run(pass poolPass, sums Sums) {
	if fast {
		p.fast(pass, sums)
	} else {
		p.portable(pass, sums)
	}
}
