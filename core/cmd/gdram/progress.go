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
	f, ok := c.err.(*os.File)
	if !ok || !term.IsTerminal(int(f.Fd())) {
		return func(string, int, int) {}, func() {}
	}
	var bar *progressbar.ProgressBar
	show = func(what string, done, total int) {
		if bar == nil {
			bar = progressbar.NewOptions(total,
				progressbar.OptionSetWriter(f),
				progressbar.OptionSetPredictTime(true),
				progressbar.OptionThrottle(200*time.Millisecond),
				progressbar.OptionSetRenderBlankState(true))
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

// after writes once something else is out of the way.
type after struct {
	clear func()
	to    io.Writer
}

func (a after) Write(b []byte) (int, error) {
	a.clear()
	return a.to.Write(b)
}
