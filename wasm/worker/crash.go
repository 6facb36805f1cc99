//go:build crash

package main

import (
	"net/http"
	"runtime"
)

// With the tag crash, which only tests build, a request can end the program in the ways that its handler does
// not catch.
func init() {
	routes["/api/crash"] = routes["/api/health"]
	route := routes["/api/crash"]
	route.respond = func(_ *service, _ http.ResponseWriter, r *http.Request) error {
		switch r.URL.RawQuery {
		case "goroutine":
			go panic("a goroutine of its own")
			runtime.Gosched()
		case "memory":
			var hoard [][]byte
			for {
				hoard = append(hoard, make([]byte, 256<<20))
			}
		case "wait":
			select {}
		}
		panic("the handler itself")
	}
	routes["/api/crash"] = route
}
