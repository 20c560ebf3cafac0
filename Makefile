# make train   draw faces, train 25 epochs on them, set epoch 1 beside epoch 25
# make test    run the tests
# make lab     open JupyterLab here
# make setup   only install; make clean removes what can be made again

PYTHON ?= python3
BIN := .venv/bin
# The exact versions that the tests ran with; they are for Python 3.11 and newer.
PINNED = $(shell $(PYTHON) -c 'import sys; print("-c constraints.txt" * (sys.version_info >= (3, 11)))')

.PHONY: setup train test lab clean

setup: .venv/.done

.venv/.done: pyproject.toml constraints.txt
	$(PYTHON) -m venv .venv
	$(BIN)/python -m pip install --disable-pip-version-check $(PINNED) -e '.[notebooks,test]'
	touch $@

# A run that was stopped is gone on with.
train: setup
	$(BIN)/animegan train --quick --draw --outf imgs/quick $(if $(wildcard imgs/quick/run.json),--resume)

test: setup
	$(BIN)/ruff check
	$(BIN)/python -m pytest

lab: setup
	$(BIN)/jupyter lab

# Only what a command makes again: the environment and caches. Never data/ or imgs/.
clean:
	rm -rf .venv .pytest_cache .ruff_cache *.egg-info
	find animegan tests -name __pycache__ -type d -prune -exec rm -rf {} +
