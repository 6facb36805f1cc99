# Scripts under short names; Go's own cache knows what is up to date, so almost nothing here is a file.
#
#	make          set up and run the main job: the page, the program, a picture classified
#	make test     set up and run every test
#	make help     all the rest

SHELL := /bin/bash
.SHELLFLAGS := -eu -o pipefail -c
# The targets share two cores and the same caches, and their output is to be read in order.
.NOTPARALLEL:
.DEFAULT_GOAL := all

# What the page may weigh, compiled and gzipped. It stood at 520 KB when this was set; fmt alone would add 170.
WASM_BUDGET := 523000

# Tests read other golden files when this is set. They run in their own folders, so it is made absolute.
ifdef GDRAM_FIXTURES
export GDRAM_FIXTURES := $(abspath $(GDRAM_FIXTURES))
endif

# Evaluated when used: test-setup may have installed it a moment before.
FIND_CHROMIUM = $${CHROMIUM:-$$(command -v chromium || command -v chromium-browser || command -v google-chrome)}
FIND_FIREFOX = $${FIREFOX:-$$(command -v firefox-esr || command -v firefox)}

SHA256 := $(shell command -v sha256sum || echo shasum -a 256)

.PHONY: all
all: page build
	@echo
	@echo "What the files weigh, and their SHA-256:"
	@for f in bin/gdram weights/*.safetensors index.html web/dist/*.*; do \
		if [ -f "$$f" ]; then printf '%10d  %s  %s\n' $$(wc -c <"$$f") $$($(SHA256) "$$f" | cut -c1-64) "$$f"; fi; \
	done
	@echo
	@for w in weights/*.safetensors; do \
		name=$$(basename $$w .safetensors); \
		for sample in web/samples/$$name/*.png; do \
			[ ! -f "$$sample" ] || { bin/gdram predict --dataset $$name --top 3 "$$sample"; break; }; \
		done; \
	done
	@echo
	@echo "Now open index.html in a browser; it needs no server and no network."

.PHONY: help
help:
	@echo "make             build the page and the program, classify a picture of each kind"
	@echo "make build       bin/gdram"
	@echo "make page        web/dist, which index.html loads"
	@echo "make offline     bin/gdram.html, the whole page in one file to hand on"
	@echo "make site        bin/site, the page as a folder to serve; browsers can install it"
	@echo "make package     bin/gdram-VERSION.tgz, the page's engine as an npm package"
	@echo "make worker      the Worker for Cloudflare, in web/worker/build; make worker-dev serves it here, in Cloudflare's runtime"
	@echo "make deploy      the Worker to Cloudflare; with BULK=1, with a bucket and a queue for many pictures"
	@echo "make test        everything below, after installing what it needs"
	@echo "make test-setup  Chromium, Firefox and the npm packages of the page's tests"
	@echo "make check       formatting, vet, bans, sizes, generated code"
	@echo "make test-go     all Go tests, with the fast kernels"
	@echo "make test-pure   the same core without assembly, twice: not built in, and not supported by the processor"
	@echo "make test-wasm   the core as WebAssembly under Node"
	@echo "make test-arm    the core for arm64, emulated by qemu where the machine is another"
	@echo "make test-page   types, and the page in real Chromium and Firefox"
	@echo "make test-worker types, and the Worker in Cloudflare's runtime"
	@echo "make test-onnx   the exported network in onnxruntime against ours (not part of test: a download of 110 MB)"
	@echo "make bench       BENCHMARKS.md: how fast this is beside others; RACES=page,node,native,training,growth for some of it"
	@echo "make bench-worker processor time and memory of the Worker's requests"
	@echo "make agree       how often page, Node and native program agree on 1,000 test pictures, from DATA=folder"
	@echo "make bench-go    speed of single kernels and of a training step"
	@echo "make cover       how much of the code the Go tests run"
	@echo "make generate    the fast kernels, from core/kernel/_generate and _wasm"
	@echo "make clean       remove what was built; runs and data stay"

.PHONY: build
build: need-go
	go build -trimpath -ldflags='-s -w' -o bin/gdram ./core/cmd/gdram

.PHONY: page
page: need-go
	go run ./web/build

# The page in other shapes; web/README.md says what each is for.
.PHONY: offline
offline: need-go
	go run ./web/build -offline bin/gdram.html

.PHONY: site
site: need-go
	go run ./web/build -site bin/site

.PHONY: package
package: need-go
	go run ./web/build -package bin/package
	@command -v npm >/dev/null || { echo "There is no npm here, so bin/package is not packed; install Node 20.11 or later."; exit 1; }
	cd bin/package && npm pack --silent --pack-destination ..

# Node 22 comes with the packages, for wrangler; npm finds it there first. It says nothing to anybody.
WORKER := cd web/worker && WRANGLER_SEND_METRICS=false WRANGLER_SEND_ERROR_REPORTS=false WRANGLER_HIDE_BANNER=true npm run --silent
WORKER_ENV := --env=$(if $(BULK),bulk)

.PHONY: worker
worker: need-go web/worker/node_modules/.package-lock.json
	$(WORKER) build

.PHONY: worker-dev
worker-dev: worker
	$(WORKER) dev -- $(WORKER_ENV)

.PHONY: deploy
deploy: worker
	@cd web/worker && npm exec --no -- wrangler whoami --json >/dev/null 2>&1 || { \
		echo "Nobody is logged in to Cloudflare here; run (cd web/worker && npx wrangler login), or set CLOUDFLARE_API_TOKEN, and try again."; exit 1; }
	$(WORKER) deploy -- $(WORKER_ENV)

web/worker/node_modules/.package-lock.json: web/worker/package-lock.json | need-node
	cd web/worker && npm ci --ignore-scripts --no-audit --no-fund --loglevel=error

.PHONY: need-go
need-go:
	@command -v go >/dev/null || { echo "There is no Go here; install Go 1.26 or later from https://go.dev/dl/ and try again."; exit 1; }

# The tests use --test-timeout, which came with Node 20.11; Debian 12 has 18.
.PHONY: need-node
need-node:
	@command -v npm >/dev/null || $(MAKE) --no-print-directory apt PACKAGES="nodejs npm"
	@command -v npm >/dev/null || { echo "There is no npm here; install Node 20.11 or later from https://nodejs.org/ and try again."; exit 1; }
	@node --test-timeout=1 -e '' 2>/dev/null || { \
		echo "Node $$(node --version) is too old here; install 20.11 or later from https://nodejs.org/ and try again."; exit 1; }

# ---- tests

.PHONY: test
test: test-setup check test-go test-pure test-wasm test-arm test-page test-worker
	@echo "All tests passed. Screenshots of the page are in web/dist/screenshots."

# Debian's packages, where this may install them; elsewhere a sentence.
.PHONY: test-setup
test-setup: need-go web/node_modules/.package-lock.json
	@[ -n "$(FIND_CHROMIUM)" ] || $(MAKE) --no-print-directory apt PACKAGES=chromium
	@[ -n "$(FIND_FIREFOX)" ] || $(MAKE) --no-print-directory apt PACKAGES=firefox-esr
	@[ -n "$(FIND_CHROMIUM)" ] || { echo "There is no Chromium here; install it, or set CHROMIUM to its path."; exit 1; }

web/node_modules/.package-lock.json: web/package-lock.json | need-node
	cd web && npm ci --ignore-scripts --no-audit --no-fund

# Whatever goes wrong here, the caller has a sentence about what is missing.
.PHONY: apt
apt:
	@if command -v apt-get >/dev/null; then \
		as=; [ "$$(id -u)" = 0 ] || as=sudo; \
		$$as apt-get update -q && $$as apt-get install -q -y --no-install-recommends $(PACKAGES); \
	fi || true

.PHONY: check
check: check-format check-imports check-size check-generated
	go vet ./...
	go vet ./core/kernel/_wasm
	GOOS=js GOARCH=wasm go vet -tags simd ./core ./core/kernel ./core/checkpoint ./core/pixels ./wasm/browser
	GOOS=js GOARCH=wasm go vet -tags simd,crash ./wasm/worker

.PHONY: check-format
check-format:
	@unformatted=$$(gofmt -l core wasm weights web/build web/caution web/bench/racer web/worker/test/pictures); \
	[ -z "$$unformatted" ] || { echo "Not formatted; run gofmt -w on:"; echo "$$unformatted"; exit 1; }

# The page downloads whatever it links, and the design rests on who may know whom.
BANNED := fmt|os|syscall/js|time|encoding/json|net|net/http|image|image/.*
.PHONY: check-imports
check-imports:
	@linked=$$(GOOS=js GOARCH=wasm go list -tags simd -deps ./wasm/browser); \
	heavy=$$(grep -E -x '$(BANNED)' <<<"$$linked" || true); \
	[ -z "$$heavy" ] || { echo "wasm/browser must not link these, which would swell the page:" $$heavy; exit 1; }
	@foreign=$$(GOOS=js GOARCH=wasm go list -tags simd -deps -f '{{if not .Standard}}{{.ImportPath}}{{end}}' ./wasm/browser | grep -v '^gdram/' || true); \
	[ -z "$$foreign" ] || { echo "wasm/browser must link the standard library alone, not:" $$foreign; exit 1; }
	@above=$$(go list -deps ./core | grep -E '^gdram/' | grep -v -E -x 'gdram/core(/(kernel|glimpse|nn|policy|internal/workers))?' || true); \
	[ -z "$$above" ] || { echo "core is below these and must not import them:" $$above; exit 1; }
	@own=$$(for target in js/wasm $$(go env GOHOSTOS)/$$(go env GOHOSTARCH); do \
		GOOS=$${target%/*} GOARCH=$${target#*/} go list -tags simd -deps ./wasm/worker; done | grep -E '^gdram/' | sort -u | \
		grep -v -E -x 'gdram/(wasm/worker|weights|core|core/(kernel|glimpse|nn|policy|internal/workers|answer|checkpoint(/disk)?|pixels(/picture)?))' || true); \
	[ -z "$$own" ] || { echo "wasm/worker sees core, checkpoint, pixels and weights alone, not:" $$own; exit 1; }
	@foreign=$$(GOOS=js GOARCH=wasm go list -tags simd -deps -f '{{if not .Standard}}{{.ImportPath}}{{end}}' ./wasm/worker | \
		grep -v -E '^(gdram/|github.com/(syumai/workers|x448/float16)(/|$$))' || true); \
	[ -z "$$foreign" ] || { echo "wasm/worker must link syumai/workers and nothing else of others, not:" $$foreign; exit 1; }
	@outside=$$(go list -deps ./core/... | grep -E '^gdram/(wasm|web)/' || true); \
	[ -z "$$outside" ] || { echo "Nothing imports wasm or web, but the core does:" $$outside; exit 1; }

.PHONY: check-size
check-size:
	@mkdir -p bin
	@go run ./web/build/engine ./wasm/browser bin/browser.wasm
	@total=$$(cat bin/browser.wasm core/kernel/simd*.wasm | wc -c); \
	size=$$(for f in bin/browser.wasm core/kernel/simd*.wasm; do gzip -9 -c $$f; done | wc -c); \
	echo "The page's WebAssembly takes $$total bytes, $$size gzipped, of $(WASM_BUDGET) allowed."; \
	[ $$size -le $(WASM_BUDGET) ] || { echo "That is too much; see what it links with: GOOS=js GOARCH=wasm go list -tags simd -deps ./wasm/browser"; exit 1; }

# The first line of the assembly names the command with its output file, so it is left out.
.PHONY: check-generated
check-generated:
	@mkdir -p bin
	@cd core/kernel/_generate && go run . -out ../../../bin/kernels_amd64.s -pkg kernel
	@diff <(tail -n +2 bin/kernels_amd64.s) <(tail -n +2 core/kernel/kernels_amd64.s) >/dev/null \
	|| { echo "core/kernel/kernels_amd64.s is not what its generator writes; run make generate."; exit 1; }
	@go run ./core/kernel/_wasm -out bin
	@for f in simd.wasm simd_relaxed.wasm; do \
		cmp -s bin/$$f core/kernel/$$f || { echo "core/kernel/$$f is not what its generator writes; run make generate."; exit 1; }; \
	done

.PHONY: test-go
test-go: need-go
	go test ./...

# Without assembly everything is some ten times slower, so the tests of whole runs are left to test-go.
.PHONY: test-pure
test-pure: need-go
	go test -tags purego ./core ./core/kernel ./core/nn ./core/glimpse ./core/policy ./core/pixels ./core/checkpoint/...
	go test -tags purego -run 'Parity|Gradient' ./core/train
	GODEBUG=cpu.avx2=off go test -count=1 ./core/kernel
	GODEBUG=cpu.avx512f=off go test -count=1 ./core/kernel
	GODEBUG=cpu.avx2=off go test -count=1 -run Parity ./core ./core/nn ./core/train
	GODEBUG=cpu.avx512f=off go test -count=1 -run Parity ./core ./core/nn ./core/train

# First the portable build, which Go's own script runs; then the page's, without vector kernels, with plain SIMD and with
# relaxed SIMD. Go's WebAssembly has room for 12 KB of arguments and environment, so the tests see only what they read.
# Full gradient checks take minutes there: of core and core/train, the golden numbers are enough.
WASM_EXEC = env -i 'PATH=$(PATH)' 'HOME=$(HOME)' 'GDRAM_FIXTURES=$(GDRAM_FIXTURES)' $(shell go env GOROOT)/lib/wasm/go_js_wasm_exec
SIMD_TEST = GOOS=js GOARCH=wasm go test -tags simd -exec="$(CURDIR)/web/build/go_js_wasm_exec.js"
.PHONY: test-wasm
test-wasm: need-go need-node
	GOOS=js GOARCH=wasm go test -exec="$(WASM_EXEC)" ./core/kernel ./core/nn ./core/glimpse ./core/policy ./core/pixels ./core/checkpoint ./wasm/browser
	GOOS=js GOARCH=wasm go test -exec="$(WASM_EXEC)" -run Parity ./core ./core/train
	for simd in 0 1 2; do \
		GDRAM_SIMD=$$simd $(SIMD_TEST) ./core/kernel && \
		GDRAM_SIMD=$$simd $(SIMD_TEST) -run 'Parity|ClassifyAllocatesNothing' ./core ./core/nn ./core/train || exit 1; \
	done

# Other roundings: Go for arm64 fuses multiplications and additions. Emulated, a whole training step takes most of a minute, so of
# core and core/train the golden numbers are enough, and of those one step. Without an emulator there is nothing to run them on.
ARM_EXEC = $(if $(filter arm64,$(shell go env GOHOSTARCH)),,-exec qemu-aarch64)
.PHONY: test-arm
test-arm: need-go
	@[ -z "$(ARM_EXEC)" ] || command -v qemu-aarch64 >/dev/null || $(MAKE) --no-print-directory apt PACKAGES=qemu-user
	@if [ -n "$(ARM_EXEC)" ] && ! command -v qemu-aarch64 >/dev/null; then \
		echo "There is no qemu-aarch64 here, so the tests for arm64 are left out; install qemu-user to run them."; \
	else \
		set -x; \
		GOARCH=arm64 go test $(ARM_EXEC) ./core/kernel ./core/nn ./core/glimpse ./core/policy ./core/pixels ./core/checkpoint && \
		GOARCH=arm64 go test $(ARM_EXEC) -run Parity ./core && \
		GOARCH=arm64 go test $(ARM_EXEC) -run 'ParityAdam|GradientLoss|ParityTrain/train_c10_s1$$' ./core/train; \
	fi

.PHONY: test-page
test-page: test-setup page
	cd web && npm run --silent check
	cd web && CHROMIUM="$(FIND_CHROMIUM)" FIREFOX="$(FIND_FIREFOX)" npm test --silent

.PHONY: test-worker
test-worker: worker worker-pictures web/node_modules/.package-lock.json
	web/node_modules/.bin/tsc --project web/worker
	$(WORKER) test

.PHONY: worker-pictures
worker-pictures:
	@command -v curl >/dev/null || $(MAKE) --no-print-directory apt PACKAGES=curl
	go run ./web/worker/test/pictures web/worker/build/pictures

# Other engines live in a folder of their own: with libraries for every platform, onnxruntime takes 290 MB on disk.
.PHONY: test-onnx
test-onnx: need-go web/bench/node_modules/.package-lock.json
	cd web/bench && npm test --silent

web/bench/node_modules/.package-lock.json: web/bench/package-lock.json | need-node
	cd web/bench && npm ci --ignore-scripts --no-audit --no-fund

# ---- the rest

.PHONY: bench-worker
bench-worker: worker worker-pictures
	$(WORKER) bench

# What it installs is what the tests need and the engines of others, 500 MB on disk. PyTorch is raced where there is one.
.PHONY: bench
bench: test-setup page web/bench/node_modules/.package-lock.json
	cd web/bench && CHROMIUM="$(FIND_CHROMIUM)" node bench.js $(RACES)

.PHONY: agree
agree: test-setup page web/bench/node_modules/.package-lock.json
	@[ -n "$(DATA)" ] || { echo "Say where the data sets are: make agree DATA=folder; gdram data download fetches them."; exit 1; }
	cd web/bench && CHROMIUM="$(FIND_CHROMIUM)" DATA="$(abspath $(DATA))" node bench.js agreement

.PHONY: bench-go
bench-go: need-go
	go test -run '^$$' -bench . -benchtime 3x ./core/kernel ./core ./core/train

.PHONY: cover
cover: need-go
	@mkdir -p bin
	go test -coverprofile bin/cover.out ./core/...
	go tool cover -func bin/cover.out | tail -n 1

.PHONY: generate
generate: need-go
	cd core/kernel/_generate && go run . -out ../kernels_amd64.s -pkg kernel
	go run ./core/kernel/_wasm -out core/kernel

.PHONY: clean
clean:
	rm -rf bin web/dist web/node_modules web/bench/node_modules web/worker/node_modules web/worker/build web/worker/.wrangler
