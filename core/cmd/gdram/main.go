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
	"strconv"
	"strings"
	"syscall"

	"github.com/alecthomas/kong"

	"gdram/core/dataset"
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
	answers := &answers{to: c.out}
	c = &console{c.Context, answers, c.err}
	err := execute(args, c)
	if err == nil {
		err = answers.err
	}
	if err == nil {
		return 0
	}
	c.complain(err)
	if c.Err() != nil {
		return 130 // what shells report for SIGINT
	}
	return 1
}

// answers is standard output. It remembers that a write failed, as to a full disk: an answer
// that did not arrive is an error, whoever printed it.
type answers struct {
	to  io.Writer
	err error
}

func (a *answers) Write(b []byte) (n int, err error) {
	if a.err == nil {
		if n, err = a.to.Write(b); err != nil {
			a.err = fmt.Errorf("cannot write the answer (%w); make room, or send it elsewhere", err)
		}
	}
	return n, a.err
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
	if err := complete(args); err != nil {
		return err
	}
	parsed, err := parser.Parse(dashed(args))
	if err != nil {
		return fmt.Errorf("%w; see gdram --help", err)
	}
	return parsed.Run(c)
}

// complete refuses arguments that are empty, as a shell's variables are that were never set: they would count as not given.
func complete(args []string) error {
	for i, arg := range args {
		if arg == "" || strings.HasPrefix(arg, "--") && strings.HasSuffix(arg, "=") {
			return fmt.Errorf("argument %d (%q) is empty; leave it out or say what it is to be", i+1, strings.Join(args[max(i-1, 0):i+1], " "))
		}
	}
	return nil
}

// dashed spells the names of long flags with dashes: the reference has --data_path. Negative
// numbers are joined to their flag, as they would read as flags themselves. What follows a lone
// -- are files.
func dashed(args []string) []string {
	var spelled []string
	for i := 0; i < len(args); i++ {
		arg := args[i]
		if arg == "--" {
			return append(spelled, args[i:]...)
		}
		if strings.HasPrefix(arg, "--") {
			name, value, ok := strings.Cut(arg, "=")
			arg = strings.ReplaceAll(name, "_", "-")
			if !ok && i+1 < len(args) && isNegative(args[i+1]) {
				i++
				value, ok = args[i], true
			}
			if ok {
				arg += "=" + value
			}
		}
		spelled = append(spelled, arg)
	}
	return spelled
}

func isNegative(arg string) bool {
	_, err := strconv.ParseFloat(arg, 64)
	return err == nil && strings.HasPrefix(arg, "-")
}

// datasetName is the value of a flag that names a data set; empty where it is not given.
type datasetName string

// UnmarshalText refuses names that there are no data sets for. (kong's own enumerations would
// offer the absent name as a choice.)
func (d *datasetName) UnmarshalText(b []byte) error {
	if _, _, err := dataset.Labels(string(b)); err != nil {
		return err
	}
	*d = datasetName(b)
	return nil
}
