# Piperoll: what a person types. `make help` lists it.
# Needs Python 3.11 or later with venv, and make; everything else is brought from the locked requirements.

PYTHON ?= python3
VENV ?= .venv
BIN := $(VENV)/bin
STAMP := $(VENV)/.installed
DEMO ?= build/demo
SOURCES := piperoll collectors publishers flows serving tests bench setup.py

.DEFAULT_GOAL := help
.PHONY: help install screenshots vendor demo test lint types tests test-real soak bench lock clean python browser validator vendor screenshots

help: ## this list
	@awk -F ':.*## ' '/^[a-z-]+:.*## / { printf "  make %-10s %s\n", $$1, $$2 }' $(MAKEFILE_LIST)

install: $(STAMP) ## a virtual environment in .venv with everything in it

# --no-deps: the lock is whole, and pip would look for newer releases of what is named again with an extra.
$(STAMP): requirements-dev.lock pyproject.toml setup.py | python
	@echo "Installing into $(VENV) (the first time takes a few minutes) …"
	@$(PYTHON) -m venv $(VENV)
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check --no-deps --require-hashes -r requirements-dev.lock
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check --no-deps --no-build-isolation -e .
	@touch $(STAMP)

python:
	@command -v $(PYTHON) >/dev/null || { \
	  echo "Piperoll needs Python 3.11 or later, and '$(PYTHON)' is not there. Type: sudo apt-get install -y python3 python3-venv" >&2; exit 1; }
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || { \
	  echo "Piperoll needs Python 3.11 or later, and '$(PYTHON)' is older. Name a later one: make PYTHON=python3.11 install" >&2; exit 1; }
	@$(PYTHON) -c 'import ensurepip, venv' 2>/dev/null || { \
	  echo "This Python cannot make virtual environments. Type: sudo apt-get install -y python3-venv" >&2; exit 1; }

demo: install ## a made-up sample of 12 bodies and 3 months, through the whole line, into build/demo
	@rm -rf $(DEMO) $(DEMO)-sample
	@$(BIN)/piperoll sample --to $(DEMO)-sample
	@$(BIN)/piperoll run --inbox $(DEMO)-sample/2026-08 --inbox $(DEMO)-sample/2026-09 --inbox $(DEMO)-sample/2026-10 \
	  --to $(DEMO) --bodies $(DEMO)-sample/bodies.csv
	@echo
	@echo "What was sent in:         $(DEMO)-sample"
	@echo "To look at what came out: $(BIN)/piperoll site $(DEMO)"
	@echo "To see who is late:       $(BIN)/piperoll due --to $(DEMO) --bodies $(DEMO)-sample/bodies.csv"
	@echo "To check one file of it:  $(BIN)/piperoll check FILE"

test: install browser validator lint types tests ## everything that CI checks, but for the real files

lint: install
	@$(BIN)/ruff check --quiet $(SOURCES)
	@$(BIN)/ruff format --check --quiet $(SOURCES)
	@$(BIN)/lint-imports

types: install
	@$(BIN)/mypy

tests: install browser validator
	@$(BIN)/python -m pytest -q -n 2 --dist loadgroup

# The browser tests look at the catalogue in a real Chromium.
browser:
	@command -v chromium >/dev/null || command -v chromium-browser >/dev/null || command -v google-chrome >/dev/null || { \
	  if [ "$$(id -u)" = 0 ] && command -v apt-get >/dev/null; then \
	    echo "Installing Chromium for the browser tests …"; \
	    apt-get -qq update >/dev/null && DEBIAN_FRONTEND=noninteractive apt-get -qq -y install chromium >/dev/null; \
	  else \
	    echo "The browser tests need Chromium. Type: sudo apt-get install -y chromium" >&2; exit 1; \
	  fi; }

# The pages are put to an HTML validator from npm, pinned with its hashes; it is brought before the tests begin.
validator: install
	@command -v npm >/dev/null || { \
	  if [ "$$(id -u)" = 0 ] && command -v apt-get >/dev/null; then \
	    echo "Installing Node.js and npm for the HTML validator …"; \
	    apt-get -qq update >/dev/null && DEBIAN_FRONTEND=noninteractive apt-get -qq -y install nodejs npm >/dev/null; \
	  else \
	    echo "The HTML validator needs Node.js and npm. Type: sudo apt-get install -y nodejs npm" >&2; exit 1; \
	  fi; }
	@$(BIN)/python -m tests.tools.npm

test-real: install ## the 201 real files through check and run (needs ../shared/realdata)
	@test -d ../shared/realdata || { echo "The real files are not here: put their folder at ../shared/realdata" >&2; exit 1; }
	@$(BIN)/python -m pytest -q -m real

soak: install ## hours of kills, races and faults where the tests have seconds of them
	@nice $(BIN)/python -m pytest -q -s -m soak --soak

bench: install ## an hour of figures, each beside its peer in the same run, into bench/RESULTS.md
	@for part in checking catalogue api; do $(BIN)/python -m bench.$$part || exit $$?; done

lock: | python ## resolve the requirements anew, with hashes, into the two lock files
	@$(PYTHON) -m venv build/uv && build/uv/bin/pip install --quiet --disable-pip-version-check uv
	@for lock in requirements.lock "requirements-dev.lock --extra dev"; do \
	  set -- $$lock; output=$$1; shift; \
	  build/uv/bin/uv pip compile --quiet --python-version 3.11 --universal --generate-hashes --no-emit-index-url \
	    --custom-compile-command "make lock" pyproject.toml "$$@" -o $$output || exit $$?; \
	done

screenshots: demo browser ## pictures of the sample's catalogue, into build/screenshots
	@$(BIN)/python -m tests.describing.screenshots $(DEMO)

vendor: install ## make catalogue/vendor/ again from npm, as tests/tools/package-lock.json pins it
	@$(BIN)/python -m tests.tools.bundle

clean: ## remove what was made here; keeps .venv
	@rm -rf build dist *.egg-info .pytest_cache .mypy_cache .ruff_cache .import_linter_cache .hypothesis
	@find . -name __pycache__ -type d -not -path './.venv/*' -prune -exec rm -rf {} +
