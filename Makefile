# The front door: `make` lists what there is. Every target that needs the environment makes it first.
SHELL := /bin/bash
.DEFAULT_GOAL := help

PYTHON ?= python3
BIN := .venv/bin
PIP := $(BIN)/python -m pip --disable-pip-version-check -qq
# The environment is ready for exactly these two files; a change in either sets it up again, nothing else does.
KEY := $(shell cat requirements.txt pyproject.toml | cksum | tr -dc '0-9')
READY := .venv/ready-$(KEY)
ARGS ?=
BASE ?=
REFRESH ?=

.PHONY: help setup bench bench-quick gate test test-quick lint format types lock wheel clean clean-all

help: ## list the targets
	@awk -F ':.*## ' '/^[a-z-]+:.*## / {printf "  make %-12s %s\n", $$1, $$2}' Makefile

setup: $(READY) ## make .venv from requirements.txt, every file checked by its hash

$(READY):
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null || { \
	  echo "make: $(PYTHON) is missing or older than Python 3.11; name another: make PYTHON=python3.12 $(MAKECMDGOALS)" >&2; exit 2; }
	@rm -f .venv/ready-*
	@[ -x $(BIN)/python ] || { echo "making .venv (a few minutes, once)" >&2; $(PYTHON) -m venv .venv; }
	@$(PIP) install --require-hashes -r requirements.txt
	@$(PIP) install --no-deps --no-build-isolation -e .
	@touch $@

bench: $(READY) ## measure the models of bench.toml, about 4 minutes on two cores (ARGS="..." adds flags)
	@$(BIN)/bench run $(ARGS)

bench-quick: $(READY) ## the same with fewer repetitions, about 2 and a half minutes
	@$(BIN)/bench run --quick $(ARGS)

gate: $(READY) ## small models against reports/baseline, made at the first call (BASE=main: against that; REFRESH=1)
	@BASE='$(BASE)' REFRESH='$(REFRESH)' .ci/gate $(ARGS)

test: $(READY) ## run the tests (ARGS="-k name" picks some)
	@$(BIN)/pytest $(ARGS)

test-quick: $(READY) ## the tests that neither start TensorFlow nor measure for seconds
	@$(BIN)/pytest -m "not slow" $(ARGS)

lint: $(READY) ## ruff: rules and format
	@$(BIN)/ruff check .
	@$(BIN)/ruff format --check .

format: $(READY) ## ruff: mend what it can
	@$(BIN)/ruff check --fix .
	@$(BIN)/ruff format .

types: $(READY) ## mypy, strict
	@$(BIN)/mypy

lock: $(READY) ## resolve pyproject.toml into requirements.txt (ARGS=--upgrade takes newer versions)
	@$(BIN)/uv pip compile --quiet --universal --python-version 3.11 --generate-hashes --no-header --no-annotate \
	  --extra dev pyproject.toml --output-file requirements.txt $(ARGS) > /dev/null

wheel: $(READY) ## build dist/*.whl
	@rm -rf dist
	@$(PIP) wheel --no-deps --no-build-isolation --wheel-dir dist .
	@ls dist/*.whl

clean: ## remove what tests and builds leave behind
	@rm -rf build dist .pytest_cache .mypy_cache .ruff_cache .hypothesis .benchmarks
	@find bench models tests benchmarks -name __pycache__ -type d -prune -exec rm -rf {} +

clean-all: clean ## and the environment
	@rm -rf .venv
