package main

import (
	"io"
	"os"
	"time"

	"github.com/schollz/progressbar/v3"
	"golang.org/x/term"
)

// progress returns a function that shows how much of a long task is done and how long the
// rest will take, and one that clears the line. Both do nothing where standard error is no
// terminal.
func (c *console) progress() (show func(what string, done, total int), clear func()) {
	if !isTerminal(c.err) {
		return func(string, int, int) {}, func() {}
	}
	var bar *progressbar.ProgressBar
	show = func(what string, done, total int) {
		if bar == nil {
			bar = progressbar.NewOptions(total,
				progressbar.OptionSetWriter(c.err),
				progressbar.OptionSetDescription(what),
				progressbar.OptionSetPredictTime(true),
				progressbar.OptionThrottle(200*time.Millisecond))
			bar.Set(done)
			bar.RenderBlank() // where that was not a percent yet
		}
		bar.Describe(what)
		bar.Set(done)
	}
	clear = func() {
		if bar != nil {
			bar.Clear()
		}
	}
	return show, clear
}

func isTerminal(w io.Writer) bool {
	if a, ok := w.(*answers); ok {
		w = a.to
	}
	f, ok := w.(*os.File)
	return ok && term.IsTerminal(int(f.Fd()))
}

// after writes once something else is out of the way.
type after struct {
	clear func()
	to    io.Writer
}

func (a after) Write(b []byte) (int, error) {
	a.clear()
	return a.to.Write(b)
}
