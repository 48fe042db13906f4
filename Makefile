# Two commands do everything on a new machine: `make app` and `make test`. They need Python 3.11 or newer, make and git.
PYTHON ?= python3
VENV ?= .venv
BIN := $(VENV)/bin
PORT ?= 8501
CHROMIUM_NAMES := chromium chromium-browser google-chrome

.PHONY: help app class run test lint bench bench-app screenshots compiled lab reference lock clean chromium

help:
	@echo "make app    environment, dependencies, and the app opened on the baseline"
	@echo "make class  the app for everybody on the local network, with a QR code for the board"
	@echo "make run    the baseline without the app"
	@echo "make lab    what studies, questions in SQL and clusters need besides"
	@echo "make test   environment, test dependencies, Chromium where missing, the whole suite"
	@echo "make lint   style and types only"
	@echo "make bench  speed, as ratios inside one run; LONG=1 adds what takes many minutes"
	@echo "make bench-app  the same of the app in a browser, and of a class"

$(BIN)/python:
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || \
		{ echo "Python 3.11 or newer is needed; try: make PYTHON=python3.11 ..."; exit 1; }
	@$(PYTHON) -m venv $(VENV) || { rm -rf $(VENV); \
		echo "Python cannot make an environment; on Debian or Ubuntu: apt-get install python3-venv"; exit 1; }

$(VENV)/.app: requirements.lock | $(BIN)/python
	$(BIN)/python -m pip install --quiet --disable-pip-version-check -r requirements.lock
	@touch $@

$(VENV)/.test: requirements-test.lock | $(BIN)/python
	$(BIN)/python -m pip install --quiet --disable-pip-version-check -r requirements-test.lock
	@touch $@

# Compiles the fast engine once, so that nobody waits for it later; a moment where it is ready.
compiled: | $(BIN)/python
	@$(BIN)/python -m sim compile >/dev/null

# glibc keeps eight heaps a core for threads; each rerun is a thread, and a thousand runs leave room in its heap that
# the others cannot use. With two, a class of 40 takes some 80 MB less and memory grows less.
app class: export MALLOC_ARENA_MAX = 2

app: $(VENV)/.app compiled
	$(BIN)/python -m streamlit run app.py --server.port $(PORT)

# ADDRESS is needed only where the computer has several networks.
class: $(VENV)/.app compiled
	@$(BIN)/python -m sim class --port $(PORT) $(if $(ADDRESS),--address $(ADDRESS))

run: $(VENV)/.app compiled
	$(BIN)/python -m sim run scenarios/baseline.toml

chromium:
	@for name in $(CHROMIUM_NAMES); do command -v $$name >/dev/null 2>&1 && exit 0; done; \
	if command -v apt-get >/dev/null 2>&1 && [ "$$(id -u)" = 0 ]; then \
		apt-get update -qq && apt-get install -y -qq --no-install-recommends chromium; \
	else \
		echo "The browser tests need Chromium. On Debian: sudo apt-get install chromium"; exit 1; \
	fi

# What studies, questions in SQL and clusters need besides.
lab: $(VENV)/.app
	$(BIN)/python -m pip install --quiet --disable-pip-version-check -c requirements-test.lock -r requirements-lab.txt

lint: $(VENV)/.test
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy

test: $(VENV)/.test chromium lint compiled
	$(BIN)/python -m pytest -n 2 --dist loadfile

# A few minutes; with LONG=1 also up to 100,000 runs, two Dask workers against one, and the peers that are installed.
bench: $(VENV)/.app $(if $(LONG),lab) compiled
	$(BIN)/python -m benchmarks.simpy_run
	$(BIN)/python -m benchmarks.compiled_run
	$(BIN)/python -m benchmarks.limit
	$(BIN)/python -m benchmarks.growth $(if $(LONG),,--quick)
	$(if $(LONG),$(BIN)/python -m benchmarks.cluster)
	$(if $(LONG),$(BIN)/python -m benchmarks.peers)

# Of the app in a browser and of a class on one server; ten minutes of a class: python -m benchmarks.load --long
bench-app: $(VENV)/.test chromium compiled
	$(BIN)/python -m benchmarks.browser
	$(BIN)/python -m benchmarks.load

screenshots: $(VENV)/.test chromium compiled
	$(BIN)/python -m tests.make_screenshots

reference: $(VENV)/.test
	$(BIN)/python -m tests.make_reference

# Needs uv; the lock holds for every Python that we support.
lock:
	uv pip compile --quiet --universal --python-version 3.11 --no-emit-index-url --no-header requirements.txt -o requirements.lock
	uv pip compile --quiet --universal --python-version 3.11 --no-emit-index-url --no-header -c requirements.lock requirements-test.txt -o requirements-test.lock

clean:
	rm -rf $(VENV) .pytest_cache .mypy_cache .ruff_cache .hypothesis
