// Command gdram trains, judges and uses networks that classify a picture by taking eight
// glimpses of it.
//
// Answers go to standard output; progress and errors, each one sentence, to standard error.
// It exits with 1 when the input is at fault and with 130 when interrupted.
package main

import (
	"context"
	"fmt"
	"io"
	"os"
	"os/signal"
	"strings"
	"syscall"

	"github.com/alecthomas/kong"
)

// commands is the grammar of the command line.
type commands struct {
	Train   trainCommand   `cmd:"" help:"Train a network, or continue a run that was stopped."`
	Eval    evalCommand    `cmd:"" help:"Measure the accuracy of a network on a data set."`
	Predict predictCommand `cmd:"" help:"Say what is in pictures, and where the network looked."`
	Convert convertCommand `cmd:"" help:"Turn PyTorch weights into safetensors, or change their float type."`
	Export  exportCommand  `cmd:"" help:"Write a network for other engines to run, as ONNX."`
	Data    dataCommand    `cmd:"" help:"Download data sets, check them, or make cluttered MNIST."`
}

const (
	defaultDataset  = "cifar10"
	defaultDataPath = "data"
)

// console is where a command reads its stop signal and writes what it has to say.
type console struct {
	context.Context
	out, err io.Writer
}

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	// The first signal lets a run save itself; a second one must still end the program.
	context.AfterFunc(ctx, stop)
	os.Exit(run(os.Args[1:], &console{ctx, os.Stdout, os.Stderr}))
}

// complain reports an error that does not end the program yet.
func (c *console) complain(err error) { fmt.Fprintln(c.err, "gdram:", err) }

// run is the program without the process around it. It returns the exit code.
func run(args []string, c *console) int {
	err := execute(args, c)
	if err == nil {
		return 0
	}
	c.complain(err)
	if c.Err() != nil {
		return 130 // what shells report for SIGINT
	}
	return 1
}

// helped ends parsing after --help has been printed.
type helped struct{}

func execute(args []string, c *console) (err error) {
	parser := kong.Must(&commands{},
		kong.Name("gdram"),
		kong.Description("Gaussian RAM: classifies a picture by eight glimpses. Flags may be spelled with - or _ between words."),
		kong.Writers(c.out, c.err),
		kong.Exit(func(int) { panic(helped{}) }),
		kong.Vars{"dataset": defaultDataset, "data_path": defaultDataPath},
		kong.ConfigureHelp(kong.HelpOptions{Compact: true}),
	)
	defer func() {
		if r := recover(); r != nil {
			if _, ok := r.(helped); !ok {
				panic(r)
			}
		}
	}()
	parsed, err := parser.Parse(dashed(args))
	if err != nil {
		return fmt.Errorf("%w; see gdram --help", err)
	}
	return parsed.Run(c)
}

// dashed spells the names of long flags with dashes: the reference has --data_path. What
// follows a lone -- are files.
func dashed(args []string) []string {
	spelled := append([]string(nil), args...)
	for i, arg := range spelled {
		if arg == "--" {
			break
		}
		if strings.HasPrefix(arg, "--") {
			name, value, ok := strings.Cut(arg, "=")
			spelled[i] = strings.ReplaceAll(name, "_", "-")
			if ok {
				spelled[i] += "=" + value
			}
		}
	}
	return spelled
}
