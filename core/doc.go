// Package core is the model: a network that looks at a picture eight times, each time at a small
// spot of its own choice, and says what it sees. It implements "Gaussian RAM: Lightweight Image
// Classification via Stochastic Retina-Inspired Glimpse and Reinforcement Learning" (Shim & Kim, 2020).
//
// A picture is [128][128][3] float32 in 0..1. A place in it is (x, y) in -1..1, x the column:
//
//	(-1,-1) ┌───────────────┐ (1,-1)
//	        │   ┌───────┐   │        A glimpse is four patches of 12x12 pixels around a
//	        │   │┌─────┐│   │        place; each covers twice the width of the one before:
//	        │   ││ ┌─┐ ││   │        12, 24, 48 and 97 of the picture's pixels.
//	        │   ││ └─┘ ││   │
//	        │   │└─────┘│   │        A place stays within ±0.90625, and a look is at most
//	        │   └───────┘   │        0.75 away, in each coordinate, from the one before.
//	(-1, 1) └───────────────┘ (1, 1)
//
// One look, eight times over:
//
//	picture ──thumbnail 12x12── context net ──────────────► h2 (the first)
//	   │
//	   └─ sensor at place ─ conv ─ conv ─ fc ── what ─┐
//	                place ─────────── fc ─ fc ── where ┴ × ─ LSTM1 ─┬─ class net ─► step logits a
//	                                                                └─ LSTM2 ─ h2 ─ emission net
//	                                                                                 │
//	      next place = place + 0.75·μ  (training: a draw from N(μ, σ)) ◄── μ, σ ─────┤
//	      its weight w = 1 where σ is smallest, 0 where it is largest  ◄─────────────┘
//
// The answer is the mean of the step logits, weighted by w: a look that the policy was sure about
// counts more. Fast mode stops after two looks in a row that count less than half, as published, or as
// soon as the answer so far is sure enough.
//
// The package reads top-down: config.go (sizes), params.go (the published tensors, one flat slice),
// classifier.go (picture in, answer and trace out), sampler.go (the mean of several stochastic
// looks), look.go (one look, evaluation), then training:
// learner.go (forward), backward.go, statistics.go (batch norm over a batch). packed.go is the
// weights as the kernels want them.
//
// Feature maps are [row][column][channel]; batches and steps lead: [step][picture]...
package core
