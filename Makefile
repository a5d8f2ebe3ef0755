# Postroom. `make run` serves it, `make demo` shows it, `make test` proves it. CONTRIBUTING.md says more.
# Everything needed is set up first, with nothing but python3: see scripts/bootstrap.py.

PYTHON ?= python3
BIN := .venv/bin
ARGS ?=
NAME ?= send
# Test processes side by side, each with a database and servers of its own. Most tests wait more than they work.
JOBS ?= 3

.DEFAULT_GOAL := help
.PHONY: help setup assets run demo test check fresh bench soak fix cases wheel

help:
	@echo "make run      serve at http://localhost:8025 with an embedded database"
	@echo "make demo     a practice post office and a campaign through it; ARGS=\"--recipients 2000 --exit --json\""
	@echo "make test     the whole test suite; ARGS are given to pytest"
	@echo "make check    format, ruff, mypy, import contracts, fast tests"
	@echo "make fresh    make demo on a bare Debian, in a root of its own"
	@echo "make bench    a benchmark: NAME=send ARGS=\"--recipients 50000 --json\""
	@echo "make soak     the kill, rate and memory runs at full length"
	@echo "make fix      repair the format;  make cases  rewrite golden results for review"

setup:
	@$(PYTHON) scripts/bootstrap.py

assets: setup
	@$(BIN)/python scripts/assets.py --force

run: setup
	@exec $(BIN)/postroom serve $(ARGS)

demo: setup
	@exec $(BIN)/postroom demo $(ARGS)

test: setup
	@$(BIN)/pytest -n $(JOBS) --dist loadfile --no-loadscope-reorder $(ARGS)

check: setup
	$(BIN)/ruff format --check .
	$(BIN)/ruff check .
	$(BIN)/mypy
	$(BIN)/lint-imports
	$(BIN)/pytest -q tests/mail tests/meta

fresh:
	@$(PYTHON) scripts/fresh.py $(ARGS)

bench: setup
	@$(BIN)/python -m bench.$(NAME) $(ARGS)

soak: setup
	@SOAK=1 $(BIN)/pytest tests/host tests/daemons tests/system tests/web/test_schemathesis.py $(ARGS)

fix: setup
	$(BIN)/ruff format .
	$(BIN)/ruff check --fix .

cases: setup
	REWRITE_CASES=1 $(BIN)/pytest -q tests/mail $(ARGS)
	git --no-pager diff --stat -- tests/cases

wheel: setup
	@$(BIN)/python -m hatchling build -t wheel
