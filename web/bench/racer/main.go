// Command racer is our side of a comparison with other engines: the network as this program runs it, on
// pictures in the form that other engines take, [N][3][128][128] little-endian float32 in 0..1.
//
//	racer prepare WEIGHTS TO PICTURE.png...      writes pictures in that form; the weights say whether they are grey
//	racer dataset WEIGHTS TO DATA COUNT          the same of the first test pictures of the data set that the weights know
//	racer answer WEIGHTS PICTURES LOOKS          prints logits, locations and weights as JSON; LOOKS is who
//	                                             chooses the places, "policy" or "random"
//	racer race WEIGHTS PICTURES THREADS          for every line "PICTURES LOOKS TIMES" that it reads, classifies so many
//	                                             pictures at once with so many looks, so many times, and prints
//	                                             the mean milliseconds of once
//	racer train WEIGHTS PICTURES NOISE THREADS   for every line "STEPS" that it reads, takes so many steps of training,
//	                                             and prints their mean milliseconds and the last one's loss
package main

import (
	"bufio"
	"fmt"
	"os"
	"strconv"
)

func main() {
	if err := run(os.Args[1:]); err != nil {
		fmt.Fprintln(os.Stderr, "racer:", err)
		os.Exit(1)
	}
}

func run(args []string) error {
	switch {
	case len(args) > 3 && args[0] == "prepare":
		return prepare(args[1], args[2], args[3:])
	case len(args) == 5 && args[0] == "dataset":
		count, err := number(args[4], "pictures")
		if err != nil {
			return err
		}
		return fromDataset(args[1], args[2], args[3], count)
	case len(args) == 4 && args[0] == "answer":
		return answer(args[1], args[2], args[3])
	case len(args) == 4 && args[0] == "race":
		threads, err := number(args[3], "threads")
		if err != nil {
			return err
		}
		return race(args[1], args[2], threads)
	case len(args) == 5 && args[0] == "train":
		threads, err := number(args[4], "threads")
		if err != nil {
			return err
		}
		return teach(args[1], args[2], args[3], threads)
	}
	return fmt.Errorf("cannot make sense of %q; see the head of web/bench/racer/main.go", args)
}

func number(s, of string) (int, error) {
	n, err := strconv.Atoi(s)
	if err != nil || n < 1 {
		return 0, fmt.Errorf("%q %s; want a number of 1 or more", s, of)
	}
	return n, nil
}

// eachLine reads lines of so many numbers of 1 or more and prints what do answers to each.
func eachLine(numbers int, do func(n []int) string) error {
	lines := bufio.NewScanner(os.Stdin)
	for lines.Scan() {
		n := make([]int, numbers)
		pointers := make([]any, numbers)
		for i := range n {
			pointers[i] = &n[i]
		}
		if _, err := fmt.Sscan(lines.Text(), pointers...); err != nil || n[0] < 1 || n[numbers-1] < 1 {
			return fmt.Errorf("cannot make sense of the line %q; want %d numbers of 1 or more", lines.Text(), numbers)
		}
		fmt.Println(do(n))
	}
	return lines.Err()
}
