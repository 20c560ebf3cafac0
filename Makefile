# make train       draw faces, train 25 epochs on them, set epoch 1 beside epoch 25
# make test        run the tests, and every notebook in tiny sizes
# make check       the style, and who may import whom (seconds; make test begins with it)
# make lab         open the notebooks in JupyterLab
# make notebooks   run every notebook at its full size and store what it shows
# make reference   train and measure the small run that stands in where a student has none yet
# make setup       only install; make clean removes what can be made again

PYTHON ?= python3
BIN := .venv/bin
# The exact versions that the tests ran with; they are for Python 3.11 and newer.
PINNED = $(shell $(PYTHON) -c 'import sys; print("-c constraints.txt" * (sys.version_info >= (3, 11)))')
NOTEBOOKS := $(sort $(wildcard notebooks/*.ipynb))
# Widget state and times would make GitHub refuse a notebook, and every run differ from the last.
EXECUTE := --ExecutePreprocessor.store_widget_state=False --ExecutePreprocessor.record_timing=False

.PHONY: setup train check test lab notebooks reference clean

setup: .venv/.done

.venv/.done: pyproject.toml constraints.txt
	$(PYTHON) -m venv .venv
	$(BIN)/python -m pip install --disable-pip-version-check $(PINNED) -e '.[notebooks,data,metrics,test]'
	touch $@

# A run that was stopped is gone on with.
train: setup
	$(BIN)/animegan train --quick --draw --outf imgs/quick $(if $(wildcard imgs/quick/run.json),--resume)

check: setup
	$(BIN)/ruff check
	$(BIN)/ruff format --check
	$(BIN)/lint-imports

test: check
	$(BIN)/python -m pytest
	ANIMEGAN_SMOKE=1 $(BIN)/python -m pytest --nbval-lax --nbval-current-env $(NOTEBOOKS)

# JupyterLab shows the whole project, and a terminal in it knows the command animegan.
lab: setup
	PATH="$(CURDIR)/$(BIN):$$PATH" $(BIN)/jupyter lab --LabApp.default_url=/lab/tree/notebooks/00_setup.ipynb

notebooks: setup
	$(BIN)/jupyter nbconvert --to notebook --execute --inplace $(EXECUTE) $(NOTEBOOKS)
	$(BIN)/python -m pytest --nbval --nbval-current-env $(NOTEBOOKS)

reference: train
	$(BIN)/animegan evaluate imgs/quick
	rm -rf imgs/reference
	$(BIN)/animegan share imgs/quick imgs/reference --weights 1 25

# Only what a command makes again: the environment and caches. Never data/ or imgs/.
clean:
	rm -rf .venv .pytest_cache .ruff_cache *.egg-info
	find animegan tests notebooks -type d '(' -name __pycache__ -o -name .ipynb_checkpoints ')' -prune -exec rm -rf {} +
