// Program does what leans on Go's function table: it grows its stack, collects garbage from a deep one, recovers from
// panics and asks for its own name.
package main

import (
	"runtime"
	"strings"
)

type node struct {
	next *node
	size [64]int
}

func deep(n int, list *node) int {
	list = &node{next: list}
	list.size[n%64] = n
	if n == 0 {
		runtime.GC()
		panic("at the bottom")
	}
	return deep(n-1, list) + list.next.size[0]
}

func recovered() (what any) {
	defer func() { what = recover() }()
	return deep(10000, &node{})
}

func main() {
	for range 3 {
		if recovered() != "at the bottom" {
			panic("the panic was lost")
		}
	}
	pc, _, line, _ := runtime.Caller(0)
	if name := runtime.FuncForPC(pc).Name(); !strings.HasSuffix(name, "main.main") {
		panic("this function is called " + name)
	}
	println("line", line)
}
