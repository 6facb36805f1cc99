package kernel

import "math"

// Halves widens IEEE binary16, little endian, exactly: len(dst) of them.
func Halves(dst []float32, src []byte) {
	_ = src[:2*len(dst)]
	if fast {
		fastHalves(dst, src)
	} else {
		portableHalves(dst, src)
	}
}

// half widens one: moved into place, the exponent is 112 too small, for subnormals too. The largest exponent means
// infinity or NaN.
func half(h uint32) float32 {
	const most = 0x7c00
	bits := h&0x8000<<16 | math.Float32bits(math.Float32frombits(h&0x7fff<<13)*0x1p112)
	if h&most == most {
		bits |= 0xff << 23
	}
	return math.Float32frombits(bits)
}

// Halve writes len(dst) numbers as binary16 and reports whether all of them are such numbers; if not, it stops.
func Halve(dst []uint16, src []float32) bool {
	for i := range dst {
		bits := math.Float32bits(src[i])
		h := bits&(1<<31)>>16 | math.Float32bits(math.Float32frombits(bits&^(1<<31))*0x1p-112)>>13
		if h > math.MaxUint16 || math.Float32bits(half(h)) != bits {
			return false
		}
		dst[i] = uint16(h)
	}
	return true
}

// Panels lays out weights as Gemm wants them, by panels of 16 rows:
//
//	Dst[r/16*DstPanel + k*16 + r%16] = Src[r*SrcRow + k*SrcCol]    r<Rows, k<K
//
// The last panel is filled up with zeros.
type Panels struct {
	Dst            []float32
	DstPanel       int
	Src            []float32
	SrcRow, SrcCol int
	Rows, K        int
}

// Run lays them out.
func (p *Panels) Run() {
	if p.Rows == 0 || p.K == 0 {
		return
	}
	_ = p.Src[(p.Rows-1)*p.SrcRow+(p.K-1)*p.SrcCol]
	_ = p.Dst[(p.Rows-1)/Panel*p.DstPanel+p.K*Panel-1]
	if fast {
		p.fast()
	} else {
		p.portable(0)
	}
}

// Stream copies src to dst for much later: where there is a way past the caches, it takes it.
func Stream(dst, src []float32) {
	if len(src) == 0 {
		return
	}
	dst = dst[:len(src)]
	if fast {
		fastStream(dst, src)
	} else {
		copy(dst, src)
	}
}
