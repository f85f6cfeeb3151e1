# Targets for people. `make` alone lists them.
GO       ?= go
BIN      := bin
FUZZTIME ?= 10s
LINT_VERSION := v2.12.2

.DEFAULT_GOAL := help
.PHONY: help demo run build test lint bench ci fuzz clean

help: ## list the targets
	@awk -F ':.*## ' '/^[a-z]+:.*## /{printf "  make %-6s %s\n", $$1, $$2}' $(MAKEFILE_LIST)

demo: build ## the main job end to end: issue two certificates, verify them offline, leave them in out/demo
	$(BIN)/ddcc demo --out out/demo

run: build ## the same, and keep it running with curl lines to try
	$(BIN)/ddcc demo --out out/demo --keep

build: ## the three binaries, in bin/
	$(GO) build -trimpath -o $(BIN)/ ./cmd/...

test: ## everything a newcomer needs: all tests, race detector, shuffled
	$(GO) test -race -shuffle=on -count=1 -timeout=15m ./...

lint: ## formatting, vet and the linters of .golangci.yml
	@test -z "$$(gofmt -l .)" || { echo "not gofmt-ed:"; gofmt -l .; exit 1; }
	$(GO) vet ./...
	@# A cache of its own: results of another checkout carry its paths.
	GOLANGCI_LINT_CACHE="$(CURDIR)/.tools/lint" $(GO) run github.com/golangci/golangci-lint/v2/cmd/golangci-lint@$(LINT_VERSION) run ./...

bench: build ## the numbers of the design beside their references
	$(BIN)/ddcc bench $(BENCHFLAGS)

fuzz: ## every fuzz target for FUZZTIME each
	GO="$(GO)" FUZZTIME="$(FUZZTIME)" ./.ci/fuzz

ci: ## what CI runs
	./.ci/run

clean: ## remove what was built or left by a demo
	rm -rf $(BIN) out .tools
