# `make demo` and `make test` need Python 3.11 to 3.13 and make; they bring the rest.

VENV ?= .venv
BIN := $(VENV)/bin
DEMO := demo

# The first interpreter here that TensorFlow 2.21 and Keras 3.15 run on.
PYTHON ?= $(shell for python in python3 python3.13 python3.12 python3.11; do \
	$$python -c 'import sys; sys.exit(not (3, 11) <= sys.version_info < (3, 14))' \
	2>/dev/null && echo $$python && break; done)

.PHONY: help demo test test-large lint format clean
.DELETE_ON_ERROR:

help:
	@echo "make demo        write a small checkpoint, summarise a long file with it"
	@echo "make test        lint, then every test that is not marked large"
	@echo "make test-large  the tests marked large: minutes, gigabytes"
	@echo "make lint        ruff check and ruff format --check"
	@echo "make format      let ruff mend what it can"
	@echo "make clean       remove $(VENV), $(DEMO) and caches"

demo: $(VENV)/.installed
	$(BIN)/python -m tf_led.cli.demo $(DEMO)
	$(BIN)/tf-led summarize $(DEMO)/document.txt --model $(DEMO)/checkpoint \
		--num-beams 2 --max-new-tokens 48

test: lint
	$(BIN)/python -m pytest

test-large: $(VENV)/.installed-test
	$(BIN)/python -m pytest -m large

lint: $(VENV)/.installed-test
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .

format: $(VENV)/.installed-test
	$(BIN)/ruff check --fix .
	$(BIN)/ruff format .

clean:
	rm -rf $(VENV) $(DEMO) build dist *.egg-info .pytest_cache .ruff_cache .hypothesis

# The stamps are written last: an installation that was cut off is done again.
$(VENV)/.installed: setup.cfg setup.py | $(VENV)/.made
	$(BIN)/python -m pip install --quiet --editable .
	touch $@

$(VENV)/.installed-test: setup.cfg setup.py | $(VENV)/.made
	$(BIN)/python -m pip install --quiet --editable '.[test]'
	touch $(VENV)/.installed $@

$(VENV)/.made:
	@test -n "$(PYTHON)" || { \
		echo "tf_led needs Python 3.11, 3.12 or 3.13;" \
			"say where: make PYTHON=/path/to/python" >&2; exit 2; }
	$(PYTHON) -m venv --clear $(VENV)
	touch $@
