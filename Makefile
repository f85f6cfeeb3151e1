# Targets for people. `make` alone lists them.
GO       ?= go
BIN      := bin
FUZZTIME ?= 10s
LINT_VERSION := v2.12.2
HSM_MODULE   ?= $(firstword $(wildcard /usr/lib/softhsm/libsofthsm2.so /usr/lib/*/softhsm/libsofthsm2.so /usr/local/lib/softhsm/libsofthsm2.so))

.DEFAULT_GOAL := help
.PHONY: help demo run build test test-vault test-hsm test-interop test-openhim test-hapi lint bench ci fuzz clean

help: ## list the targets
	@awk -F ':.*## ' '/^[a-z-]+:.*## /{printf "  make %-12s %s\n", $$1, $$2}' $(MAKEFILE_LIST)

demo: build ## the main job end to end: issue two doses in four formats, verify them offline, leave them and the card in out/demo
	$(BIN)/ddcc demo --out out/demo

run: build ## the same, and keep it running with curl lines to try
	$(BIN)/ddcc demo --out out/demo --keep

build: ## the three binaries, in bin/
	$(GO) build -trimpath -o $(BIN)/ ./cmd/...

# The suites against peers that a newcomer need not have have targets of their own.
PACKAGES = $$($(GO) list ./... | grep -v -e /test/vault -e /test/hsm -e /test/interop -e /test/openhim -e /test/hapi)

test: ## everything a newcomer needs: all tests, race detector, shuffled
	$(GO) test -race -shuffle=on -count=1 -timeout=15m $(PACKAGES)

test-vault: .tools/vaultpeer ## the key store suite, the outages and the demo on a real Vault server, built from its source
	DDCC_VAULT_PEER="$(CURDIR)/.tools/vaultpeer" $(GO) test -race -shuffle=on -count=1 -timeout=15m $(TESTFLAGS) ./test/vault/...

.tools/vaultpeer: $(wildcard test/vaultpeer/*)
	cd test/vaultpeer && $(GO) build -trimpath -ldflags="-s -w" -o "$(CURDIR)/$@" .

test-hsm: ## the key store suite and the demo on a PKCS #11 token; needs SoftHSM 2 (Debian: softhsm2) or HSM_MODULE=FILE
	@test -n "$(HSM_MODULE)" || { echo "no SoftHSM 2 here: install softhsm2, or name a PKCS #11 library with HSM_MODULE=FILE"; exit 1; }
	DDCC_HSM_MODULE="$(HSM_MODULE)" $(GO) test -race -shuffle=on -count=1 -timeout=15m $(TESTFLAGS) ./test/hsm/...

test-interop: ## foreign software checks what we issue, and we what it issues; needs Node.js, Python and a JDK with Maven (docs/interoperability.md)
	$(GO) test -race -count=1 -timeout=30m ./test/interop/... $(TESTFLAGS)

test-openhim: ## register, issue, repeat and recover through a real OpenHIM core: of npm with the starter beside the repository, or OPENHIM_API and OPENHIM_GATEWAY name one
	$(GO) test -race -count=1 -timeout=20m $(TESTFLAGS) ./test/openhim/...

test-hapi: ## the FHIR client and what builds on it, on a real HAPI server; needs a JDK (17 or newer) and Maven, or HAPI_URL=ADDRESS (docs/fhir-servers.md)
	$(GO) test -race -count=1 -timeout=20m $(TESTFLAGS) ./test/hapi/...

lint: ## formatting, vet and the linters of .golangci.yml
	@test -z "$$(gofmt -l .)" || { echo "not gofmt-ed:"; gofmt -l .; exit 1; }
	$(GO) vet ./...
	@# A cache of its own: results of another checkout carry its paths.
	GOLANGCI_LINT_CACHE="$(CURDIR)/.tools/lint" $(GO) run github.com/golangci/golangci-lint/v2/cmd/golangci-lint@$(LINT_VERSION) run ./...

bench: build .tools/vaultpeer ## the numbers of the design beside their references, with the keys in a real Vault
	$(GO) test -c -o .tools/bench ./test/vault
	@DDCC_VAULT_PEER="$(CURDIR)/.tools/vaultpeer" .tools/bench -test.run='^TestBench$$' -test.timeout=0 -- $(BIN)/ddcc bench $(BENCHFLAGS)

fuzz: ## every fuzz target for FUZZTIME each
	GO="$(GO)" FUZZTIME="$(FUZZTIME)" ./.ci/fuzz

ci: ## what CI runs
	./.ci/run

clean: ## remove what was built or left by a demo
	rm -rf $(BIN) out .tools
