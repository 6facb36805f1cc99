package core

import (
	"unsafe"

	"golang.org/x/sys/unix"
)

// hugePage is the size of a large page of memory, in bytes: x86-64's and, with pages of 4 KB, ARM's.
const hugePage = 2 << 20

// floats makes n numbers for a buffer that whole passes go through. Where it is large it asks Linux, which by default does so only when
// asked, for huge pages: the convolutions stride through megabytes, and with pages of 4 KB the processor is ever looking up where the
// next one lies. If the system has none, the buffer is like any other.
func floats(n int) []float32 {
	const size, least = 4, hugePage / 4
	if n*size < least {
		return make([]float32, n)
	}
	whole := (n*size + hugePage - 1) / hugePage * hugePage
	all := make([]float32, (whole+hugePage)/size) // room to begin at a page's start
	at := uintptr(unsafe.Pointer(unsafe.SliceData(all)))
	first := int(-at&(hugePage-1)) / size
	pages := all[first:][:whole/size]
	_ = unix.Madvise(unsafe.Slice((*byte)(unsafe.Pointer(unsafe.SliceData(pages))), whole), unix.MADV_HUGEPAGE)
	return pages[:n:n]
}
