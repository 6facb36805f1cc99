package main

import (
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"iter"
	"slices"
	"strings"
	"sync"

	"gdram/core"
	"gdram/core/answer"
	"gdram/core/checkpoint"
	"gdram/core/checkpoint/disk"
	"gdram/core/pixels"
	"gdram/core/policy"
)

// service is the networks, and what answers for them.
type service struct {
	models []*model // sorted by name
	// decodeJPEG is a faster decoder than Go's own, where there is one; see picture.Options.
	decodeJPEG func(file []byte, width, height int) (rgba []uint8, ok bool)

	mu    sync.Mutex // one picture at a time: a classifier has one set of buffers
	image []float32  // what the network gets
}

// model is one network and what the API tells of it.
type model struct {
	Name   string   `json:"name"`
	SHA256 string   `json:"sha256"` // of its file of weights
	Gray   bool     `json:"gray"`   // it sees brightness only
	Labels []string `json:"labels"`

	classifier *core.Classifier
	fast       core.Options
	noise      float32 // of samples: factor on the policy's standard deviation
}

// newService opens the files of weights, by the names of their models. It lets go of each before it asks for the next.
func newService(files iter.Seq2[string, []byte]) (*service, error) {
	s := &service{image: make([]float32, core.ImageLen)}
	for name, file := range files {
		classifier, meta, err := checkpoint.Classifier(checkpoint.Bytes(file))
		if err != nil {
			return nil, fmt.Errorf("the weights for %s: %w", name, err)
		}
		fast, err := disk.ReadFast(meta)
		if err != nil {
			return nil, fmt.Errorf("the weights for %s: %w", name, err)
		}
		noise, err := taughtNoise(meta.Extra["recipe"])
		if err != nil {
			return nil, fmt.Errorf("the weights for %s: %w", name, err)
		}
		if len(meta.Labels) == 0 {
			return nil, fmt.Errorf("the weights for %s do not name their classes", name)
		}
		sum := sha256.Sum256(file)
		s.models = append(s.models, &model{
			Name: name, SHA256: hex.EncodeToString(sum[:]), Gray: meta.Gray, Labels: meta.Labels,
			classifier: classifier, fast: fast.Options(), noise: noise,
		})
	}
	if len(s.models) == 0 {
		return nil, fmt.Errorf("there are no weights, so nothing could be classified")
	}
	slices.SortFunc(s.models, func(a, b *model) int { return strings.Compare(a.Name, b.Name) })
	return s, nil
}

// taughtNoise is how wide a network's policy looked when its training ended, by the recipe that its file names: what
// train.Taught says, which would link training.
func taughtNoise(recipe string) (float32, error) {
	switch recipe {
	case "gdram":
		return policy.TaughtNoise, nil
	case "gdram-scan", "gdram-random":
		return 0, fmt.Errorf("they learnt with the recipe %s, which has no policy, to be compared by gdram eval; choose others", recipe)
	}
	return 1, nil
}

// model returns the one of a name, or nil.
func (s *service) model(name string) *model {
	for _, m := range s.models {
		if m.Name == name {
			return m
		}
	}
	return nil
}

// look classifies a prepared picture, [pixels.Len].
func (s *service) look(m *model, prepared []uint8, how wish) (answer.Answer, bool) {
	pixels.ToFloat(s.image, prepared)
	var r *core.Result
	switch {
	case how.samples > 0:
		// Number 0, as on the command line: the answer shall not depend on what else was asked.
		r = &core.NewSampler(m.classifier, how.samples, m.noise, 0).ClassifyBlock([][]float32{s.image}, 0)[0]
	case how.fast:
		r = m.classifier.Classify(s.image, m.fast)
	default:
		r = m.classifier.Classify(s.image, core.Options{})
	}
	return answer.New(r, m.Labels, how.top)
}
