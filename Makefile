# Everything a developer types. `make` alone lists the targets.
SHELL := bash
.SHELLFLAGS := -eu -o pipefail -c
.DEFAULT_GOAL := help

BIN := bin
# Tools are built from internal/tools, a module of its own, so that what they
# depend on never reaches ours.
LINT := $(BIN)/golangci-lint
FUMPT := $(BIN)/gofumpt

# Packages whose goroutines meet. The race detector makes arithmetic ten times
# slower and finds nothing in code that runs alone.
RACE ?= $(addsuffix /...,$(wildcard ./internal/kv ./p2p ./storage ./chainclient ./rewards ./compute/market ./node))
# A count, not a time: at the end of a time Go now and then reports its own
# deadline as a failure of the target.
FUZZTIME ?= 500x
PRESET ?= test
BENCH ?= .
BENCHPKG ?= ./...
FORMATTED = $(shell git ls-files -co --exclude-standard '*.go' | grep -vE '/testdata/|^chainclient/contract/')

# What `make check` runs, cheapest first: a slip shows in seconds.
STEPS ?= tidy format vet lint test crash golden golden-arm64 race fuzz-short generate-check contracts devnet interop

.PHONY: help
help: ## list the targets
	@awk -F ':.*## ' '/^[a-z-]+:.*## / {printf "  %-16s %s\n", $$1, $$2}' $(MAKEFILE_LIST)

.PHONY: build
build: ## build the one program into bin/tally
	go build -o $(BIN)/tally ./cmd/tally

.PHONY: test
test: ## run every test (go test ./...)
	@mkdir -p $(BIN)
	go test -timeout 40m ./... 2>&1 | tee $(BIN)/test.log

.PHONY: race
race: ## run the tests of concurrent packages under the race detector (needs a C compiler)
	go test -race -short -timeout 40m $(RACE)

.PHONY: vet
vet: ## run go vet
	go vet ./...

# The linter's cache is the tree's own: a shared one reports the paths of other clones.
.PHONY: lint
lint: $(LINT) ## run golangci-lint with .golangci.yml
	GOLANGCI_LINT_CACHE=$(abspath $(BIN))/lint-cache $(LINT) run ./...

.PHONY: format
format: $(FUMPT) ## fail where gofumpt would change a file
	@out=$$($(FUMPT) -l $(FORMATTED)); test -z "$$out" || { echo "$$out"; echo "run: make fix"; exit 1; }

.PHONY: fix
fix: $(LINT) ## format everything
	$(LINT) fmt ./...

.PHONY: tidy
tidy: ## fail where go mod tidy would change a go.mod or go.sum of our modules
	go mod tidy -diff
	go -C internal/tools mod tidy -diff
	go -C compute/exact/kernel/gen mod tidy -diff
	go -C compute/exact/versus mod tidy -diff
	go -C storage/versus mod tidy -diff
	go -C protocol/piece/lanes/gen mod tidy -diff

.PHONY: fuzz-short
fuzz-short: ## run each fuzz target for FUZZTIME (500x: so many inputs)
	@mkdir -p $(BIN); cache=$$(go env GOCACHE)/fuzz/tally; \
	git grep --untracked -lE '^func Fuzz' -- '*_test.go' | xargs -n1 dirname | sort -u | while read -r dir; do \
		go test -c -fuzz=. -o $(BIN)/fuzz.test "./$$dir"; \
		for target in $$(sed -nE 's/^func (Fuzz[A-Za-z0-9_]*)\(.*/\1/p' "$$dir"/*_test.go); do \
			echo "$$dir $$target"; \
			(cd "$$dir" && $(abspath $(BIN))/fuzz.test -test.run '^$$' -test.fuzz "^$$target\$$" \
				-test.fuzztime $(FUZZTIME) -test.fuzzcachedir "$$cache/$$dir") >$(BIN)/fuzz.log 2>&1 || { cat $(BIN)/fuzz.log; exit 1; }; \
		done; \
	done

.PHONY: bench
bench: ## run benchmarks: BENCH=pattern BENCHPKG=./storage/...
	go test -run '^$$' -bench '$(BENCH)' -benchmem $(BENCHPKG)

.PHONY: generate-check
generate-check: ## fail where go generate changes the tree (npm)
	@state() { { git diff HEAD; git ls-files -o --exclude-standard -z | xargs -0r sha256sum; } | sha256sum; }; \
	before=$$(state); go generate ./...; \
	test "$$before" = "$$(state)" || { git status --short; echo "generated files were out of date: review and commit them"; exit 1; }

.PHONY: contracts
contracts: ## run the contracts' fuzz and invariant tests (npm)
	chainclient/contracts/forge.sh

.PHONY: devnet
devnet: ## run the tour once: chain and five nodes, publish to claim (PRESET=tour for the long one)
	@mkdir -p $(BIN)
	go run ./cmd/tally devnet --once --json --preset $(PRESET) | tee $(BIN)/devnet.json | .ci/devnet-check

.PHONY: crash
crash: ## the long crash ring of storage: kill, tear, compare, 500 times (ROUNDS=n)
	TALLY_CRASH_ROUNDS=$(or $(ROUNDS),500) go test -count=1 -timeout 40m -run TestCrash -v ./storage/crashring | grep -vE '^=== '

.PHONY: golden
golden: ## the exact engine's golden bits, built for old and new processors, with SIMD and without
	@for level in v1 v3; do for simd in on off; do \
		echo "GOAMD64=$$level TALLY_SIMD=$$simd"; \
		GOAMD64=$$level TALLY_SIMD=$$simd go test -count=1 -run TestGolden ./compute/exact; \
	done; done
	.ci/golden-toolchains

.PHONY: golden-arm64
golden-arm64: ## the same golden bits on arm64 and riscv64 under emulation (fetches qemu; says so where it cannot)
	.ci/golden-emulated arm64 riscv64

.PHONY: versus
versus: ## measure the exact engine beside llama.cpp, GoMLX and JAX: BENCH=Decode ROUNDS=8 NATIVE=1 (installs them under bin/versus)
	BENCH='$(if $(filter .,$(BENCH)),,$(BENCH))' compute/exact/versus/run

.PHONY: versus-storage
versus-storage: ## measure storage beside kubo: add, cat, fetch by TCP and QUIC (builds kubo; SIZE=1000 MiB)
	go -C storage/versus run . -size $(or $(SIZE),1000)

.PHONY: interop
interop: ## compare with other implementations: models, tokens, chats, GGUF, DK-1 itself, OpenAI's client (python3, pip; says so where it cannot be installed)
	TALLY_INTEROP=$${TALLY_INTEROP:-try} go test -count=1 -p 1 -timeout 30m -run 'AnotherImplementation|LlamaCpp|OpenAIsOwnClient' -v ./compute/exact/... ./node/openai | grep -E '^(---|    ---|ok|FAIL|PASS|.*(differ|same tokens|could not))'
	go -C storage/versus test -count=1 -v . | grep -E '^(---|    ---|ok|FAIL|PASS|SKIP|.*cannot be built)'

.PHONY: check
check: ## the whole pre-flight, as .ci/run runs it: STEPS="tidy test" for less
	@all=$$SECONDS; for step in $(STEPS); do \
		start=$$SECONDS; echo "==> $$step"; \
		$(MAKE) --no-print-directory $$step || { echo "==> $$step FAILED after $$((SECONDS - start)) s"; exit 1; }; \
		echo "==> $$step ok in $$((SECONDS - start)) s"; \
	done; echo "==> all of it in $$((SECONDS - all)) s: $(STEPS)"

.PHONY: clean
clean: ## remove what make built
	rm -rf $(BIN) chainclient/contracts/node_modules

$(LINT): internal/tools/go.mod internal/tools/go.sum
	go -C internal/tools build -o ../../$@ github.com/golangci/golangci-lint/v2/cmd/golangci-lint

$(FUMPT): internal/tools/go.mod internal/tools/go.sum
	go -C internal/tools build -o ../../$@ mvdan.cc/gofumpt
