// Package train teaches the network: the losses, the optimiser, the recipes, the loop with its run
// folder, and evaluation.
package train

import (
	"bytes"
	"cmp"
	"context"
	"encoding/csv"
	"encoding/gob"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"log/slog"
	"math"
	"math/rand/v2"
	"os"
	"path/filepath"
	"runtime"
	"runtime/debug"
	"slices"
	"strconv"
	"strings"
	"syscall"
	"time"

	"gdram/core"
	"gdram/core/checkpoint"
	"gdram/core/checkpoint/disk"
	"gdram/core/dataset"
	"gdram/core/pixels"
	"gdram/core/policy"
)

// Config asks for a run. Zero values stand for the recipe's own.
type Config struct {
	Dataset     string  `json:"dataset"`
	DataPath    string  `json:"data_path"`
	Recipe      string  `json:"recipe"`
	BatchSize   int     `json:"batch_size"`
	LR          float64 `json:"lr"`
	Epochs      int     `json:"epochs"`
	Seed        uint64  `json:"random_seed"`
	LogInterval int     `json:"log_interval"`    // log every so many batches; 0 for once an epoch
	Start       string  `json:"start,omitempty"` // weights to start from
	Refit       bool    `json:"refit,omitempty"` // the validation pictures train too; nothing judges the epochs, the last one's weights count
	Lead        float64 `json:"lead,omitempty"`  // of fast mode, which a refit takes over from Start: it can choose none itself

	Dir     string `json:"-"` // the run folder
	Resume  bool   `json:"-"`
	Threads int    `json:"-"` // 0 for GOMAXPROCS

	// Load reads a file of weights to start from; nil for safetensors alone.
	Load func(path string) (*core.Params, checkpoint.Meta, error) `json:"-"`
	// Progress, if not nil, is called after every batch, and AfterEpoch when results.csv has a new line.
	Progress   func(Progress) `json:"-"`
	AfterEpoch func()         `json:"-"`
	Log        *slog.Logger   `json:"-"`
}

// Progress is how far a run has come.
type Progress struct {
	Epoch, Epochs int // epoch counts from 1
	Done, Total   int // pictures of this epoch
	Losses        Losses
}

// ErrInterrupted says that a run was stopped in time and saved; it can be resumed.
var ErrInterrupted = errors.New("interrupted; the run is saved and goes on with --resume")

// Files of a run folder.
const (
	// StateFile holds what resuming needs; ArgsFile the Config, as JSON.
	StateFile = "state.gob"
	ArgsFile  = "args.json"
	envFile   = "environment.json"
	lockFile  = "lock"
	// ResultsFile has a line for every epoch.
	ResultsFile = "results.csv"
	// BestFile and LastFile are the weights with the best validation accuracy, of which a refit has none, and the newest.
	BestFile = "best.safetensors"
	LastFile = "last.safetensors"
)

// state is everything a run needs to go on, to the bit.
type state struct {
	Version  int
	Config   []byte // JSON
	Pictures int    // of an epoch
	Epoch    int    // finished epochs
	Batch    int    // finished batches of the next
	Sums     Losses
	Elapsed  float64 // seconds spent on those batches
	Step     int

	Params, M, V, Average, CallMean, CallVar []float32

	Plateau   plateau
	Validated int     // validations made
	Best      float64 // validation accuracy of BestFile; negative before the first
	Valid     Metrics // newest validation
	Rows      []Row
}

const stateVersion = 3

// KeyRecipe is where weights say in their metadata how they were trained; see Taught.
const KeyRecipe = "recipe"

// KeyRefit is where weights say in their metadata, as "true", that they have learnt from the validation pictures.
const KeyRefit = "refit"

// lastLayer begins the names of the layer that knows the classes.
const lastLayer = "class_net.fc.2."

// Row is one line of results.csv, whose cells stay empty where an epoch was not judged.
type Row struct {
	Epoch        int
	LR           float64
	Train        Losses
	Valid        *Metrics // nil for an epoch that was not judged
	ImagesPerSec float64
}

// trainer is a run in progress.
type trainer struct {
	Config
	recipe    recipe
	data      *dataset.Data
	train     dataset.Set
	valid     dataset.Set // nil in a refit
	params    *core.Params
	learner   *core.Learner
	optimizer *optimizer
	loss      *loss
	state     state

	batch      core.Batch
	labels     []int
	places     [][2]float32
	bytes      [][]uint8 // one a worker
	order      []int     // of the epoch's pictures
	looks      Looks     // of the batch
	calibrated int       // the step whose average has measured batch norms
	fill       func(task, worker int)

	guard guard
	lock  io.Closer
}

// Run trains until the last epoch or until ctx is done, when it saves and returns ErrInterrupted.
func Run(ctx context.Context, c Config) error {
	return run(ctx, c, dataset.Open)
}

// openData finds a data set: dataset.Open but in tests.
type openData func(name, path string) (*dataset.Data, error)

func run(ctx context.Context, c Config, data openData) error {
	r, err := open(c, data)
	if err != nil {
		return err
	}
	defer r.close()
	for r.state.Epoch < r.Epochs {
		if err := r.epoch(ctx); err != nil {
			return err
		}
	}
	return nil
}

// close lets go of the workers and of the run folder.
func (r *trainer) close() {
	if r.learner != nil {
		r.learner.Close()
	}
	if r.lock != nil {
		r.lock.Close()
	}
}

// open starts or resumes a run.
func open(c Config, data openData) (_ *trainer, err error) {
	if c.Log == nil {
		c.Log = slog.New(slog.DiscardHandler)
	}
	r := &trainer{Config: c}
	defer func() {
		if err != nil {
			r.close()
		}
	}()
	path := filepath.Join(c.Dir, StateFile)
	switch _, err := os.Stat(path); {
	case c.Resume && errors.Is(err, fs.ErrNotExist):
		return nil, fmt.Errorf("%s holds no run to resume; start one without --resume", c.Dir)
	case c.Resume:
		if err := r.take(); err != nil {
			return nil, err
		}
		if err := r.load(path); err != nil {
			return nil, err
		}
	case err == nil:
		return nil, fmt.Errorf("%s holds a run already; go on with --resume or choose another folder", c.Dir)
	}
	if r.recipe, err = newRecipe(r.Recipe, r.Dataset); err != nil {
		return nil, err
	}
	if r.Refit && r.recipe.plateau {
		return nil, fmt.Errorf("the recipe %s lowers its learning rate by validation, so it cannot train on those pictures too; leave out --refit", r.Recipe)
	}
	r.BatchSize = cmp.Or(r.BatchSize, r.recipe.batchSize)
	r.Epochs = cmp.Or(r.Epochs, r.recipe.epochs)
	r.LR = cmp.Or(r.LR, r.recipe.adam.LR)
	r.Recipe = cmp.Or(r.Recipe, Ours)
	if r.data, err = data(r.Dataset, r.DataPath); err != nil {
		return nil, err
	}
	if err := r.sets(); err != nil {
		return nil, err
	}
	if most := min(maxBatch, r.train.Len()); r.BatchSize < 2 || r.BatchSize > most {
		return nil, fmt.Errorf("a batch of %d will not do: it must be from 2 to %d", r.BatchSize, most)
	}
	if err := r.parameters(); err != nil {
		return nil, err
	}
	r.build()
	if !c.Resume {
		return r, r.begin()
	}
	if r.train.Len() != r.state.Pictures {
		return nil, fmt.Errorf("the run in %s learns from %d pictures an epoch, but there are %d now; put back the data it began with (plain MNIST beside the cluttered file, or not)",
			r.Dir, r.state.Pictures, r.train.Len())
	}
	if !r.restore() {
		return nil, fmt.Errorf("%s is about another network than that of this data; start anew in another folder", path)
	}
	// A fork, or data that moved, is what the run is from now on, whenever it is stopped next.
	if err := r.writeState(); err != nil {
		return nil, err
	}
	return r, r.note()
}

// maxBatch bounds what a step takes: 4 MB a picture.
const maxBatch = 1024

// note writes what the run is asked for: again when it is resumed, as data move and a recipe may fork.
func (r *trainer) note() error { return writeJSON(filepath.Join(r.Dir, ArgsFile), r.Config) }

// sets makes of the data set what the recipe wants to learn from and be judged by: pictures of nature are varied; digits get
// fresh clutter where plain MNIST is at hand, and those that do not train validate, ten times as many as the file has.
func (r *trainer) sets() error {
	r.train, r.valid = r.data.Train, r.data.Valid
	digitsOf := dataset.OpenDigits
	if r.Refit {
		r.train, r.valid = dataset.Join(r.data.Train, r.data.Valid), nil
		digitsOf = dataset.OpenAllDigits
	}
	if r.recipe.vary {
		r.train = dataset.Augment(r.train, r.Seed)
	}
	if !r.recipe.fresh || r.Dataset != digits {
		return nil
	}
	plain, err := digitsOf(r.DataPath)
	if errors.Is(err, fs.ErrNotExist) {
		r.Log.Warn("no plain MNIST beside the data: training on the file's own pictures instead of fresh clutter")
		return nil
	}
	if err != nil {
		return err
	}
	r.train = dataset.FreshClutter(plain, r.Seed, plain.Len())
	if r.Refit {
		return nil
	}
	if valid := freshValid(&r.recipe, r.Dataset, r.DataPath); valid != nil {
		r.valid = valid
	}
	return nil
}

// freshValid returns the fresh pictures that judge a run in place of the data set's own, nil where none do.
func freshValid(r *recipe, name, dataPath string) dataset.Set {
	if !r.fresh || name != digits {
		return nil
	}
	valid, err := dataset.FreshValid(dataPath)
	if err != nil || valid.Len() == 0 {
		return nil
	}
	return valid
}

// FreshlyValidated reports whether dataset.FreshValid judges a run in place of the data set's own pictures.
func FreshlyValidated(recipe, name, dataPath string) bool {
	r, err := newRecipe(recipe, name)
	return err == nil && freshValid(&r, name, dataPath) != nil
}

// parameters makes the weights a run begins with.
func (r *trainer) parameters() error {
	r.params = core.NewParams(r.data.Classes)
	r.params.Initialize(rand.New(rand.NewPCG(r.Seed, 0)))
	if r.Start == "" || r.Resume {
		r.recipe.begin(r.params)
		return nil
	}
	load := r.Load
	if load == nil {
		load = disk.Load
	}
	p, meta, err := load(r.Start)
	if err != nil {
		return err
	}
	if meta.Extra[KeyRefit] != "" && meta.Dataset == r.Dataset && !r.Refit {
		return fmt.Errorf("%s has learnt from the validation pictures, so they cannot judge what is made of it; add --refit or start from other weights", r.Start)
	}
	others := p.Classes != r.data.Classes || meta.Dataset != "" && meta.Dataset != r.Dataset
	if others {
		r.Log.Warn("the weights are about other classes: the last layer starts anew", "file", r.Start)
	}
	for _, s := range r.params.Specs {
		if !others || !strings.HasPrefix(s.Name, lastLayer) {
			copy(r.params.Tensor(s.Name), p.Tensor(s.Name))
		}
	}
	if r.Refit && !others {
		fast, err := disk.ReadFast(meta)
		if err != nil {
			r.Log.Warn("the weights say nothing of fast mode that can be taken over", "file", r.Start, "error", err)
		}
		r.Lead = fast.Lead
	}
	return nil
}

func (r *trainer) build() {
	r.learner = core.NewLearner(r.params, r.BatchSize, r.Threads)
	r.learner.FixedEmission, r.learner.ThroughEmission = r.recipe.totalStats, r.recipe.totalStats
	r.loss = newLoss(r.learner, r.recipe.terms)
	r.optimizer = newOptimizer(r.params, r.learner.Grads, r.recipe.adam, r.recipe.averaging, r.recipe.emission)
	r.labels = make([]int, r.BatchSize)
	r.places = make([][2]float32, core.Steps*r.BatchSize)
	r.batch.Noise = make([][2]float32, (core.Steps+1)*r.BatchSize)
	for range r.BatchSize {
		r.batch.Images = append(r.batch.Images, make([]float32, core.ImageLen))
	}
	for range r.learner.Workers() {
		r.bytes = append(r.bytes, make([]uint8, pixels.Len))
	}
	r.fill = r.picture
	r.guard = newGuard(r.learner)
}

// begin lays out the run folder.
func (r *trainer) begin() error {
	if err := os.MkdirAll(r.Dir, 0o755); err != nil {
		return fmt.Errorf("the run folder %s cannot be made (%w); choose another", r.Dir, err)
	}
	if err := r.take(); err != nil {
		return err
	}
	if _, err := os.Stat(filepath.Join(r.Dir, StateFile)); err == nil {
		return fmt.Errorf("another run has begun in %s meanwhile; choose another folder", r.Dir)
	}
	if err := r.note(); err != nil {
		return err
	}
	if err := writeJSON(filepath.Join(r.Dir, envFile), environment()); err != nil {
		return err
	}
	r.state.Best, r.state.Plateau.Factor, r.state.Pictures = -1, 1, r.train.Len()
	return r.save()
}

func environment() map[string]any {
	env := map[string]any{"go": runtime.Version(), "os": runtime.GOOS, "arch": runtime.GOARCH, "threads": runtime.GOMAXPROCS(0)}
	if info, ok := debug.ReadBuildInfo(); ok {
		for _, s := range info.Settings {
			if s.Key == "vcs.revision" || s.Key == "vcs.modified" {
				env[s.Key] = s.Value
			}
		}
	}
	return env
}

func writeJSON(path string, v any) error {
	b, err := json.MarshalIndent(v, "", "  ")
	if err != nil {
		return err
	}
	return disk.WriteFile(path, append(b, '\n'))
}

// load reads the state and takes its configuration; what the caller asks for must not contradict it.
func (r *trainer) load(path string) error {
	f, err := os.Open(path)
	if err != nil {
		return err
	}
	defer f.Close()
	if err := gob.NewDecoder(f).Decode(&r.state); err != nil {
		return fmt.Errorf("%s is not a readable state of a run (%v); start anew in another folder", path, err)
	}
	if r.state.Version != stateVersion {
		return fmt.Errorf("%s was written by another version of gdram (format %d, want %d); start anew in another folder", path, r.state.Version, stateVersion)
	}
	var was Config
	if err := json.Unmarshal(r.state.Config, &was); err != nil {
		return fmt.Errorf("%s is not a readable state of a run (%v); start anew in another folder", path, err)
	}
	asked := r.Config
	for _, d := range []struct {
		flag       string
		given      bool
		was, asked any
	}{
		{"--dataset", asked.Dataset != "" && asked.Dataset != was.Dataset, was.Dataset, asked.Dataset},
		{"--recipe", asked.Recipe != "" && asked.Recipe != was.Recipe && !r.forks(was, asked.Recipe), was.Recipe, asked.Recipe},
		{"--batch-size", asked.BatchSize != 0 && asked.BatchSize != was.BatchSize, was.BatchSize, asked.BatchSize},
		{"--lr", asked.LR != 0 && asked.LR != was.LR, was.LR, asked.LR},
		// A cosine over other epochs would have been another run; the published schedule looks back alone.
		{"--epochs", asked.Epochs != 0 && asked.Epochs != was.Epochs && was.Recipe != Reference, was.Epochs, asked.Epochs},
		{"--random-seed", asked.Seed != 0 && asked.Seed != was.Seed, was.Seed, asked.Seed},
		{"--refit", asked.Refit && !was.Refit, was.Refit, asked.Refit},
	} {
		if d.given {
			return fmt.Errorf("the run in %s has %s %v, not %v; leave the flag out or start a run in another folder", r.Dir, d.flag, d.was, d.asked)
		}
	}
	r.Dataset, r.BatchSize, r.LR, r.Seed, r.Start = was.Dataset, was.BatchSize, was.LR, was.Seed, was.Start
	r.Refit, r.Lead = was.Refit, was.Lead
	if r.Recipe = cmp.Or(r.Recipe, was.Recipe); r.Recipe != was.Recipe {
		r.state.Best = -1 // a fork's own: the start was judged with the other's looks
	}
	r.DataPath = cmp.Or(r.DataPath, was.DataPath)
	r.Epochs = cmp.Or(r.Epochs, was.Epochs)
	r.LogInterval = cmp.Or(r.LogInterval, was.LogInterval)
	return nil
}

// forks reports whether the loaded run may go on by another recipe: as long as it has not gone past a start that both
// share, it has learnt what a run of that recipe would have.
func (r *trainer) forks(was Config, name string) bool {
	before, err := newRecipe(was.Recipe, was.Dataset)
	after, err2 := newRecipe(name, was.Dataset)
	if err != nil || err2 != nil {
		return false
	}
	start := int(before.start * float64(was.Epochs*(r.state.Pictures/was.BatchSize)))
	after.instead, after.fixedNorms = before.instead, before.fixedNorms // which matter after it
	return before == after && r.state.Step <= start
}

// restore puts the loaded state in place, if it fits.
func (r *trainer) restore() (fits bool) {
	s, o := &r.state, r.optimizer
	pairs := []struct{ to, from []float32 }{
		{r.params.Flat, s.Params}, {o.m.Flat, s.M}, {o.v.Flat, s.V}, {r.learner.CallMean, s.CallMean}, {r.learner.CallVar, s.CallVar},
	}
	if o.average != nil {
		pairs = append(pairs, struct{ to, from []float32 }{o.average.Flat, s.Average})
	}
	for _, p := range pairs {
		if len(p.to) != len(p.from) {
			return false
		}
		copy(p.to, p.from)
	}
	o.step = s.Step
	return true
}

// kept adds to a failure to write, on a full disk say, that the run is none the worse for it: every file is
// replaced whole or not at all.
func (r *trainer) kept(err error) error {
	if err == nil {
		return nil
	}
	first := "mend that"
	if errors.Is(err, syscall.ENOSPC) {
		first = "make room"
	}
	return fmt.Errorf("%w; what %s holds is still the run as it was saved last: %s, then go on with --resume", err, r.Dir, first)
}

// save writes the state and the newest weights, ready for use.
func (r *trainer) save() error {
	s, o := &r.state, r.optimizer
	r.calibrate()
	s.Version, s.Step = stateVersion, o.step
	s.Params, s.M, s.V = r.params.Flat, o.m.Flat, o.v.Flat
	if o.average != nil {
		s.Average = o.average.Flat
	}
	s.CallMean, s.CallVar = r.learner.CallMean, r.learner.CallVar
	if err := r.saveWeights(LastFile); err != nil {
		return err
	}
	return r.writeState()
}

// writeState writes the state as it is, for what the run is asked for.
func (r *trainer) writeState() (err error) {
	if r.state.Config, err = json.Marshal(r.Config); err != nil {
		return err
	}
	var b bytes.Buffer
	if err := gob.NewEncoder(&b).Encode(&r.state); err != nil {
		return err
	}
	return disk.WriteFile(filepath.Join(r.Dir, StateFile), b.Bytes())
}

func (r *trainer) saveWeights(name string) error {
	meta := checkpoint.Meta{Dataset: r.Dataset, Labels: r.data.Labels, Gray: r.data.Gray, Extra: map[string]string{
		KeyRecipe: r.Recipe, "random_seed": strconv.FormatUint(r.Seed, 10), "epoch": strconv.Itoa(r.state.Epoch),
	}}
	if r.Refit {
		meta.Extra[KeyRefit] = "true"
	}
	lead := r.Lead
	if name == BestFile {
		lead = r.state.Valid.Fast.Lead
	}
	if lead > 0 {
		disk.Fast{Lead: lead}.Note(&meta)
	}
	return disk.Save(filepath.Join(r.Dir, name), r.optimizer.shipped(), meta, disk.F32)
}

// epoch trains through the data once.
func (r *trainer) epoch(ctx context.Context) error {
	s := &r.state
	if r.recipe.validateFirst && s.Validated == s.Epoch {
		if err := r.validate(); err != nil {
			return err
		}
	}
	r.order = rand.New(rand.NewPCG(r.Seed, uint64(s.Epoch)+1)).Perm(r.train.Len())
	// The last, incomplete batch is left out; another epoch's order brings its pictures in.
	batches := len(r.order) / r.BatchSize
	total := r.Epochs * batches
	for ; s.Batch < batches; s.Batch++ {
		if ctx.Err() != nil {
			return r.interrupted()
		}
		start := time.Now()
		losses, err := r.step(s.Epoch*batches+s.Batch, total)
		if err != nil {
			return err
		}
		s.Sums.add(losses, 1)
		s.Elapsed += time.Since(start).Seconds()
		r.report(batches, total)
	}
	if ctx.Err() != nil {
		return r.interrupted()
	}
	if err := r.finite(); err != nil {
		return err
	}
	rate := r.rate(s.Epoch*batches+batches-1, total)
	var mean Losses
	mean.add(s.Sums, 1/float64(batches))
	speed := float64(batches*r.BatchSize) / s.Elapsed
	s.Epoch, s.Batch, s.Sums, s.Elapsed = s.Epoch+1, 0, Losses{}, 0
	judged := r.valid != nil && r.recipe.judges(s.Epoch, r.Epochs)
	if judged && !r.recipe.validateFirst {
		if err := r.validate(); err != nil {
			return err
		}
	}
	row := Row{Epoch: s.Epoch, LR: rate, Train: mean, ImagesPerSec: speed}
	log := []any{"epoch", s.Epoch, "of", r.Epochs, "loss", round(mean.Total), "prediction", round(mean.Prediction),
		"train", round(mean.Accuracy), "images_per_second", math.Round(speed)}
	if judged {
		v := s.Valid
		row.Valid = &v
		log = append(log, "valid", round(v.Top1), "after_1", round(v.After[0]), "after_4", round(v.After[3]),
			"best", round(s.Best), "sigma", round(v.MeanSigma), "spread", round(v.Spread))
	}
	s.Rows = append(s.Rows, row)
	r.Log.Info("epoch", log...)
	if err := r.kept(r.writeResults()); err != nil {
		return err
	}
	if err := r.kept(r.save()); err != nil {
		return err
	}
	if r.AfterEpoch != nil {
		r.AfterEpoch()
	}
	return nil
}

func (r *trainer) interrupted() error {
	if err := r.finite(); err != nil {
		return err
	}
	if err := r.kept(r.save()); err != nil {
		return err
	}
	return ErrInterrupted
}

// rate is the learning rate of a step.
func (r *trainer) rate(step, total int) float64 {
	return r.LR * r.recipe.rate(step, total) * r.state.Plateau.Factor
}

func round(v float64) float64 { return math.Round(v*1e4) / 1e4 }

func (r *trainer) report(batches, total int) {
	s := &r.state
	done := s.Batch + 1
	var mean Losses
	mean.add(s.Sums, 1/float64(done))
	if r.Progress != nil {
		r.Progress(Progress{Epoch: s.Epoch + 1, Epochs: r.Epochs, Done: done * r.BatchSize, Total: batches * r.BatchSize, Losses: mean})
	}
	if r.LogInterval > 0 && done%r.LogInterval == 0 {
		r.Log.Info("batch", "epoch", s.Epoch+1, "batch", done, "of", batches, "loss", round(mean.Total),
			"prediction", round(mean.Prediction), "steps", round(mean.Steps), "baseline", round(mean.Baseline),
			"reinforce", round(mean.Reinforce), "train", round(mean.Accuracy), "lr", r.rate(s.Epoch*batches+s.Batch, total))
	}
}

// step trains on one batch; step counts from 0 over the whole run of total steps.
func (r *trainer) step(step, total int) (Losses, error) {
	stage := r.recipe.stage(step, total)
	r.lookBy(stage)
	r.learner.Run(r.BatchSize, r.fill)
	r.learner.Forward(&r.batch)
	losses := r.loss.run(r.labels, stage)
	if what := r.guard.forward(losses); what != "" {
		return losses, r.spoilt(what)
	}
	r.learner.Backward()
	if what := r.guard.backward(); what != "" {
		return losses, r.spoilt(what)
	}
	r.optimizer.update(r.learner, r.rate(step, total))
	return losses, nil
}

// lookBy prepares the batch to look as s says.
func (r *trainer) lookBy(s stage) {
	r.looks, r.batch.Looks, r.batch.NoiseScale, r.batch.Places = s.looks, s.n, s.noise, nil
	r.learner.FixedNorms, r.learner.SensorLimit = s.fixedNorms, s.sensor
	if s.looks != Policy {
		r.batch.Places = r.places
	}
}

// spoilt says where a run went wrong. What it saved before is good: nothing has been saved since.
func (r *trainer) spoilt(what string) error {
	return fmt.Errorf("%s is no longer finite in step %d of epoch %d, so the run stops; the weights in %s are the last good ones: try a smaller --lr",
		what, r.state.Batch+1, r.state.Epoch+1, filepath.Join(r.Dir, LastFile))
}

// finite refuses weights to be shipped that hold what is no number: a loss need not have shown it.
func (r *trainer) finite() error {
	r.calibrate()
	if err := checkpoint.Finite(r.optimizer.shipped()); err != nil {
		return fmt.Errorf("%w: %s has the last good ones; start a new run with a smaller --lr", err, filepath.Join(r.Dir, LastFile))
	}
	return nil
}

// picture fills place b of the batch: picture, label, noise and random places depend on the
// seed, the epoch and the picture alone.
func (r *trainer) picture(b, worker int) {
	epoch := r.state.Epoch
	i := r.order[r.state.Batch*r.BatchSize+b]
	r.train.Fill(r.bytes[worker], i, uint64(epoch))
	pixels.ToFloat(r.batch.Images[b], r.bytes[worker])
	r.labels[b] = r.train.Label(i)
	for call := range core.Steps + 1 {
		r.batch.Noise[call*r.BatchSize+b] = policy.Noise(r.Seed, epoch, i, call)
	}
	if r.looks != Policy {
		for t := range core.Steps {
			r.places[t*r.BatchSize+b] = r.looks.place(r.Seed, epoch, i, t)
		}
	}
}

// calibration is the number of batches that the shipped weights' batch norms are measured on.
const calibration = 40

// calibrate measures the batch norms of the averaged weights, where there are some and it has not been done: they are other
// weights than those the running statistics were collected with, and evaluation follows the policy's mean, without noise.
func (r *trainer) calibrate() {
	o, l, batch := r.optimizer, r.learner, r.state.Batch
	if o.average == nil || r.calibrated == o.step {
		return
	}
	r.calibrated = o.step
	live := r.params.Clone()
	callMean, callVar := slices.Clone(l.CallMean), slices.Clone(l.CallVar)
	for _, s := range r.params.Specs {
		if s.Kind.Trained() {
			copy(r.params.Tensor(s.Name), o.average.Tensor(s.Name))
		}
	}

	batches := len(r.order) / r.BatchSize
	fixed := r.recipe.stage(o.step-1, r.Epochs*batches).fixedNorms
	r.lookBy(stage{looks: r.recipe.lookers(), n: core.Steps, fixedNorms: fixed})
	l.Calibrate(min(calibration, batches), func(i int) *core.Batch {
		r.state.Batch = i
		l.Run(r.BatchSize, r.fill)
		return &r.batch
	})

	for _, s := range r.params.Specs {
		if !s.Kind.Trained() {
			copy(o.average.Tensor(s.Name), r.params.Tensor(s.Name))
		}
	}
	r.state.Batch = batch
	copy(r.params.Flat, live.Flat)
	copy(l.CallMean, callMean)
	copy(l.CallVar, callVar)
}

// validate evaluates the weights that would be shipped, and keeps them if they are the best so far.
func (r *trainer) validate() error {
	s := &r.state
	r.calibrate()
	// Half a minute at most, so an interrupt waits for it.
	e, err := Evaluate(context.Background(), core.NewClassifier(r.optimizer.shipped()), r.valid,
		Manner{Looks: r.recipe.lookers(), Seed: r.Seed}, r.Threads, nil)
	if err != nil {
		return fmt.Errorf("validation %d: %w", s.Validated+1, err)
	}
	m := e.Metrics()
	s.Valid = m
	s.Validated++
	if r.recipe.plateau {
		s.Plateau.update(m.Top1)
	}
	if m.Top1 > s.Best {
		s.Best = m.Top1
		return r.kept(r.saveWeights(BestFile))
	}
	return nil
}

// writeResults writes results.csv anew from all rows.
func (r *trainer) writeResults() error {
	var b bytes.Buffer
	w := csv.NewWriter(&b)
	header := []string{"epoch", "lr", "loss", "prediction", "steps", "baseline", "reinforce", "train_accuracy",
		"valid_top1", "valid_top5", "valid_sigma", "valid_spread", "valid_ece",
		"fast_lead", "fast_top1", "fast_glimpses"} // on validation, too
	for i := range core.Steps {
		header = append(header, fmt.Sprintf("valid_after_%d", i+1))
	}
	w.Write(append(slices.Clip(header), "images_per_second"))
	for _, row := range r.state.Rows {
		number := func(v float64) string { return strconv.FormatFloat(v, 'g', 6, 64) }
		line := []string{strconv.Itoa(row.Epoch)}
		for _, v := range []float64{row.LR, row.Train.Total, row.Train.Prediction, row.Train.Steps, row.Train.Baseline,
			row.Train.Reinforce, row.Train.Accuracy} {
			line = append(line, number(v))
		}
		if v := row.Valid; v != nil {
			for _, v := range append([]float64{v.Top1, v.Top5, v.MeanSigma, v.Spread, v.ECE,
				v.Fast.Lead, v.Fast.Top1, v.Fast.Glimpses}, v.After[:]...) {
				line = append(line, number(v))
			}
		} else {
			line = append(line, make([]string, len(header)-len(line))...)
		}
		w.Write(append(line, number(row.ImagesPerSec)))
	}
	w.Flush()
	return disk.WriteFile(filepath.Join(r.Dir, ResultsFile), b.Bytes())
}
