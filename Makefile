# `make demo` and `make test` need Python 3.11 to 3.13 and make; they bring the rest.

VENV ?= .venv
BIN := $(VENV)/bin
BEAM_VENV := .venv-beam
OLD_VENV := .venv-old
DEMO := demo

# The first interpreter here that TensorFlow and Keras run on.
PYTHON ?= $(shell for python in python3 python3.13 python3.12 python3.11; do \
	$$python -c 'import sys; sys.exit(not (3, 11) <= sys.version_info < (3, 14))' \
	2>/dev/null && echo $$python && break; done)

.PHONY: help demo test test-large test-old test-gpu test-load test-beam test-versions new-versions \
	fuzz fuzz-commands bench docs notebooks bundled-model dist lint format clean
.DELETE_ON_ERROR:

help:
	@echo "make demo        summarise a long document; fine-tune, before and after"
	@echo "make test        lint, then every test that is not marked large, then notebooks"
	@echo "make test-large  the tests marked large: minutes, gigabytes"
	@echo "make test-gpu    the tests for a machine with a GPU; skipped elsewhere"
	@echo "make test-load   8 clients on a SavedModel, LOAD_SECONDS=600 of them"
	@echo "make test-beam   the Apache Beam example, in an environment of its own"
	@echo "make test-versions  tests on the oldest, Colab's and the newest versions; an hour"
	@echo "make new-versions  tells which TensorFlow, Keras ... are out and not tested"
	@echo "make fuzz        spoiled files for every reader, MINUTES=5 of them"
	@echo "make fuzz-commands  flipped bits, full disks and kills for commands; an hour"
	@echo "make test-old    what the old TF classes promised, run on them in their own versions"
	@echo "make bench       speed and memory beside PyTorch's LED and others; an hour"
	@echo "make docs        the guides and the API reference as pages, in build/docs"
	@echo "make notebooks   executes the notebooks and stores their outputs; minutes"
	@echo "make bundled-model  makes the model that comes with the package anew; 2.5 hours"
	@echo "make dist        wheel and source distribution, checked, in dist"
	@echo "make lint        ruff check and ruff format --check"
	@echo "make format      let ruff mend what it can"
	@echo "make clean       remove $(VENV), $(DEMO) and caches"

EVALUATE := $(BIN)/tf-led evaluate --data $(DEMO)/validation.jsonl --predictions

demo: $(VENV)/.installed-train
	$(BIN)/python -m examples.demo $(DEMO)
	rm -rf $(DEMO)/tuned
	$(BIN)/tf-led summarize $(DEMO)/document.txt --part-tokens 512 \
		--summary-tokens 600 --part-summaries $(DEMO)/parts.jsonl
	$(BIN)/python -m examples.demo $(DEMO) --outline
	$(EVALUATE) $(DEMO)/before.jsonl
	$(BIN)/tf-led train --train $(DEMO)/train.jsonl --output $(DEMO)/tuned \
		--epochs 8 --batch-size 8 --max-source-length 512 --learning-rate 5e-4
	$(EVALUATE) $(DEMO)/after.jsonl --model $(DEMO)/tuned
	$(BIN)/python -m examples.demo $(DEMO) --compare

test: lint
	$(BIN)/python -m pytest -m "not large and not notebook"
	$(BIN)/python -m pytest -m notebook

test-large: $(VENV)/.installed-test
	$(BIN)/python -m pytest -m large

test-gpu: $(VENV)/.installed-test
	$(BIN)/python -m pytest -n 0 -m gpu -rs

LOAD_SECONDS ?= 600
SERVED := $(DEMO)/served

test-load: $(SERVED)/path
	$(BIN)/python tests/serving/load.py $$(cat $(SERVED)/path) --seconds $(LOAD_SECONDS)

test-beam: $(SERVED)/path $(BEAM_VENV)/.made
	$(BEAM_VENV)/bin/python tests/serving/beam_pipeline.py $$(cat $(SERVED)/path) \
		$(SERVED)/beam

# Alone: the tests' own conftest.py needs what is not installed there.
test-old: $(OLD_VENV)/.made
	OLD_LIBRARY=1 $(OLD_VENV)/bin/python -m pytest --confcutdir=tests/old_library \
		-o addopts=--import-mode=importlib -o filterwarnings=default tests/old_library

$(SERVED)/path: $(VENV)/.installed
	$(BIN)/python -m examples.demo $(DEMO)
	mkdir -p $(SERVED)
	$(BIN)/tf-led export $(DEMO)/checkpoint $(SERVED) --num-beams 2 \
		--max-new-tokens 16 > $@

# VERSIONS="colab --no-torch" for one set, where no CPU build of torch is at hand.
VERSIONS ?=

test-versions: | $(VENV)/.made
	$(BIN)/python -m tests.versions $(VERSIONS)

new-versions: | $(VENV)/.made
	$(BIN)/python -m tests.versions.new

MINUTES ?= 5

fuzz: $(VENV)/.installed-test
	$(BIN)/python -m tests.fuzz --minutes $(MINUTES)

# FLIPS and KILLS for fewer bits of each file, and fewer moments; full disks need root.
FLIPS ?= 200
KILLS ?= 20

fuzz-commands: $(VENV)/.installed-test
	$(BIN)/python -m tests.fuzz.commands --kills $(KILLS)
	$(BIN)/python -m tests.fuzz.flipped_bits --count $(FLIPS)

BENCH ?=

bench: $(VENV)/.installed-bench
	$(BIN)/python -m benchmarks $(BENCH)

docs: $(VENV)/.installed-docs
	$(BIN)/python -m sphinx -W --keep-going -q docs build/docs
	@echo "The pages are in build/docs/index.html."

notebooks: $(VENV)/.installed-test
	$(BIN)/python notebooks/execute.py

# TF_LED_REPOSITORY is the address that the links in the description lead to.
dist: | $(VENV)/.made
	$(BIN)/python -m pip install --quiet build twine
	rm -rf build/lib dist
	$(BIN)/python -m build --outdir dist
	$(BIN)/python -m twine check --strict dist/*

# It learns from Debian's package descriptions and manual pages, and needs Debian.
bundled-model: $(VENV)/.installed-test
	$(MAKE) -f examples/bundled_model/Makefile PYTHON=$(BIN)/python OUT=build/bundled

lint: $(VENV)/.installed-test
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .

format: $(VENV)/.installed-test
	$(BIN)/ruff check --fix .
	$(BIN)/ruff format .

clean:
	rm -rf $(VENV) $(BEAM_VENV) $(OLD_VENV) $(DEMO) build dist *.egg-info .pytest_cache .ruff_cache .hypothesis

# The stamps are written last: an installation that was cut off is done again.
$(VENV)/.installed: setup.cfg setup.py pyproject.toml | $(VENV)/.made
	$(BIN)/python -m pip install --quiet --editable .
	touch $@

$(VENV)/.installed-train: setup.cfg setup.py pyproject.toml | $(VENV)/.made
	$(BIN)/python -m pip install --quiet --editable '.[train]'
	touch $(VENV)/.installed $@

$(VENV)/.installed-bench: setup.cfg setup.py pyproject.toml | $(VENV)/.made
	$(BIN)/python -m pip install --quiet --editable '.[bench]'
	touch $(VENV)/.installed $@

$(VENV)/.installed-docs: setup.cfg setup.py pyproject.toml | $(VENV)/.made
	$(BIN)/python -m pip install --quiet --editable '.[docs]'
	touch $(VENV)/.installed $@

$(VENV)/.installed-test: setup.cfg setup.py pyproject.toml | $(VENV)/.made
	$(BIN)/python -m pip install --quiet --editable '.[test]'
	touch $(VENV)/.installed $@

$(BEAM_VENV)/.made: examples/beam/requirements.txt
	$(PYTHON) -m venv --clear $(BEAM_VENV)
	$(BEAM_VENV)/bin/python -m pip install --quiet --requirement $<
	touch $@

$(OLD_VENV)/.made: tests/old_library/requirements.txt
	$(PYTHON) -m venv --clear $(OLD_VENV)
	$(OLD_VENV)/bin/python -m pip install --quiet --requirement $<
	touch $@

$(VENV)/.made:
	@test -n "$(PYTHON)" || { \
		echo "tf_led needs Python 3.11, 3.12 or 3.13;" \
			"say where: make PYTHON=/path/to/python" >&2; exit 2; }
	$(PYTHON) -m venv --clear $(VENV)
	touch $@
