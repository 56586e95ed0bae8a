# The commands of the project; `make help` lists them.
# They need make and Python 3.11 or later with venv, and install everything else from the locked requirements.

PYTHON ?= python3
VENV ?= .venv
BIN := $(VENV)/bin
STAMP := $(VENV)/.installed
DEMO ?= build/demo
# The beginning of the sha256 of "Fictionham September 2026 corrected.xlsx", a held file of the sample.
DEMO_HELD := 60c90f7792b7
SOURCES := piperoll collectors publishers flows hosting serving portal tests bench setup.py
UNIT_TESTS := tests/model tests/findings tests/reading tests/checking tests/releasing tests/duties tests/datapackages

.DEFAULT_GOAL := help
.PHONY: help install findings-page demo test quick lint types tests test-real soak bench lock pins screenshots golden vendor clean python browser validator database office npm

help: ## list these commands
	@awk -F ':.*## ' '/^[a-z-]+:.*## / { printf "  make %-10s %s\n", $$1, $$2 }' $(MAKEFILE_LIST)

install: $(STAMP) ## install everything into a virtual environment in .venv

# --no-deps: the lock file is complete, and pip 23 would otherwise look for newer releases of packages named with an extra.
$(STAMP): requirements-dev.lock pyproject.toml setup.py | python
	@echo "Installing into $(VENV) (the first time takes a few minutes) …"
	@$(PYTHON) -m venv $(VENV)
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check --no-deps --require-hashes -r requirements-dev.lock
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check --no-deps --no-build-isolation -e .
	@touch $(STAMP)

python:
	@command -v $(PYTHON) >/dev/null || { \
	  echo "Piperoll needs Python 3.11 or later, and '$(PYTHON)' was not found. Run: sudo apt-get install -y python3 python3-venv" >&2; exit 1; }
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || { \
	  echo "Piperoll needs Python 3.11 or later, and '$(PYTHON)' is older. Use a later one: make PYTHON=python3.11 install" >&2; exit 1; }
	@$(PYTHON) -c 'import ensurepip, venv' 2>/dev/null || { \
	  echo "This Python cannot create virtual environments. Run: sudo apt-get install -y python3-venv" >&2; exit 1; }

demo: install ## run the whole pipeline on made-up files of 12 bodies and 3 months, into build/demo
	@rm -rf $(DEMO) $(DEMO)-sample
	@$(BIN)/piperoll sample --to $(DEMO)-sample
	@$(BIN)/piperoll run --inbox $(DEMO)-sample/2026-08 --inbox $(DEMO)-sample/2026-09 --inbox $(DEMO)-sample/2026-10 \
	  --to $(DEMO) --bodies $(DEMO)-sample/bodies.csv
	@echo
	@echo "Now the decisions that people take: one held file is right as it is, and one table should not have been sent."
	@$(BIN)/piperoll release $(DEMO_HELD) --to $(DEMO) --bodies $(DEMO)-sample/bodies.csv \
	  --because "The other half of the payments was made by the pension fund"
	@$(BIN)/piperoll withdraw spend/office-for-pretend-standards/2026-07 1 --to $(DEMO) --bodies $(DEMO)-sample/bodies.csv \
	  --because "Sent by mistake: the office began in August"
	@echo
	@echo "The files that were sent:  $(DEMO)-sample"
	@echo "See what was published:    $(BIN)/piperoll site $(DEMO)"
	@echo "List what was published:   $(BIN)/piperoll list $(DEMO)"
	@echo "See a correction:          $(BIN)/piperoll history spend/city-of-placeholder/2026-08 --from $(DEMO)"
	@echo "See a released file:       $(BIN)/piperoll history spend/royal-borough-of-fictionham/2026-09 --from $(DEMO)"
	@echo "See who is late:           $(BIN)/piperoll due --to $(DEMO) --bodies $(DEMO)-sample/bodies.csv"
	@echo "Check one of the files:    $(BIN)/piperoll check FILE"
	@echo "Send files for a body:     $(BIN)/piperoll portal $(DEMO) --bodies $(DEMO)-sample/bodies.csv --body city-of-placeholder"

findings-page: install ## docs/findings.md, made from findings/ and expectations/
	@$(BIN)/python -m piperoll.commands.findings_page > docs/findings.md

test: install browser validator database office lint types tests ## run all checks and tests, as CI does

quick: install lint types ## run lint, types and the unit tests, in under 90 seconds
	@$(BIN)/python -m pytest -q -n 2 $(UNIT_TESTS)

lint: install
	@$(BIN)/ruff check --quiet $(SOURCES)
	@$(BIN)/ruff format --check --quiet $(SOURCES)
	@$(BIN)/lint-imports

types: install
	@$(BIN)/mypy

# A test that fails beside others, as a server may on a busy machine, is run once more, alone. The first run names it.
tests: install browser validator database office
	@$(BIN)/python -m pytest -q -n 2 || { \
	  [ $$? = 1 ] || exit 1; \
	  echo "The tests that failed are run again, one at a time. One that passes now is unsteady: mend it."; \
	  $(BIN)/python -m pytest -q --last-failed --last-failed-no-failures none; }

# What tests need that is no Python package: how to see that it is there, what it is called, whose tests need it, and the
# packages of Debian that have it. Root, as in CI, gets it installed; others are told how.
browser: HAS = command -v chromium || command -v chromium-browser || command -v google-chrome
browser: NEEDS = Chromium for the tests in a browser
browser: PACKAGES = chromium
database: HAS = ls -d /usr/lib/postgresql/*/bin || command -v initdb
database: NEEDS = PostgreSQL for the tests of spread runs
database: PACKAGES = postgresql
office: HAS = command -v soffice
office: NEEDS = LibreOffice Calc for the tests of workbooks
office: PACKAGES = --no-install-recommends libreoffice-calc
npm: HAS = command -v npm
npm: NEEDS = Node.js and npm for the HTML validator
npm: PACKAGES = nodejs npm

browser database office npm:
	@{ $(HAS); } >/dev/null 2>&1 || { \
	  if [ "$$(id -u)" = 0 ] && command -v apt-get >/dev/null; then \
	    echo "Installing $(NEEDS) …"; \
	    apt-get -qq update >/dev/null && DEBIAN_FRONTEND=noninteractive apt-get -qq -y install $(PACKAGES) >/dev/null; \
	  else \
	    echo "Install $(NEEDS). Run: sudo apt-get install -y $(PACKAGES)" >&2; exit 1; \
	  fi; }

# The HTML validator comes from npm, pinned with hashes. It is installed before the tests because tests have no network.
validator: install npm
	@$(BIN)/python -m tests.tools.npm

test-real: install ## run the tests that need the real files and published profiles in ../shared
	@test -d ../shared/realdata || { echo "The real files were not found. Put them in ../shared/realdata" >&2; exit 1; }
	@$(BIN)/python -m pytest -q -n 2 --dist loadfile -m real

soak: install ## run the long forms of the kill, race, fault and fuzz tests (hours)
	@nice $(BIN)/python -m pytest -q -s -m soak --soak

bench: install ## measure each part beside its peer in the same run, into bench/RESULTS.md (an hour)
	@for part in checking catalogue api; do $(BIN)/python -m bench.$$part || exit $$?; done

lock: | python ## resolve the requirements again into the two lock files, with hashes
	@$(PYTHON) -m venv build/uv && build/uv/bin/pip install --quiet --disable-pip-version-check uv
	@for lock in requirements.lock "requirements-dev.lock --extra dev"; do \
	  set -- $$lock; output=$$1; shift; \
	  build/uv/bin/uv pip compile --quiet --python-version 3.11 --universal --generate-hashes --no-emit-index-url \
	    --custom-compile-command "make lock" pyproject.toml "$$@" -o $$output || exit $$?; \
	done

pins: install ## list the pinned versions, how long each has been pinned, and what is installed
	@$(BIN)/python -m tests.tools.pins

screenshots: demo browser ## take pictures of the demo's catalogue and portal, into build/screenshots
	@$(BIN)/python -m tests.describing.screenshots $(DEMO)

golden: install ## write the expected files of tests/fixtures/golden again; review the difference
	@$(BIN)/python -m tests.tools.golden

vendor: install ## build catalogue/vendor again from the npm packages that tests/tools/package-lock.json pins
	@$(BIN)/python -m tests.tools.bundle

clean: ## delete build output and caches; keep .venv
	@rm -rf build dist *.egg-info .pytest_cache .mypy_cache .ruff_cache .import_linter_cache .hypothesis
	@find . -name __pycache__ -type d -not -path './.venv/*' -prune -exec rm -rf {} +
