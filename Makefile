# make train       draw faces, train on them for 25 epochs, compare epoch 1 with epoch 25; run it again to continue
# make test        run the checks, the tests, and every notebook in tiny sizes
# make check       check the style, and who may import whom (seconds; make test starts with it)
# make lab         open the notebooks in JupyterLab
# make notebooks   run every notebook at full size and store its outputs
# make reference   train and measure the run that notebooks use until a student has one (an hour on two cores)
# make example     export the example report, after a change of notebook 08
# make zh          build the Chinese notebooks, after a change of the English ones or of notebooks/zh
# make setup       only install; make clean removes the environment and the caches

PYTHON ?= python3
BIN := .venv/bin
EXTRAS := notebooks,data,metrics,test
# The exact versions that the tests ran with; they need Python 3.11 or newer.
PINNED = $(shell $(PYTHON) -c 'import sys; print("-c constraints.txt" * (sys.version_info >= (3, 11)))')
# PyTorch's build: cpu, without CUDA's gigabytes, unless there is an NVIDIA driver, which auto looks at. uv's auto
# alone would also bring gigabytes for the Intel graphics of a laptop. BACKEND= takes the usual index in any case.
BACKEND = $(if $(wildcard /proc/driver/nvidia)$(shell which nvidia-smi 2>/dev/null),auto,cpu)
# uv does not read pip's settings, where a mirror may be named.
INDEX = $$($(BIN)/python -m pip config list | sed -n "s/^.*[.]index-url='\(.*\)'$$/\1/p" | head -n 1)
UV = $(BIN)/uv pip install --python $(BIN)/python $(PINNED)
NOTEBOOKS := $(sort $(wildcard notebooks/*.ipynb))
# With widget state GitHub would refuse to show a notebook, and with times every run would differ from the last.
EXECUTE := --ExecutePreprocessor.store_widget_state=False --ExecutePreprocessor.record_timing=False \
    --NotebookExporter.preprocessors=animegan.course.pages.SmallPictures

.PHONY: setup train check test lab notebooks example zh reference clean

setup: .venv/.done

.venv/.done: pyproject.toml constraints.txt
	$(PYTHON) -m venv .venv
	$(BIN)/python -m pip install --disable-pip-version-check -q -c constraints.txt uv
	@export UV_DEFAULT_INDEX="$${UV_DEFAULT_INDEX:-$(INDEX)}"; build=--torch-backend=$(BACKEND); \
	UV_HTTP_TIMEOUT=10 UV_HTTP_RETRIES=0 $(UV) -q --dry-run --reinstall $$build torch torchvision 2>/dev/null || \
	{ build=; echo "PyTorch's own index does not answer: installing from the usual one (on Linux 6 GB, with CUDA)"; }; \
	$(UV) $$build -e '.[$(EXTRAS)]'
	touch $@

# An interrupted run is resumed.
train: setup
	$(BIN)/animegan train --quick --draw --outf imgs/quick $(if $(wildcard imgs/quick/run.json),--resume)

check: setup
	$(BIN)/ruff check
	$(BIN)/ruff format --check
	$(BIN)/lint-imports
	$(BIN)/pyright --pythonpath $(BIN)/python

# Several files at a time with a thread each, the slowest first (tests/conftest.py); a notebook is one file. One more
# than there are cores: now and then a test waits for another process.
WORKERS = $(shell $(PYTHON) -c 'import os; print(min(4, os.cpu_count() + 1))')
test: check
	ANIMEGAN_SMOKE=1 OMP_NUM_THREADS=1 $(BIN)/python -m pytest -n $(WORKERS) --dist loadfile \
	    --no-loadscope-reorder --nbval-lax --nbval-current-env tests $(NOTEBOOKS)

# JupyterLab shows the whole project, and its terminals find the command animegan. Importing animegan first sets how
# waiting threads behave, in all notebooks.
lab: setup
	PATH="$(CURDIR)/$(BIN):$$PATH" $(BIN)/python -c "import animegan; from jupyterlab.labapp import main; main()" \
	    --LabApp.default_url=/lab/tree/notebooks/00_setup.ipynb

notebooks: setup
	$(BIN)/jupyter nbconvert --to notebook --execute --inplace $(EXECUTE) $(NOTEBOOKS)
	$(MAKE) zh
	ANIMEGAN_LANG=en $(BIN)/python -m pytest --nbval --nbval-current-env --nbval-sanitize-with tests/nbval.cfg \
	    $(NOTEBOOKS) notebooks/zh

# What a finished report looks like: the texts of the .md in the notebook's slides.
example: setup
	$(BIN)/python -m animegan.course.translation notebooks/08_report.ipynb notebooks/08_report_example.md \
	    notebooks/08_report_example.pptx

# The Chinese notebooks, from the English ones and the texts in notebooks/zh; it says which texts are to be written.
zh: setup
	for name in $(basename $(notdir $(NOTEBOOKS))); do \
	    $(BIN)/python -m animegan.course.translation notebooks/$$name.ipynb notebooks/zh/$$name.md notebooks/zh/$$name.ipynb; \
	done

# The handout's sizes and the default recipe. An interrupted run is resumed.
reference: setup
	$(BIN)/animegan draw data/drawn-8192 --count 8192
	$(BIN)/animegan train --data_path data/drawn-8192 --outf imgs/full $(if $(wildcard imgs/full/run.json),--resume)
	$(BIN)/animegan evaluate imgs/full
	rm -rf imgs/reference
	$(BIN)/animegan share imgs/full imgs/reference --weights 1 25 --quality 70

# Removes only what a command can make again: the environment and the caches. Never data/ or imgs/.
clean:
	rm -rf .venv .pytest_cache .ruff_cache .import_linter_cache *.egg-info
	find animegan tests notebooks -type d '(' -name __pycache__ -o -name .ipynb_checkpoints ')' -prune -exec rm -rf {} +
