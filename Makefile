# make demo   three nights of a loyalty club, from an export file to signed passes, in under two minutes
# make dev    the same programs in Dagster's web interface
# make test   what continuous integration runs: the built wheel against the tests

SHELL := /bin/sh
.DEFAULT_GOAL := help

PASSFLOW_HOME ?= $(CURDIR)/.passflow
WORKERS ?= 2
TESTS ?= passflow_tests
PORT ?= 3000
export PASSFLOW_HOME
# nothing of this project calls home
export DO_NOT_TRACK = 1
export DAGSTER_DISABLE_TELEMETRY = yes

VENV := .venv
BIN := $(VENV)/bin
READY := $(VENV)/.ready
WHEEL := .build/wheel
UV := $(shell uv --version >/dev/null 2>&1 && echo uv)
# the first Python that runs (a shim may be there without one) and that we support
PYTHON := $(shell for each in python3.11 python3.12 python3.13 python3.14 python3; do \
	$$each -c 'import sys; sys.exit(not (3, 11) <= sys.version_info < (3, 15))' 2>/dev/null && echo $$each && break; done)
SOURCES := $(shell find passflow -type f ! -name '*.pyc' 2>/dev/null) pyproject.toml README.md LICENSE

.PHONY: help demo dev test test-slow wheel bench lint format docs clean

help: ## Show this list
	@awk -F ':.*## ' '/^[a-z-]+:.*## /{printf "  make %-10s %s\n", $$1, $$2}' $(MAKEFILE_LIST)

demo: $(READY) ## Three nights of a loyalty club: plan, apply, sign, and a guard that holds
	@$(BIN)/passflow demo

dev: $(READY) ## Dagster's web interface on 127.0.0.1:3000 (PORT=…)
	@$(BIN)/passflow demo --only-files
	@exec $(BIN)/passflow dev --port $(PORT)

test: $(WHEEL)/.ready ## The built wheel against the tests, without the slow ones
	$(call pytest,-m "not slow")

test-slow: $(WHEEL)/.ready ## The slow tests
	$(call pytest,-m slow)

bench: $(READY) ## Measure the parts that must be fast
	$(BIN)/python -m passflow_tests.bench

lint: $(READY) ## Style, types, layers
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/lint-imports

format: $(READY) ## Bring the code into shape
	$(BIN)/ruff check --fix-only .
	$(BIN)/ruff format .

docs: $(READY) ## Write the generated references in docs/
	$(BIN)/python -m passflow.docs

wheel: $(WHEEL)/.ready ## Build the wheel

clean: ## Remove what was built; keeps .venv and .passflow
	rm -rf .build dist .pytest_cache .mypy_cache .ruff_cache .import_linter_cache .hypothesis
	find passflow passflow_tests data -name __pycache__ -type d -prune -exec rm -rf {} +

# the tests see the wheel and never the checkout: no working directory on sys.path, the wheel's folder first
define pytest
PASSFLOW_TESTED_WHEEL=$(CURDIR)/$(WHEEL) PYTHONPATH=$(CURDIR)/$(WHEEL) PYTHONSAFEPATH=1 \
	$(BIN)/pytest -q -n $(WORKERS) $(1) $(TESTS)
endef

$(WHEEL)/.ready: $(READY) $(SOURCES)
	rm -rf .build/dist $(WHEEL)
	$(BIN)/python -m build --wheel --no-isolation --outdir .build/dist .
ifdef UV
	uv pip install -q --python $(BIN)/python --no-deps --target $(WHEEL) .build/dist/*.whl
else
	$(BIN)/python -m pip install -q --disable-pip-version-check --no-deps --target $(WHEEL) .build/dist/*.whl
endif
	@touch $@

# the lock is complete (hence --no-deps): resolving it, pip would ask for a second pin of every package with an extra
$(READY): requirements.lock pyproject.toml
	@test -n "$(PYTHON)" || { echo "passflow needs Python 3.11 or newer; install one and run make again" >&2; exit 1; }
ifdef UV
	@test -x $(BIN)/python || uv venv -q --python "$$(command -v $(PYTHON))" $(VENV)
	uv pip install -q --python $(BIN)/python --no-deps --require-hashes -r requirements.lock
	uv pip install -q --python $(BIN)/python --no-deps --no-build-isolation -e .
else
	@test -x $(BIN)/python || $(PYTHON) -m venv $(VENV)
	@$(BIN)/python -m pip --version >/dev/null 2>&1 || $(BIN)/python -m ensurepip -q
	$(BIN)/python -m pip install -q --disable-pip-version-check --no-deps --require-hashes -r requirements.lock
	$(BIN)/python -m pip install -q --disable-pip-version-check --no-deps --no-build-isolation -e .
endif
	@touch $@
