# Everything a contributor does, by name. Needs Python 3.11 to 3.14 and make, nothing else.

.DEFAULT_GOAL := help
SHELL := /bin/sh

VENV := .venv
BIN := $(VENV)/bin
ARGS ?=
TYPED := src tests docs examples $(wildcard benchmarks)
# Measuring doubles a test's time, so it stays with the tests of single rooms; they alone must reach every line.
MEASURED ?= tests/unit tests/store

# pip refuses whatever is not in the requirement files with that very hash.
PIP := $(BIN)/python -m pip --disable-pip-version-check --quiet install
LOCKED := $(PIP) --require-hashes
PROJECT := $(PIP) --no-deps --no-build-isolation --editable .

# A name can be there and not work (version managers leave such shims), so each candidate is asked to run.
FIND_PYTHON := for python in $(PYTHON) python3.11 python3.12 python3.13 python3.14 python3; do \
	if "$$python" -c 'import sys, venv, ensurepip; sys.exit(not (3, 11) <= sys.version_info < (3, 15))' 2>/dev/null; \
	then echo "$$python"; exit 0; fi; done; \
	echo 'Bonafides needs Python 3.11, 3.12, 3.13 or 3.14 (with venv), and found none: install one,' >&2; \
	echo 'or name it: make PYTHON=/path/to/python3.11 ...' >&2; exit 1

# A release is taken when it is a week old: by then, a poisoned one has usually been found.
COOLDOWN ?= 7
UV ?= uv
COMPILE = $(UV) pip compile --quiet --universal --python-version 3.11 --generate-hashes --no-header --no-annotate \
	--exclude-newer "$$($(BIN)/python -c 'import datetime as d; print(d.date.today() - d.timedelta(days=$(COOLDOWN)))')"

.PHONY: run
run: $(VENV)/run.stamp ## Install what the server needs and start it: make run ARGS="--port 9000"
	@exec $(BIN)/bonafides serve $(ARGS)

.PHONY: test
test: $(VENV)/dev.stamp $(VENV)/node.stamp $(VENV)/go.stamp ## Install what the tests need and run them all: make test ARGS="-k limiter"
	@exec $(BIN)/python -m pytest $(ARGS)

.PHONY: conformance-server
conformance-server: $(VENV)/dev.stamp ## Start what the OpenID conformance suite expects: make conformance-server ARGS="--suite https://localhost:8443"
	@exec $(BIN)/python -m tests.conformance.server $(ARGS)

.PHONY: lint
lint: $(VENV)/dev.stamp ## Check style and the rules of the house: ruff and import-linter
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/lint-imports --no-cache

.PHONY: format
format: $(VENV)/dev.stamp ## Lay out the code and mend what can be mended mechanically
	$(BIN)/ruff check --fix-only --quiet .
	$(BIN)/ruff format .

.PHONY: types
types: $(VENV)/dev.stamp ## Check types, strictly, in source, tests, docs and benchmarks
	$(BIN)/mypy $(TYPED)

.PHONY: coverage
coverage: $(VENV)/dev.stamp ## Run the tests of single rooms, and demand every line and branch of those that decide
	$(BIN)/python -m pytest --cov --cov-report= $(MEASURED) $(ARGS)
	$(BIN)/coverage report --fail-under=100 \
		--include='src/bonafides/verification/*,src/bonafides/credentials/*,src/bonafides/secret.py,src/bonafides/store/*'

# Mutants are made in the folder mutants/, anew: what was tried there before says nothing of the tests of today.
.PHONY: mutation
mutation: $(VENV)/dev.stamp ## Break secret.py and verifier.py in every small way, and name what no test notices
	@rm -rf mutants
	$(BIN)/mutmut run
	@$(BIN)/mutmut results

.PHONY: bench
bench: $(VENV)/bench.stamp $(VENV)/peers.stamp ## Measure verification beside nginx and print ratios: make bench ARGS="--seconds 10"
	@exec $(BIN)/python -m benchmarks $(ARGS)

.PHONY: bench-quick
bench-quick: $(VENV)/bench.stamp $(VENV)/peers.stamp ## Run every benchmark briefly, to see that it works
	@exec $(BIN)/python -m benchmarks --quick $(ARGS)

.PHONY: docs
docs: $(VENV)/dev.stamp ## Write docs/reference anew from the code
	$(BIN)/python -m docs.generate

.PHONY: check-docs
check-docs: $(VENV)/dev.stamp
	$(BIN)/python -m docs.generate --check

.PHONY: verify
verify: lint types check-docs test ## Check what is checked before a merge: lint, types, import rules, docs, tests

.PHONY: audit
audit: $(VENV)/dev.stamp ## Ask the vulnerability database about the locked dependencies
	$(BIN)/pip-audit --require-hashes --disable-pip -r requirements/run.txt

.PHONY: lock
lock: $(VENV)/bin/python ## Lock the dependencies with their hashes (needs uv): make lock UPGRADE=--upgrade
	$(COMPILE) $(UPGRADE) pyproject.toml --all-extras --group dev -o requirements/dev.txt
	$(COMPILE) pyproject.toml --all-extras -c requirements/dev.txt -o requirements/run.txt
	$(COMPILE) --group build -c requirements/dev.txt -o requirements/build.txt
	$(COMPILE) --group bench -c requirements/dev.txt -o requirements/bench.txt

.PHONY: clean
clean: ## Remove the environment, caches and reports, never a database
	rm -rf $(VENV) .mypy_cache .pytest_cache .ruff_cache .hypothesis .coverage .coverage.* htmlcov build dist mutants

.PHONY: help
help: ## Show this list
	@awk -F ':.*## ' '/^[a-z]+:.*## / { printf "  make %-11s %s\n", $$1, $$2 }' $(firstword $(MAKEFILE_LIST))

$(VENV)/bin/python:
	@python=$$($(FIND_PYTHON)) && "$$python" -m venv --clear $(VENV)

# A stamp is newer than all it was made from, or it is made again; so a second `make run` starts at once.
$(VENV)/run.stamp: requirements/run.txt requirements/build.txt pyproject.toml | $(VENV)/bin/python
	@echo 'Installing Bonafides into $(VENV) ...'
	@$(LOCKED) -r requirements/run.txt -r requirements/build.txt
	@$(PROJECT)
	@touch $@

$(VENV)/dev.stamp: requirements/dev.txt $(VENV)/run.stamp
	@echo 'Installing what the tests need into $(VENV) ...'
	@$(LOCKED) -r requirements/dev.txt
	@touch $@

$(VENV)/bench.stamp: requirements/bench.txt $(VENV)/dev.stamp
	@$(LOCKED) -r requirements/bench.txt
	@touch $@

# What tests ask on Node.js; where it cannot be had, their names say what was left out.
$(VENV)/node.stamp: tests/node/package-lock.json tests/node/package.json | $(VENV)/bin/python
	@if command -v node >/dev/null && command -v npm >/dev/null; then \
	cd tests/node && timeout 120 npm ci --silent || echo 'The packages on Node.js could not be installed.' >&2; fi
	@touch $@

# Clients in Go, compiled once; Go is the machine's own, 1.19 or newer, and fetches no other.
$(VENV)/go.stamp: tests/go/clients.go tests/go/go.mod tests/go/go.sum | $(VENV)/bin/python
	@if command -v go >/dev/null; then \
	cd tests/go && GOTOOLCHAIN=local GOFLAGS=-mod=readonly CGO_ENABLED=0 timeout 300 go build -o build/clients . \
	|| echo 'The clients in Go could not be compiled.' >&2; fi
	@touch $@

# What is measured beside ours on Node.js; where it cannot be had, its rows are left out and say so.
$(VENV)/peers.stamp: benchmarks/node/package-lock.json benchmarks/node/package.json | $(VENV)/bin/python
	@if command -v node >/dev/null && command -v npm >/dev/null; then \
	cd benchmarks/node && timeout 120 npm ci --silent || echo 'The peers on Node.js could not be installed.' >&2; fi
	@touch $@
