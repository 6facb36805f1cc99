// Package weights carries the trained networks inside the program, so that a copy of the
// binary is all anybody needs to classify a picture.
package weights

import (
	"embed"
	"fmt"
	"slices"
	"strings"
)

const extension = ".safetensors"

// The pattern takes the whole folder because one that matches nothing would not compile, and
// a checkout without weights is still to be built, tested and trained from.
//
//go:embed *
var files embed.FS

// Names lists the data sets for which there is a network, sorted.
func Names() []string {
	entries, err := files.ReadDir(".")
	if err != nil {
		panic("weights: " + err.Error()) // the root of an embedded folder always reads
	}
	var names []string
	for _, e := range entries {
		if name, ok := strings.CutSuffix(e.Name(), extension); ok {
			names = append(names, name)
		}
	}
	slices.Sort(names)
	return names
}

// Read returns the safetensors file of the network for a data set: mnist, cifar10 or
// cifar100.
func Read(dataset string) ([]byte, error) {
	if b, err := files.ReadFile(dataset + extension); err == nil {
		return b, nil
	}
	if names := Names(); len(names) > 0 {
		return nil, fmt.Errorf("this program carries no weights for %q, only for %s; name a file of weights",
			dataset, strings.Join(names, ", "))
	}
	return nil, fmt.Errorf("this program was built without weights for %q; name a file of weights", dataset)
}
