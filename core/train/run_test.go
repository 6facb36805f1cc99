package train

import (
	"bytes"
	"context"
	"encoding/json"
	"math"
	"math/rand/v2"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"gdram/core"
	"gdram/core/checkpoint"
	"gdram/core/checkpoint/disk"
	"gdram/core/dataset"
	"gdram/core/nn"
	"gdram/core/pixels"
)

// bars is a data set small enough to learn in a test: a bright bar, upright or lying, in noise.
type bars struct{ n, first int }

func (s bars) Len() int        { return s.n }
func (s bars) Label(i int) int { return (s.first + i) % 2 }
func (s bars) Fill(dst []uint8, i int, epoch uint64) {
	rng := rand.New(rand.NewPCG(uint64(s.first+i), 7))
	at := 40 + rng.IntN(40)
	for p := range pixels.Size * pixels.Size {
		row, column := p/pixels.Size, p%pixels.Size
		v := uint8(rng.IntN(60))
		if s.Label(i) == 0 && row/10 == at/10 || s.Label(i) == 1 && column/10 == at/10 {
			v = 230
		}
		dst[3*p], dst[3*p+1], dst[3*p+2] = v, v, v
	}
}

func openBars(string, string) (*dataset.Data, error) {
	return &dataset.Data{Name: "bars", Train: bars{36, 0}, Valid: bars{12, 100}, Test: bars{12, 200},
		Classes: 2, Labels: []string{"lying", "upright"}}, nil
}

func barsConfig(dir, recipe string) Config {
	return Config{Dataset: "bars", Recipe: recipe, BatchSize: 8, Epochs: 3, Seed: 5, Dir: dir, Threads: 2}
}

func read(t *testing.T, parts ...string) []byte {
	t.Helper()
	b, err := os.ReadFile(filepath.Join(parts...))
	require.NoError(t, err)
	return b
}

// withoutSpeed drops the last column of results.csv, which no two runs share.
func withoutSpeed(b []byte) (lines []string) {
	for _, line := range strings.Split(string(b), "\n") {
		lines = append(lines, line[:strings.LastIndex(line, ",")+1])
	}
	return
}

// sameRun compares what two runs left: weights to the bit, results but for the speed.
func sameRun(t *testing.T, a, b string) {
	t.Helper()
	for _, name := range []string{LastFile, BestFile} {
		assert.True(t, bytes.Equal(read(t, a, name), read(t, b, name)), "%s must be the same bytes", name)
	}
	assert.Equal(t, withoutSpeed(read(t, a, ResultsFile)), withoutSpeed(read(t, b, ResultsFile)))
}

// TestRunResumes stops runs after every few batches, by the interrupt, and compares their ends with a run
// that never stopped; the runs use different numbers of threads, too.
func TestRunResumes(t *testing.T) {
	for _, recipe := range []string{Reference, Ours} {
		t.Run(recipe, func(t *testing.T) {
			whole := filepath.Join(t.TempDir(), "whole")
			require.NoError(t, run(context.Background(), barsConfig(whole, recipe), openBars))

			dir := filepath.Join(t.TempDir(), "stopped")
			for stop := 0; ; stop++ {
				ctx, cancel := context.WithCancel(context.Background())
				c := barsConfig(dir, recipe)
				c.Resume, c.Threads = stop > 0, 1+stop%3
				batches := 0
				c.Progress = func(Progress) {
					if batches++; batches == 3 {
						cancel()
					}
				}
				if stop == 1 {
					cancel() // before the first batch
				}
				err := run(ctx, c, openBars)
				cancel()
				if err == nil {
					break
				}
				require.ErrorIs(t, err, ErrInterrupted)
				require.Less(t, stop, 10)
			}
			sameRun(t, whole, dir)
		})
	}
}

// TestRunSurvivesKill kills a training process with SIGKILL at random moments and resumes it.
func TestRunSurvivesKill(t *testing.T) {
	if runtime.GOOS == "js" {
		t.Skip("no processes in WebAssembly")
	}
	if dir := os.Getenv("GDRAM_TEST_RUN"); dir != "" { // the process to be killed
		c := barsConfig(dir, Ours)
		_, err := os.Stat(filepath.Join(dir, StateFile))
		c.Resume = err == nil
		require.NoError(t, run(context.Background(), c, openBars))
		return
	}
	whole := filepath.Join(t.TempDir(), "whole")
	require.NoError(t, run(context.Background(), barsConfig(whole, Ours), openBars))

	dir := filepath.Join(t.TempDir(), "killed")
	rng := rand.New(rand.NewPCG(1, 1))
	kills := 0
	for attempt := 0; ; attempt++ {
		require.Less(t, attempt, 60, "the run makes no way between kills")
		cmd := exec.Command(os.Args[0], "-test.run=^TestRunSurvivesKill$")
		cmd.Env = append(os.Environ(), "GDRAM_TEST_RUN="+dir)
		require.NoError(t, cmd.Start())
		wait := time.Duration(200+rng.IntN(300)*(1+attempt/5)) * time.Millisecond
		timer := time.AfterFunc(wait, func() { cmd.Process.Kill() })
		err := cmd.Wait()
		timer.Stop()
		if err == nil {
			break
		}
		require.Equal(t, -1, cmd.ProcessState.ExitCode(), "the run must end by our signal alone")
		kills++
	}
	assert.Positive(t, kills)
	t.Log(kills, "kills")
	sameRun(t, whole, dir)
	parts, err := filepath.Glob(filepath.Join(dir, "*.part"))
	require.NoError(t, err)
	assert.Empty(t, parts, "nothing half written stays")
}

// TestRunSweeps: what a killed run left half written is gone with the next, and nothing else is.
func TestRunSweeps(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "run")
	c := barsConfig(dir, Ours)
	c.Epochs = 1
	require.NoError(t, run(context.Background(), c, openBars))
	left, others := []string{StateFile + ".1.part", BestFile + ".23.part"}, []string{"confusion.csv.4.part", "state.gob.old", "notes.part"}
	for _, name := range append(left, others...) {
		require.NoError(t, os.WriteFile(filepath.Join(dir, name), nil, 0o644))
	}
	c.Resume = true
	require.NoError(t, run(context.Background(), c, openBars))
	for _, name := range left {
		assert.NoFileExists(t, filepath.Join(dir, name))
	}
	for _, name := range others {
		assert.FileExists(t, filepath.Join(dir, name))
	}
}

func TestRunFolder(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "run")
	c := barsConfig(dir, Ours)
	c.Epochs = 8
	require.NoError(t, run(context.Background(), c, openBars))
	var args map[string]any
	require.NoError(t, json.Unmarshal(read(t, dir, ArgsFile), &args))
	assert.EqualValues(t, 8, args["epochs"])
	assert.Contains(t, string(read(t, dir, envFile)), runtime.Version())
	lines := strings.Split(strings.TrimSpace(string(read(t, dir, ResultsFile))), "\n")
	assert.Len(t, lines, 9, "a header and a line an epoch")

	p, meta, err := disk.Load(filepath.Join(dir, BestFile))
	require.NoError(t, err)
	assert.Equal(t, []string{"lying", "upright"}, meta.Labels)
	data, _ := openBars("", "")
	e, err := Evaluate(context.Background(), core.NewClassifier(p), data.Valid, Manner{}, 2, nil)
	require.NoError(t, err)
	m := e.Metrics()
	assert.GreaterOrEqual(t, m.Top1, 0.9, "bars are easy")
	assert.Equal(t, 12, m.Images)
	assert.EqualValues(t, 1, m.Top5)
	assert.EqualValues(t, core.Steps, m.MeanGlimpses)
}

func TestRunRefuses(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "run")
	c := barsConfig(dir, Ours)
	c.Epochs = 1
	require.NoError(t, run(context.Background(), c, openBars))
	for _, x := range []struct {
		why, want string
		change    func(c *Config)
	}{
		{"a folder in use", "holds a run already", func(c *Config) {}},
		{"another seed", "--random-seed 5, not 6", func(c *Config) { c.Resume, c.Seed = true, 6 }},
		{"another recipe", "--recipe gdram, not reference", func(c *Config) { c.Resume, c.Recipe = true, Reference }},
		{"nothing to resume", "holds no run to resume", func(c *Config) { c.Resume, c.Dir = true, t.TempDir() }},
		{"an unknown recipe", `unknown recipe "soup"`, func(c *Config) { c.Dir, c.Recipe = t.TempDir(), "soup" }},
		{"a batch too large", "from 2 to 36", func(c *Config) { c.Dir, c.BatchSize = t.TempDir(), 37 }},
		{"a batch too small", "from 2 to 36", func(c *Config) { c.Dir, c.BatchSize = t.TempDir(), 1 }},
		{"missing weights", "no such file", func(c *Config) { c.Dir, c.Start = t.TempDir(), "nowhere.safetensors" }},
	} {
		t.Run(x.why, func(t *testing.T) {
			c := c
			x.change(&c)
			assert.ErrorContains(t, run(context.Background(), c, openBars), x.want)
		})
	}
	more := func(string, string) (*dataset.Data, error) {
		data, err := openBars("", "")
		data.Train = bars{48, 0}
		return data, err
	}
	c.Resume = true
	assert.ErrorContains(t, run(context.Background(), c, more), "36 pictures an epoch, but there are 48 now")
	require.NoError(t, os.WriteFile(filepath.Join(dir, StateFile), []byte("nonsense"), 0o644))
	assert.ErrorContains(t, run(context.Background(), c, openBars), "not a readable state")
}

// TestRunGoesOn: the published schedule does not depend on the number of epochs, so a run can be lengthened.
func TestRunGoesOn(t *testing.T) {
	long, short := barsConfig(filepath.Join(t.TempDir(), "long"), Reference), barsConfig(filepath.Join(t.TempDir(), "short"), Reference)
	long.Epochs, short.Epochs = 2, 1
	require.NoError(t, run(context.Background(), long, openBars))
	require.NoError(t, run(context.Background(), short, openBars))
	short.Resume, short.Epochs = true, 2
	require.NoError(t, run(context.Background(), short, openBars))
	sameRun(t, long.Dir, short.Dir)
	ours := barsConfig(filepath.Join(t.TempDir(), "ours"), Ours)
	ours.Epochs = 1
	require.NoError(t, run(context.Background(), ours, openBars))
	ours.Resume, ours.Epochs = true, 2
	assert.ErrorContains(t, run(context.Background(), ours, openBars), "--epochs 1, not 2")
}

// TestEvaluateRefusesNaN: weights may be finite and their answers not.
func TestEvaluateRefusesNaN(t *testing.T) {
	p := core.NewParams(2)
	p.Initialize(rand.New(rand.NewPCG(1, 1)))
	for i := range p.Tensor("class_net.fc.2.weight") {
		p.Tensor("class_net.fc.2.weight")[i] = 3e38
	}
	_, err := Evaluate(context.Background(), core.NewClassifier(p), bars{12, 0}, Manner{}, 1, nil)
	assert.ErrorContains(t, err, "is not a number")
}

// TestRunStopsAtNaN: the last good weights stay.
func TestRunStopsAtNaN(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "run")
	c := barsConfig(dir, Reference)
	c.LR = 1e30
	err := run(context.Background(), c, openBars)
	require.ErrorContains(t, err, "the tensor glimpse_net.fc_g.1.running_var is no longer finite in step 2 of epoch 1")
	_, _, err = disk.Load(filepath.Join(dir, LastFile)) // refuses what is not finite
	assert.NoError(t, err)
}

// TestRunKeepsNoNaN: weights may be spoilt though no loss of a step shows it.
func TestRunKeepsNoNaN(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "run")
	require.NoError(t, run(context.Background(), barsConfig(dir, Ours), openBars))
	before := read(t, dir, LastFile)
	c := barsConfig(dir, "")
	c.Resume = true
	r, err := open(c, openBars)
	require.NoError(t, err)
	r.optimizer.average.Tensor("rnn2.fc.bias")[1] = float32(math.NaN())
	assert.ErrorContains(t, r.interrupted(), "the tensor rnn2.fc.bias holds NaN at place 1; the weights are spoilt, take an earlier file: "+
		filepath.Join(dir, LastFile)+" has the last good ones; start a new run with a smaller --lr")
	assert.Equal(t, before, read(t, dir, LastFile))
}

// TestGuard spoils one thing at a time; what is named is where it began, not where it ended.
func TestGuard(t *testing.T) {
	nan := float32(math.NaN())
	for _, x := range []struct {
		want  string
		spoil func(r *trainer)
	}{
		{"the tensor rnn1.lstm_cell.weight_ih", func(r *trainer) { r.params.Tensor("rnn1.lstm_cell.weight_ih")[7] = nan }},
		{"the tensor glimpse_net.fc_g.5.running_mean", func(r *trainer) { // a product beyond float32, seen by the norm behind it
			fill(r.params.Tensor("glimpse_net.fc_g.4.weight"), 3e38)
		}},
		{"the logits of look 1", func(r *trainer) { fill(r.params.Tensor("class_net.fc.2.weight"), 3e38) }},
		{"the baseline of look 3", func(r *trainer) {
			fill(r.params.Tensor("baseline_net.fc.0.weight"), 3e38)
			fill(r.params.Tensor("baseline_net.fc.1.weight")[:128], -3e38)
		}},
	} {
		r, err := open(barsConfig(filepath.Join(t.TempDir(), "run"), Reference), openBars)
		require.NoError(t, err)
		r.order = rand.New(rand.NewPCG(1, 1)).Perm(r.train.Len())
		x.spoil(r)
		before := slices.Clone(r.params.Flat)
		_, err = r.step(0, 10)
		assert.ErrorContains(t, err, x.want+" is no longer finite in step 1 of epoch 1")
		for _, s := range r.params.Specs {
			if s.Kind.Trained() && x.want != "the tensor "+s.Name {
				at := r.params.Tensor(s.Name)
				assert.Equal(t, before[:len(at)], at, s.Name+" is as before the step")
			}
			before = before[s.Len():]
		}
		r.close()
	}

	r, err := open(barsConfig(filepath.Join(t.TempDir(), "run"), Reference), openBars)
	require.NoError(t, err)
	defer r.close()
	assert.Empty(t, r.guard.backward())
	// The gradients are as they were made, all zeros.
	r.learner.Grads.Tensor("class_net.fc.0.bias")[255] = 2e19 // finite, its square is not
	assert.Equal(t, "the gradient of class_net.fc.0.bias", r.guard.backward())
	r.learner.Grads.Tensor("glimpse_net.fc_gg.weight")[1] = nan
	assert.Equal(t, "the gradient of glimpse_net.fc_gg.weight", r.guard.backward(), "the first of them")
}

func fill(v []float32, x float32) {
	for i := range v {
		v[i] = x
	}
}

// TestRunStartsFromOtherClasses: all but the last layer goes on learning, be there more classes or only others.
func TestRunStartsFromOtherClasses(t *testing.T) {
	for _, tc := range []struct {
		why     string
		classes int
		dataset string
		anew    bool
	}{
		{"more", 100, "", true},
		{"as many of another data set", 2, "poles", true},
		{"the same", 2, "bars", false},
		{"as many, of nobody knows what", 2, "", false},
	} {
		c := barsConfig(filepath.Join(t.TempDir(), "run"), Ours)
		c.Start = "other.safetensors"
		other := core.NewParams(tc.classes)
		for i := range other.Flat {
			other.Flat[i] = 7
		}
		c.Load = func(string) (*core.Params, checkpoint.Meta, error) {
			return other, checkpoint.Meta{Dataset: tc.dataset}, nil
		}
		r, err := open(c, openBars)
		require.NoError(t, err, tc.why)
		defer r.close()
		for _, s := range r.params.Specs {
			if tc.anew && strings.HasPrefix(s.Name, "class_net.fc.2.") {
				assert.NotContains(t, r.params.Tensor(s.Name), float32(7), "%s: %s", tc.why, s.Name)
			} else {
				assert.NotContains(t, r.params.Tensor(s.Name), float32(0), "%s: %s", tc.why, s.Name)
				assert.EqualValues(t, 7, r.params.Tensor(s.Name)[0], "%s: %s", tc.why, s.Name)
			}
		}
	}
}

// TestRunIsAlone: two runs in one folder would take each other's files for their own.
func TestRunIsAlone(t *testing.T) {
	if runtime.GOOS == "js" {
		t.Skip("no other processes in WebAssembly")
	}
	dir := filepath.Join(t.TempDir(), "run")
	c := barsConfig(dir, Ours)
	c.Epochs = 1
	tries := 0
	c.Progress = func(Progress) {
		if tries++; tries > 1 {
			return
		}
		second := barsConfig(dir, Ours)
		second.Resume = true
		assert.ErrorContains(t, run(context.Background(), second, openBars), "another run is at work in "+dir)
		require.NoError(t, os.Rename(filepath.Join(dir, StateFile), filepath.Join(dir, "aside")))
		second.Resume = false // as if neither had saved yet
		assert.ErrorContains(t, run(context.Background(), second, openBars), "another run is at work in "+dir)
		require.NoError(t, os.Rename(filepath.Join(dir, "aside"), filepath.Join(dir, StateFile)))
	}
	require.NoError(t, run(context.Background(), c, openBars))
	require.Positive(t, tries)
	c.Resume = true
	assert.NoError(t, run(context.Background(), c, openBars), "a run that ended holds nothing")
}

// TestRunForks: a run that is still at the start it shares with another recipe goes on as a run of that one.
func TestRunForks(t *testing.T) {
	whole, dir := filepath.Join(t.TempDir(), "whole"), filepath.Join(t.TempDir(), "forked")
	require.NoError(t, run(context.Background(), barsConfig(whole, OursScan), openBars))

	ctx, cancel := context.WithCancel(context.Background())
	c := barsConfig(dir, Ours)
	c.AfterEpoch = cancel // at a third; the start is two thirds
	require.ErrorIs(t, run(ctx, c, openBars), ErrInterrupted)
	c = barsConfig(dir, OursScan)
	c.Resume = true
	r, err := open(c, openBars) // and the process ends
	require.NoError(t, err)
	require.NoError(t, r.lock.Close())
	c.Recipe = "" // as it is
	require.NoError(t, run(context.Background(), c, openBars))
	for _, name := range []string{BestFile, LastFile} {
		assert.Equal(t, read(t, whole, name), read(t, dir, name), name)
	}

	var args Config
	require.NoError(t, json.Unmarshal(read(t, dir, ArgsFile), &args))
	assert.Equal(t, OursScan, args.Recipe, "the folder says what the run has become")

	c.Recipe = Ours
	assert.ErrorContains(t, run(context.Background(), c, openBars), "--recipe gdram-scan, not gdram", "past the start")
}

// TestRunComparisons: the recipes without a policy look where they say, in training and in evaluation.
func TestRunComparisons(t *testing.T) {
	for recipe, looks := range map[string]Looks{OursScan: Scan, OursRandom: Random} {
		c := barsConfig(filepath.Join(t.TempDir(), recipe), recipe)
		c.Epochs = 1
		r, err := open(c, openBars)
		require.NoError(t, err)
		require.NoError(t, r.epoch(context.Background()))
		emission := core.NewParams(2)
		emission.Initialize(rand.New(rand.NewPCG(c.Seed, 0)))
		r.recipe.begin(emission)
		assert.Equal(t, emission.Tensor("emission_net.mu_net.0.bias"), r.params.Tensor("emission_net.mu_net.0.bias"), "the policy learns nothing")
		assert.NotEqual(t, emission.Tensor("class_net.fc.0.weight"), r.params.Tensor("class_net.fc.0.weight"))
		if looks == Scan {
			assert.Zero(t, r.state.Valid.Spread)
		} else {
			assert.InDelta(t, randomReach/math.Sqrt(3), r.state.Valid.Spread, 0.08)
		}
		for i, place := range r.learner.Places { // of the calibration's last batch
			if looks == Scan {
				assert.Equal(t, scan[i/r.BatchSize], place)
			}
			assert.LessOrEqual(t, max(place[0], -place[0], place[1], -place[1]), float32(randomReach))
		}
		r.close()
		_, meta, err := disk.Load(filepath.Join(c.Dir, LastFile))
		require.NoError(t, err)
		taught, _ := Taught(meta.Extra[KeyRecipe])
		assert.Equal(t, looks, taught)
	}
	for recipe, want := range map[string]float32{Ours: 0.15, Reference: 1, "": 1, "soup": 1} {
		looks, noise := Taught(recipe)
		assert.Equal(t, Policy, looks, recipe)
		assert.Equal(t, want, noise, recipe)
	}
}

// TestRefit: the validation pictures train, too, no epoch is judged, and the last weights stand as evaluation wants them.
func TestRefit(t *testing.T) {
	c := barsConfig(filepath.Join(t.TempDir(), "refit"), Ours)
	c.Refit = true
	halves := func(string, string) (*dataset.Data, error) {
		d, err := openBars("", "")
		d.Valid = bars{12, 36} // goes on where bars{36, 0} ends
		return d, err
	}
	require.NoError(t, run(context.Background(), c, halves))
	assert.NoFileExists(t, filepath.Join(c.Dir, BestFile))
	results := strings.Split(string(read(t, c.Dir, ResultsFile)), "\n")
	require.Len(t, results, 5)
	for _, line := range results[1:4] {
		assert.Contains(t, line, ",,,,,,,,", "nothing from validation")
	}

	whole := barsConfig(filepath.Join(t.TempDir(), "whole"), Ours)
	require.NoError(t, run(context.Background(), whole, func(string, string) (*dataset.Data, error) {
		d, err := openBars("", "")
		d.Train = bars{48, 0}
		return d, err
	}))
	refitted, meta, err := disk.Load(filepath.Join(c.Dir, LastFile))
	require.NoError(t, err)
	trained, _, err := disk.Load(filepath.Join(whole.Dir, LastFile))
	require.NoError(t, err)
	assert.Equal(t, trained.Flat, refitted.Flat, "to the bit what training on all of them gives")
	assert.NotContains(t, meta.Extra, checkpoint.KeyFast)
	assert.Equal(t, "true", meta.Extra[KeyRefit])
	after := barsConfig(filepath.Join(t.TempDir(), "after"), Ours)
	after.Start = filepath.Join(c.Dir, LastFile)
	assert.ErrorContains(t, run(context.Background(), after, openBars), "has learnt from the validation pictures")
	after.Refit, after.Epochs = true, 1
	chosen := func(string) (*core.Params, checkpoint.Meta, error) {
		meta := checkpoint.Meta{Dataset: "bars"}
		disk.Fast{Lead: 0.25}.Note(&meta)
		return refitted, meta, nil
	}
	after.Load = chosen
	require.NoError(t, run(context.Background(), after, openBars))
	_, meta, err = disk.Load(filepath.Join(after.Dir, LastFile))
	require.NoError(t, err)
	fast, err := disk.ReadFast(meta)
	require.NoError(t, err)
	assert.Equal(t, 0.25, fast.Lead, "what was chosen before holds")

	c.Resume, c.Refit = true, false
	assert.NoError(t, run(context.Background(), c, halves), "a refit that goes on remains one")
	whole.Resume, whole.Refit = true, true
	assert.ErrorContains(t, run(context.Background(), whole, openBars), "--refit false, not true")
	c = barsConfig(filepath.Join(t.TempDir(), "reference"), Reference)
	c.Refit = true
	assert.ErrorContains(t, run(context.Background(), c, openBars), "lowers its learning rate by validation")
}

// TestLastWeightsAreReady: wherever a run stops, the batch norms of what it leaves have been measured.
func TestLastWeightsAreReady(t *testing.T) {
	ctx, cancel := context.WithCancel(context.Background())
	c := barsConfig(filepath.Join(t.TempDir(), "stopped"), Ours)
	c.Progress = func(Progress) { cancel() }
	require.ErrorIs(t, run(ctx, c, openBars), ErrInterrupted)
	p, _, err := disk.Load(filepath.Join(c.Dir, LastFile))
	require.NoError(t, err)
	for _, norm := range []string{"glimpse_net.fc_g.1", "glimpse_net.fc_g.5", "emission_net.fc.1"} {
		assert.NotContains(t, p.Tensor(norm+".running_var"), float32(1), norm)
	}
}

// TestEmissionRate: it learns by its own rate, all else by the recipe's.
func TestEmissionRate(t *testing.T) {
	p := core.NewParams(2)
	before := p.Clone()
	l := core.NewLearner(p, 2, 1)
	fill(l.Grads.Flat, 1)
	newOptimizer(p, l.Grads, nn.Adam{Beta1: 0.9, Beta2: 0.999, Eps: 1e-8}, 0, 0.1).update(l, 0.01)
	for _, s := range p.Specs {
		want := -0.01
		if !s.Kind.Trained() {
			want = 0
		} else if strings.HasPrefix(s.Name, "emission_net.") {
			want = -0.001
		}
		assert.InDelta(t, want, p.Tensor(s.Name)[0]-before.Tensor(s.Name)[0], 1e-6, s.Name)
	}
}

func TestPlateau(t *testing.T) {
	p := plateau{Factor: 1}
	for range 3 {
		p.update(0.5)
	}
	for range 3 {
		p.update(0.50001) // within the threshold: no improvement
	}
	assert.EqualValues(t, 1, p.Factor, "five stalls are borne")
	p.update(0.4)
	assert.EqualValues(t, 0.5, p.Factor, "the sixth halves")
	p.update(0.6)
	assert.EqualValues(t, 0.6, p.Best)
}

func TestRates(t *testing.T) {
	ours, err := newRecipe(Ours, "cifar10")
	require.NoError(t, err)
	assert.InDelta(t, 1./warmup, ours.rate(0, 10000), 1e-9)
	assert.InDelta(t, 0.5, ours.rate(5000, 10000), 1e-9)
	assert.Less(t, ours.rate(9999, 10000), 1e-6)
	for step, want := range map[int]stage{
		0:    {looks: Random, n: 3},
		6499: {looks: Random, n: 3},
		6500: {looks: Policy, n: core.Steps, returns: 0.3, sensor: 0.1, fixedNorms: true},
		7625: {looks: Policy, n: core.Steps, returns: 0.15, sensor: 0.1, fixedNorms: true},
		8749: {looks: Policy, n: core.Steps, returns: 0, sensor: 0.1, fixedNorms: true},
		9999: {looks: Policy, n: core.Steps, sensor: 0.1, fixedNorms: true},
	} {
		got := ours.stage(step, 10000)
		assert.InDelta(t, want.returns, got.returns, 2e-4, step)
		got.returns = want.returns
		assert.Equal(t, want, got, step)
	}
	scans, err := newRecipe(OursScan, "cifar10")
	require.NoError(t, err)
	assert.Zero(t, scans.stage(9999, 10000).sensor, "no policy chooses")
	forDigits, err := newRecipe(Ours, digits)
	require.NoError(t, err)
	assert.Equal(t, stage{looks: Random, n: 3, noise: 0.3}, forDigits.stage(2499, 10000))
	for step, noise := range map[int]float32{2500: 0.3, 5625: 0.225, 8749: 0.15, 8750: 0, 9999: 0} {
		got := forDigits.stage(step, 10000)
		assert.InDelta(t, noise, got.noise, 1e-4, step)
		got.noise = 0
		assert.Equal(t, stage{looks: Policy, n: core.Steps}, got, "soon, and with nothing to push looks apart")
	}
	scansOfDigits, err := newRecipe(OursScan, digits)
	require.NoError(t, err)
	assert.Equal(t, stage{looks: Scan, n: core.Steps, fixedNorms: true}, scansOfDigits.stage(9999, 10000), "which differ")
	assert.False(t, ours.judges(4, 10))
	assert.True(t, ours.judges(5, 10), "every fifth")
	assert.False(t, ours.judges(6, 10))
	assert.True(t, ours.judges(7, 10), "after the start")
}
