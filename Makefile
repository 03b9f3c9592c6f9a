# What a developer runs, and what CI runs. Alone, `make` lists it.

# Length of one fuzz target's turn.
FUZZTIME ?= 30s

# The modules of go.work make one build: `work` names the packages of them all. Only bench/ is
# no part of it, as it measures other servers.

# A checkout may belong to another user, as in CI, and git then refuses to tell
# Go the revision it would stamp into the programs. Tables for a debugger take a tenth of
# the time of compiling, and nobody debugs what is built here.
GOFLAGS += -buildvcs=false -gcflags=all=-dwarf=false
export GOFLAGS

# The document linters neither report home nor look for news.
export REDOCLY_TELEMETRY = off
export REDOCLY_SUPPRESS_UPDATE_NOTICE = true

.PHONY: help
help: ## list the targets
	@awk -F ':.*## ' '/^[a-z-]+:.*## / { printf "make %-20s %s\n", $$1, $$2 }' Makefile

.PHONY: run
run: build ## the mock and three nodes in this terminal, until Ctrl-C (ADDR=127.0.0.1:8080)
	@scripts/demo.sh

.PHONY: build
build: ## the programs, into bin/
	CGO_ENABLED=0 go build -trimpath -o bin/ ./cmd/mock-orchestratord ./cmd/nodesim ./cmd/nodecontract

.PHONY: dist
dist: ## what a release consists of, as a snapshot, into dist/
	GOFLAGS=-buildvcs=auto scripts/pact-verify.sh
	GOFLAGS=-buildvcs=auto scripts/goreleaser.sh release --snapshot --clean

.PHONY: image
image: ## the images of the programs as OCI layouts, into bin/image/ (umoci)
	@scripts/image.sh

# Only what has the build tag pact needs libpact_ffi, and says so without it.
.PHONY: pact-ffi
pact-ffi: ## the Pact library, into .pact/ (no network when it is there)
	@scripts/pact-ffi.sh

.PHONY: test
test: pact-ffi node_modules/.package-lock.json ## the tests, those of packages whose goroutines meet under the race detector
	@scripts/test.sh

.PHONY: shipped
shipped: pact-ffi ## what is shipped, as its users get it: installed programs, the action, images, a release
	go test ./internal/house/shipped -shipped

.PHONY: browser
browser: ## Chromium for the dashboard's tests, where there is no browser yet (apt-get)
	@scripts/chromium.sh

PACT = contracts/pacts/pool-managerd-orchestratord.json

.PHONY: check
check: build pact-ffi node_modules/.package-lock.json ## pact, mock and document against each other, the document against the last release, and TypeScript
	go test -tags pact ./contracts/provider -run '^TestMockKeepsThePact$$' -results $(CURDIR)/bin/verified.json
	bin/nodecontract check --pact $(PACT) --results bin/verified.json
	bin/nodecontract check --pact $(PACT) --document openapi/in-service.overlay.yaml
	bin/nodecontract diff --base openapi/released/nodes.yaml --fail-on all
	go test ./contracts/typescript -args -compile

# What a caller gives goes through the environment, as it is: neither make nor the shell
# runs a command inside it.
override PROVIDER_URL := $(value PROVIDER_URL)
override VERIFY_FLAGS := $(value VERIFY_FLAGS)
export PROVIDER_URL VERIFY_FLAGS

.PHONY: verify
verify: pact-ffi ## the pact and the document against any orchestratord (PROVIDER_URL=http://… LLORCH_API_TOKEN=… VERIFY_FLAGS=…)
	@test -n "$$PROVIDER_URL" || { echo "usage: make verify PROVIDER_URL=http://…" >&2; exit 2; }
	CGO_ENABLED=1 go build -trimpath -tags pact -o bin/ ./cmd/pact-verify
	@set -f; bin/pact-verify --provider-url "$$PROVIDER_URL" --pact $(PACT) --conform nodes $$VERIFY_FLAGS

.PHONY: strength
strength: ## break one thing at a time about orchestratord, document, pact and generated code: the checks have to find 98 %
	go test ./contracts/conformance ./contracts/breaking ./contracts/twoway ./openapi -run '^Test(Strength|Controls)(_heavy)?$$' -timeout 30m -v -strength

# The types by which the compiler checks the scripts of the dashboard.
PAGE_TYPES = openapi/mock-control.yaml --output mockserver/dashboard/control.gen.d.ts

.PHONY: lint
lint: node_modules/.package-lock.json pact-ffi ## code, what is generated, go.mod, OpenAPI documents and manifests; no warning passes
	@unformatted=$$(go tool gofumpt -l .) && test -z "$$unformatted" || \
		{ echo "not formatted, run: go tool gofumpt -w ."; echo "$$unformatted"; exit 1; }
	go vet work && go vet -tags pact work
	go tool staticcheck -tags pact work
	go test -vet=off -tags pact -count=1 -run '_lint$$' \
		$$(grep -rl --include='*_test.go' --exclude-dir=node_modules '^func Test.*_lint(' . | xargs dirname | sort -u)
	scripts/tidy.sh -diff
	GOWORK=off go tool -modfile=tools/go.mod actionlint -shellcheck= $(wildcard .github/workflows/*.yml)
	@command -v shellcheck >/dev/null || scripts/install.sh shellcheck
	shellcheck .ci/run scripts/*.sh
	node_modules/.bin/spectral lint --fail-severity=hint $(filter-out %.overlay.yaml,$(wildcard openapi/*.yaml))
	node_modules/.bin/redocly lint openapi/*.yaml
	node_modules/.bin/openapi-typescript $(PAGE_TYPES) --check
	node_modules/.bin/tsc --project mockserver/dashboard/jsconfig.json

.PHONY: tidy
tidy: ## go.mod and go.sum of all modules
	@scripts/tidy.sh

.PHONY: generate
generate: node_modules/.package-lock.json ## the code that is made from the OpenAPI documents
	go generate ./...
	node_modules/.bin/openapi-typescript $(PAGE_TYPES)

.PHONY: bench
bench: ## the benchmarks, and their allocations
	@scripts/bench.sh

.PHONY: bench-allocs
bench-allocs: ## the benchmarks' allocations, which may be no more than in bench/allocations.txt
	@scripts/bench-allocs.sh

.PHONY: bench-allocs-update
bench-allocs-update: ## bench/allocations.txt, as it is now
	@scripts/bench-allocs.sh -update

# ROUNDS and SECONDS say how much of it `make bench-peers` and `make bench-scale` measure.
ROUNDS ?= 3
SECONDS ?= 10

.PHONY: bench-peers
bench-peers: bench-build bench/node_modules/.package-lock.json ## the mock beside other servers, under load (ROUNDS=3 SECONDS=10 BENCH_FLAGS=…)
	@$(call peers,peers.json heartbeat register)

.PHONY: bench-scale
bench-scale: bench-build ## a heartbeat's cost among 100 and among 100,000 nodes (ROUNDS=3 SECONDS=10 BENCH_FLAGS=…)
	@$(call peers,scale.json scale)

.PHONY: bench-build
bench-build: build
	cd bench && export GOWORK=off && go generate ./... && CGO_ENABLED=0 go build -trimpath -o ../bin/bench/ ./bare ./ogen ./twin ./peers

.PHONY: bench-check
bench-check: ## what measures: lint and tests
	cd bench && export GOWORK=off && go generate ./... && go vet ./... && go test ./... && go mod tidy -diff && \
		go tool -modfile=../tools/go.mod staticcheck ./...

.PHONY: fuzz
fuzz: ## each fuzz target for FUZZTIME=30s
	@scripts/fuzz.sh $(FUZZTIME)

# SEEDS, NODES and HOURS say how much `make simulate` simulates, SEED where it begins.
SEED ?= 1
SEEDS ?= 100
NODES ?= 50
HOURS ?= 1

.PHONY: simulate
simulate: ## fleets of nodes through storms drawn from seeds (SEEDS=100 NODES=50 HOURS=1 SEED=1)
	cd pkg/registration && go test -run '^TestSimulation_heavy$$' -timeout 0 \
		-args -progress -seed $(SEED) -seeds $(SEEDS) -nodes $(NODES) -hours $(HOURS)

.PHONY: simulate-herd
simulate-herd: ## ten thousand nodes whose orchestratord comes back from an outage
	go test -run '^TestHerd' -timeout 0 -v ./pkg/registration -args -herd 10000

.PHONY: clean
clean: ## remove what was built and installed
	rm -rf bin dist node_modules .pact bench/node_modules bench/ogen/api bench/ogen/nodes.yaml bench/twin/api

# $(call peers,FILE SCENARIO…) measures, prints tables, and writes all figures to a file.
peers = cd bench && ../bin/bench/peers -rounds $(ROUNDS) -duration $(SECONDS)s $(BENCH_FLAGS) -json ../bin/bench/$(1)

# npm writes this file last, so it is the stamp of a complete installation.
node_modules/.package-lock.json: package-lock.json
	npm ci

bench/node_modules/.package-lock.json: bench/package-lock.json
	cd bench && npm ci
