# make demo and make test need Python 3.11 or newer and nothing else: both make the environment.

SHELL := /bin/bash
.SHELLFLAGS := -euo pipefail -c
.DEFAULT_GOAL := help
MAKEFLAGS += --no-print-directory

# The newest of these that is there and new enough; PYTHON=/path/to/python overrides it.
PYTHON ?= $(shell for p in python3.11 python3.12 python3.13 python3; do \
	command -v $$p > /dev/null 2>&1 && $$p -c 'import sys; sys.exit(not (3, 11) <= sys.version_info < (3, 14))' \
	2> /dev/null && echo $$p && break; done)
SEED ?= 1
WORLD ?= ore
REPETITIONS ?= 100
BIN := .venv/bin

.PHONY: help env demo up down test check fmt lint type imports golden bench docs tests

help: ## show this
	@grep -E '^[a-z-]+:.*## ' Makefile | sed -E 's/:.*## /\t/' | expand -t 17

env: .venv/.stamp ## make the Python environment from the lock

# Redone only when the lock or the project file changes.
.venv/.stamp: requirements.lock pyproject.toml deploy/venv.sh
	@bash deploy/venv.sh "$(PYTHON)"
	@touch $@

demo: env ## a day of plant data through the whole system on real parts (SEED=n)
	@$(BIN)/custody up
	@$(BIN)/python -m demo.main --seed $(SEED)

up: env ## start the local stack
	@$(BIN)/custody up

down: env ## stop the local stack; its state stays
	@$(BIN)/custody down

test: env fmtcheck lint type imports tests ## everything that has to hold; .ci/run calls it

check: env fmtcheck lint type imports ## the fast subset
	@$(BIN)/python -m pytest -q tests/unit tests/property tests/test_tidy.py tests/test_docs.py \
		-m "not integration and not e2e and not fault"

# Two files at a time. What starts or kills whole stacks mostly waits, so it goes by twos, too, but
# after the rest: no test there is timed, and a failure here is seen before the long ones begin.
# The same examples each time, so that a gate and a desk say the same of the same commit; pytest by
# hand searches anew.
tests: export CI := true
tests: env chromium
	@$(BIN)/python -m pytest -n 2 --dist loadfile -m "not e2e and not fault"
	@$(BIN)/python -m pytest -n 2 --dist loadfile -m "e2e or fault"

.PHONY: chromium
chromium: ## a browser for the tests of pages, where this machine can have one
	@bash deploy/chromium.sh

.PHONY: fmtcheck
fmtcheck: env
	@$(BIN)/ruff format --check .

fmt: env ## format and sort imports
	@$(BIN)/ruff format .
	@$(BIN)/ruff check --fix-only --quiet .

lint: env ## style
	@$(BIN)/ruff check .

type: env ## types
	@$(BIN)/mypy

imports: env ## who may know whom
	@$(BIN)/lint-imports

golden: env ## write the golden files anew; review them as code
	@$(BIN)/python -m tests.support.golden

bench: env ## measure and store the figures of the README's table
	@$(BIN)/python -m bench.main

.PHONY: torture
torture: env ## workers killed, stopped and moved, until the books are wrong (REPETITIONS=100 SEED=1)
	@$(BIN)/python -m tests.torture --repetitions $(REPETITIONS) --seed $(SEED)

.PHONY: worst-queries
worst-queries: env ## the worst questions an analyst can ask, at full size, beside inserts
	@CUSTODY_WORST_QUERIES=long $(BIN)/python -m pytest -q tests/integration/test_worst_queries.py
	@$(BIN)/python -m bench.worst_queries

.PHONY: bench-detection
bench-detection: env ## what of each fraud is found, beside what can be (WORLD=ore SEED=1)
	@OMP_NUM_THREADS=1 $(BIN)/python -m bench.detection --world $(WORLD) --seed $(SEED)

FACTS ?= 10000000
.PHONY: bench-warehouse
bench-warehouse: env ## how long the views take, beside the plain scan and the sink (FACTS=10000000), and lineage
	@$(BIN)/python -m bench.warehouse --facts $(FACTS)
	@$(BIN)/python -m bench.lineage
	@$(BIN)/python -m bench.beside --facts $(FACTS)

.PHONY: screenshots
screenshots: env ## the console's pages as pictures, for the docs; look at each before it is committed
	@$(BIN)/python -m tests.support.screenshots

docs: env ## write the pages and dashboards that are made from the code
	@$(BIN)/python -m tests.support.pages
	@$(BIN)/python -m dashboards.main
