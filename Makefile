# `make demo` and `make test` bring what they need into virtual environments of their own.

PYTHON ?= python3
RUN := .venv
TEST := .venv-test
# Processes that share the tests (pytest-xdist); 0: one alone. ARGS are handed to pytest.
BENCHES ?= start chain bag layers big sweep sweepers draw graphml_read graphml_write slurm lists demo
WORKERS ?= $(shell nproc)
ARGS ?=
# Random moments at which `make faults` kills something, on each kind of database.
MOMENTS ?= 200
PIP := bin/python -m pip --disable-pip-version-check install --quiet

.DEFAULT_GOAL := help
.PHONY: help demo test check lint faults proof bench stress docs format clean FORCE

help:
	@echo "make demo    install into $(RUN), run the Meta-Task census in demo/, say where its results lie"
	@echo "make test    install into $(TEST), bring what the tests need, check and test everything"
	@echo "make check   linters, types, import contracts and the quick tests"
	@echo "make faults  kill every process at every named point and at $(MOMENTS) random moments"
	@echo "make proof   search every reachable marking of the net, and try every mutant of its table"
	@echo "make bench   the measurements of tests/bench"
	@echo "make stress  double the load until it is too much: the knee, and the headroom"
	@echo "make docs    write the generated tables and pictures of docs/ anew"
	@echo "make format  lay out the source as the linter wants it"
	@echo "make clean   remove the environments, the demo and all caches"

demo: $(RUN)/installed
	@begin=$$(date +%s.%N); \
	$(RUN)/bin/deft run census --workdir demo; code=$$?; \
	echo; echo "$$begin $$(date +%s.%N)" | awk '{printf "make demo: census took %.1f s.", $$2 - $$1}'; \
	[ $$code -eq 0 ] || { echo " It did not end well (exit $$code)."; exit $$code; }; \
	echo " Its results, the report last:"; \
	find demo/data -type f -size +0 -path '*report*' | sed 's/^/    /'; \
	echo "Look closer: $(RUN)/bin/deft status census --workdir demo"

test: $(TEST)/installed
	@tests/support/bring.sh
	@$(MAKE) --no-print-directory lint
	@$(TEST)/bin/python -m pytest -n $(WORKERS) $(ARGS)

check: lint
	@$(TEST)/bin/python -m pytest -n $(WORKERS) -m "not slow and not faults" $(ARGS)

lint: $(TEST)/installed
	@$(TEST)/bin/ruff check --quiet .
	@$(TEST)/bin/ruff format --check --quiet . || { echo "The layout differs; make format mends it."; exit 1; }
	@$(TEST)/bin/mypy
	@$(TEST)/bin/lint-imports --no-cache --config setup.cfg

faults: $(TEST)/installed
	@DEFT_TEST_MOMENTS=$(MOMENTS) $(TEST)/bin/python -m pytest -n $(WORKERS) -m faults $(ARGS)

proof: $(TEST)/installed
	@$(TEST)/bin/python -m tests.proof $(ARGS)

bench: $(TEST)/installed
	@for name in $(BENCHES); do \
		echo "== $$name"; $(TEST)/bin/python -m tests.bench.$$name $(ARGS) || exit 1; \
	done

stress: $(TEST)/installed
	@$(TEST)/bin/python -m tests.stress $(ARGS)

docs: $(TEST)/installed
	@$(TEST)/bin/python -m tests.support.reference
	@$(TEST)/bin/python -m tests.support.schemas
	@$(TEST)/bin/python -m tests.support.pictures

format: $(TEST)/installed
	@$(TEST)/bin/ruff check --fix --quiet . ; $(TEST)/bin/ruff format --quiet .

clean:
	rm -rf $(RUN) $(TEST) demo build dist deft.egg-info .pytest_cache .mypy_cache .ruff_cache .hypothesis
	find . -name __pycache__ -prune -exec rm -rf {} +

# An environment knows its folder by heart: one that was made elsewhere is made anew.
moved = $(if $(filter-out $(CURDIR),$(shell cat $(1)/installed 2>/dev/null)),FORCE)

$(RUN)/installed: setup.cfg pyproject.toml $(call moved,$(RUN))
	$(call install,$(RUN),-e .)

$(TEST)/installed: setup.cfg pyproject.toml $(call moved,$(TEST))
	$(call install,$(TEST),-e '.[test]')

# $(call install,FOLDER,WHAT): a new environment, timed. The stamp is written last and names the checkout.
define install
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || { \
		echo "DEFT needs Python 3.11 or newer; $(PYTHON) is: $$($(PYTHON) --version 2>&1 || echo missing)."; \
		echo "Name another one: make PYTHON=python3.11 ... (Debian 12: apt-get install git make python3-venv)"; \
		exit 2; }
	@$(PYTHON) -c 'import ensurepip, venv' 2>/dev/null || { \
		echo "$(PYTHON) cannot make virtual environments: apt-get install git make python3-venv"; exit 2; }
	@echo "Installing into $(1) ..."
	@begin=$$(date +%s.%N); \
	$(PYTHON) -m venv --clear $(1) && $(1)/$(PIP) $(2) && \
	echo "$$begin $$(date +%s.%N)" | awk '{printf "Installed in %.1f s.\n", $$2 - $$1}'
	@echo "$(CURDIR)" > $@
endef
