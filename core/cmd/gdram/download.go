package main

import (
	"archive/tar"
	"compress/gzip"
	"crypto/md5"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"net/http"
	"os"
	"path"
	"path/filepath"
	"strings"
)

type downloadCommand struct {
	Dataset  string `arg:"" enum:"mnist,cifar10,cifar100" help:"${enum}; mnist is the cluttered digits, with the plain ones that training makes fresh clutter from."`
	DataPath string `default:"${data_path}" placeholder:"DIR" help:"Folder to put the data set into (default ${default})."`
}

// remote is a published file. The checksums are the publishers' and guard against broken
// downloads.
type remote struct {
	url, md5 string
	target   string // in the data folder: the file, or the folder that the archive unpacks to
	archive  bool   // tar.gz of one folder named as target
}

const (
	toronto = "https://www.cs.toronto.edu/~kriz/"
	// The file that the reference trains on, from the repository that it took it from.
	clutteredMNIST = "https://raw.githubusercontent.com/daviddao/spatial-transformer-tensorflow/e815da8e674a24d7896c75ba3cd4fd250827a3f0/data/"
	// MNIST's own site stopped handing the files out; these are the same, where PyTorch gets them.
	mnistMirror = "https://ossci-datasets.s3.amazonaws.com/mnist/"
)

var published = map[string][]remote{
	"cifar10":  {{toronto + "cifar-10-binary.tar.gz", "c32a1d4ab5d03f1284b67883e8d87530", "cifar-10-batches-bin", true}},
	"cifar100": {{toronto + "cifar-100-binary.tar.gz", "03b5dce01913d631647c71ecec9e9cb8", "cifar-100-binary", true}},
	"mnist": {
		{clutteredMNIST + "mnist_sequence1_sample_5distortions5x5.npz", "0a24adc90092682f277dab3df89e4cd1", "mnist_sequence1_sample_5distortions5x5.npz", false},
		{mnistMirror + "train-images-idx3-ubyte.gz", "f68b3c2dcbeaaa9fbdd348bbdeb94873", "mnist/train-images-idx3-ubyte.gz", false},
		{mnistMirror + "train-labels-idx1-ubyte.gz", "d53e105ee54ea40749a09fcbcd1e9432", "mnist/train-labels-idx1-ubyte.gz", false},
		{mnistMirror + "t10k-images-idx3-ubyte.gz", "9fb629c4189551a2d022fa330f9573f3", "mnist/t10k-images-idx3-ubyte.gz", false},
		{mnistMirror + "t10k-labels-idx1-ubyte.gz", "ec29112dd5afa0611ce80d1b7f02629c", "mnist/t10k-labels-idx1-ubyte.gz", false},
	},
}

func (d *downloadCommand) Run(c *console) error {
	for _, r := range published[d.Dataset] {
		if err := r.fetch(c, d.DataPath); err != nil {
			return err
		}
	}
	if err := check(c, d.Dataset, d.DataPath); err != nil {
		return fmt.Errorf("what was in %s already is not whole; move it away and try again: %w", d.DataPath, err)
	}
	return nil
}

// fetch puts the file or folder in place, whole or not at all; what is there already stays.
func (r remote) fetch(c *console, dataPath string) error {
	target := filepath.Join(dataPath, filepath.FromSlash(r.target))
	if _, err := os.Stat(target); err == nil {
		fmt.Fprintf(c.out, "%s is there already\n", target)
		return nil
	} else if !errors.Is(err, fs.ErrNotExist) {
		return err
	}
	folder := filepath.Dir(target)
	if err := os.MkdirAll(folder, 0o755); err != nil {
		return fmt.Errorf("cannot make the folder for the data: %w", err)
	}
	// Beside the target, so that the last step is a rename within one file system.
	aside, err := os.MkdirTemp(folder, filepath.Base(target)+".*.part")
	if err != nil {
		return fmt.Errorf("cannot write the data: %w", err)
	}
	defer os.RemoveAll(aside)
	file := filepath.Join(aside, "download")
	if err := r.download(c, file); err != nil {
		if c.Err() != nil {
			return fmt.Errorf("interrupted while downloading %s", r.url)
		}
		return err
	}
	ready := file
	if r.archive {
		if err := r.unpack(file, aside); err != nil {
			return fmt.Errorf("cannot unpack %s: %w", r.url, err)
		}
		ready = filepath.Join(aside, filepath.FromSlash(r.target))
	}
	if err := os.Rename(ready, target); err != nil {
		return fmt.Errorf("cannot write the data: %w", err)
	}
	fmt.Fprintln(c.out, target)
	return nil
}

// download copies the file behind the address and compares its checksum.
func (r remote) download(c *console, file string) (err error) {
	request, err := http.NewRequestWithContext(c, http.MethodGet, r.url, nil)
	if err != nil {
		return err
	}
	response, err := http.DefaultClient.Do(request)
	if err != nil {
		return fmt.Errorf("cannot download: %w", err)
	}
	defer response.Body.Close()
	if response.StatusCode != http.StatusOK {
		return fmt.Errorf("cannot download %s: the server answers %s; try later, or put the files into the data folder yourself", r.url, response.Status)
	}
	to, err := os.Create(file)
	if err != nil {
		return fmt.Errorf("cannot write the data: %w", err)
	}
	defer func() { err = errors.Join(err, to.Close()) }()

	show, clear := c.progress()
	defer clear()
	sum := md5.New()
	counted := &counter{from: response.Body, count: func(n int64) {
		if response.ContentLength > 0 {
			show(path.Base(r.url)+", kB", int(n>>10), int(response.ContentLength>>10))
		}
	}}
	if _, err := io.Copy(io.MultiWriter(to, sum), counted); err != nil {
		return fmt.Errorf("the download of %s broke off after %d bytes (%w); try again", r.url, counted.n, err)
	}
	if got := hex.EncodeToString(sum.Sum(nil)); got != r.md5 {
		return fmt.Errorf("%s arrived with MD5 %s, want %s; try again", r.url, got, r.md5)
	}
	return nil
}

// counter tells how much has been read.
type counter struct {
	from  io.Reader
	n     int64
	count func(n int64)
}

func (r *counter) Read(b []byte) (int, error) {
	n, err := r.from.Read(b)
	r.n += int64(n)
	r.count(r.n)
	return n, err
}

// unpack writes the files of the archive's one folder into folder/target.
func (r remote) unpack(file, folder string) error {
	f, err := os.Open(file)
	if err != nil {
		return err
	}
	defer f.Close()
	packed, err := gzip.NewReader(f)
	if err != nil {
		return err
	}
	if err := os.Mkdir(filepath.Join(folder, r.target), 0o755); err != nil {
		return err
	}
	archive := tar.NewReader(packed)
	for {
		h, err := archive.Next()
		if err == io.EOF {
			return nil
		} else if err != nil {
			return err
		}
		name, ok := strings.CutPrefix(path.Clean(h.Name), r.target+"/")
		if !ok || h.Typeflag != tar.TypeReg || strings.Contains(name, "/") {
			continue // the folder itself
		}
		if err := save(filepath.Join(folder, r.target, name), archive); err != nil {
			return err
		}
	}
}

func save(path string, from io.Reader) (err error) {
	to, err := os.Create(path)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, to.Close()) }()
	_, err = io.Copy(to, from)
	return err
}
