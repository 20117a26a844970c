# Everything a developer does. `make` alone lists it. Needs Python >= 3.11 and make; the rest is fetched into .venv.
PYTHON ?= python3
PLANT ?= plants/demo
QUICK ?=
PYTEST ?=
VENV := .venv
BIN := $(VENV)/bin
SYNCED := $(VENV)/.synced
export UV_PROJECT_ENVIRONMENT := $(VENV)
export UV_PYTHON := $(BIN)/python
export UV_PYTHON_DOWNLOADS := never
unexport VIRTUAL_ENV

.DEFAULT_GOAL := help
.PHONY: help setup demo up test test-again lint types check format docs docs-serve bench bench-chain bench-gateway bench-oee bench-platform ui lock wheel clean

help: ## this list
	@sed -n 's/^\([a-z-]*\):.*## \(.*\)/  \1|\2/p' $(MAKEFILE_LIST) | awk -F'|' '{ printf "%-14s %s\n", $$1, $$2 }'

demo: setup ui ## the simulated factory with gateway, platform and page; Ctrl-C ends it
	$(BIN)/lineshaft demo

up: setup ui ## broker, gateway and hub for a plant: make up PLANT=plants/nist
	$(BIN)/lineshaft up $(PLANT)

test: setup ui ## all tests, a process of them for each core; PYTEST="-n 0" for one after the other
	$(BIN)/pytest -n auto $(PYTEST)

test-again: setup ## the tests that failed in the last run, alone
	$(BIN)/pytest --last-failed --last-failed-no-failures=none

check: lint types test ## what CI runs

lint: setup ## style
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .

format: setup ## mend the style where that is possible
	$(BIN)/ruff check --fix .
	$(BIN)/ruff format .

types: setup ## static types
	$(BIN)/mypy

docs: setup ## write docs/reference anew from the code
	$(BIN)/lineshaft schema --reference docs/reference

docs-serve: setup ## the documentation as a site on this computer
	$(BIN)/uv run --no-sync --with 'zensical>=0.0.70' zensical serve

ui: setup ## the page, when its sources are newer than the built one
	$(BIN)/python hatch_build.py

bench: bench-chain bench-gateway bench-maintenance bench-oee ## all benchmarks

bench-chain: setup ## from register to committed row; QUICK=1 for a run under a minute
	QUICK=$(QUICK) $(BIN)/python -m bench.chain

bench-gateway: setup ## many devices, steps, buffer, memory, fuzzing, other gateways; QUICK=1 for a run under a minute
	QUICK=$(QUICK) $(BIN)/python -m bench.gateway

bench-maintenance: setup ## diagnosis, health, remaining life, anomalies on recordings; QUICK=1 under a minute; PARTS="bearings fleet" only these
	QUICK=$(QUICK) $(BIN)/python -m bench.maintenance $(PARTS)

bench-oee: setup ## states, time elements, a known week, 200 machines for a year; QUICK=1 under a minute
	QUICK=$(QUICK) $(BIN)/python -m bench.oee

bench-platform: setup ## charts over a month, latest values, space, roll-ups; QUICK=1 for a run of about a minute
	QUICK=$(QUICK) $(BIN)/python -m bench.history

wheel: setup ui ## the installable package in dist/
	$(BIN)/uv build --wheel --out-dir dist

lock: setup ## resolve the dependencies anew
	$(BIN)/uv lock --upgrade

clean: ## remove what was built; data in .lineshaft stays
	rm -rf $(VENV) dist build site src/lineshaft/web/static ui/node_modules .mypy_cache .ruff_cache .pytest_cache

setup: $(SYNCED) ## Python environment in .venv

$(SYNCED): pyproject.toml uv.lock | $(BIN)/uv
	$(BIN)/uv sync --frozen --all-extras --inexact
	@touch $@

$(BIN)/uv:
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || \
	  { echo "Lineshaft needs Python 3.11 or newer; say which one: make PYTHON=python3.12"; exit 1; }
	$(PYTHON) -m venv $(VENV)
	$(BIN)/python -m pip install --quiet --disable-pip-version-check 'uv>=0.9'
