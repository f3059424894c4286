# Every target first installs or updates .venv if necessary. PYTHON=python3.12 make ... chooses the interpreter.

PYTHON ?= python3
PORT := 5000
HOST := 127.0.0.1
RUN := PATH="$(CURDIR)/.venv/bin:$$PATH" .venv/bin/python
# On up to eight cores. The tests of a file run on the same core, so that shared fixtures are made once.
PYTEST := $(RUN) -m pytest -n logical --maxprocesses 8 --dist loadfile --no-loadscope-reorder
export DVC_NO_ANALYTICS := 1
export MLFLOW_DISABLE_TELEMETRY := true
export DO_NOT_TRACK := true

.PHONY: help env repro test test-slow test-faults lint ui bench clean lock
help:
	@echo "make repro        run the whole comparison (only what is out of date); WORKERS=2: two runs at a time"
	@echo "make env          install everything, Ray too, and run nothing: for a node of a cluster"
	@echo "make test         the quick tests"
	@echo "make test-slow    the slow tests: whole pipelines, a browser, injected faults"
	@echo "make test-faults  the tests of faults with many more repetitions"
	@echo "make lint         ruff, mypy and import-linter"
	@echo "make ui           show the runs in MLflow on 127.0.0.1:$(PORT)"
	@echo "make bench        measure the speed of the engines"
	@echo "make clean        remove .venv, caches and .metaglot (checkpoints, clones of experiments); keep data and MLflow's runs"

# WORKERS=2 (or auto) trains several runs at a time; RAY=HOST:PORT, or RAY_ADDRESS, trains on a Ray cluster.
RAY ?= $(RAY_ADDRESS)
repro: .venv/installed $(if $(RAY),.venv/ray)
	@$(RUN) -m tools.repro --workers "$(WORKERS)" --ray "$(RAY)"

# Ray is installed when it is first asked for.
.venv/ray: .venv/installed pyproject.toml
	@echo "Installing Ray: 384 MB of disk"
	@.venv/bin/python -m pip --disable-pip-version-check install -q -c requirements.lock --group cluster
	@touch $@

# The environment of a node of a Ray cluster: start its Ray from there, .venv/bin/ray start ...
env: .venv/ray

test: .venv/installed
	$(PYTEST) -m "not slow"

test-slow: .venv/installed
	$(PYTEST) -m slow

# Many injected faults and thousands of bad inputs; docs/reliability.md describes each test.
test-faults: .venv/installed
	METAGLOT_LONG=1 $(PYTEST) tests/reliability \
		tests/stages/support/test_checkpoints.py tests/stages/test_configure.py tests/stages/test_track*.py \
		tests/stages/test_train.py::test_a_run_whose_loss_is_not_finite_stops_and_leaves_no_weights \
		tests/metaglot/datasets/test_omniglot_zip.py tests/metaglot/tracking/test_mlflow_database.py \
		tests/metaglot/core/nn/test_c_extension.py tests/metaglot/core/nn/batch_norm_relu/test_cpu_kernels.py \
		tests/metaglot/core/nn/conv/test_cpu_kernels.py \
		tests/browser/test_draw_page_arithmetic.py \
		tests/browser/test_mlflow_ui.py::test_the_comparison_opens_for_a_hundred_runs_with_full_curves \
		tests/browser/test_report.py::test_a_hundred_runs_stay_readable \
		tests/browser/test_report.py::test_text_from_files_runs_nothing

lint: .venv/installed
	$(RUN) -m ruff check
	$(RUN) -m ruff format --check
	$(RUN) -m mypy
	.venv/bin/lint-imports --no-cache --no-logo

ui: .venv/installed
	@test -e mlflow.db || echo "No runs yet: run make repro, or .venv/bin/dvc repro -s -f track for the committed runs"
ifneq ($(HOST),127.0.0.1)
	@echo "warning: anybody who can reach this machine at $(HOST) can read, change and delete MLflow's runs"
endif
	@echo "Open http://$(HOST):$(PORT)/#/experiments/1/runs?workflowType=machine_learning (stop it with Ctrl-C)"
	@MLFLOW_SERVER_ENABLE_JOB_EXECUTION=false $(RUN) -m mlflow ui --workers 1 --host $(HOST) --port $(PORT) \
		--backend-store-uri sqlite:///mlflow.db

bench: .venv/installed
	$(RUN) -m benchmarks

clean:
	rm -rf .venv .metaglot .pytest_cache .mypy_cache .ruff_cache .hypothesis
	find . -name __pycache__ -type d -prune -exec rm -rf {} +
	@echo "Kept: data/, .dvc/cache (dvc gc -w removes what no file points to), mlflow.db and mlartifacts/"

# Needs uv (pip install uv). learn2learn is built from source and has its own file, tools/learn2learn.txt.
lock:
	uv pip compile -q --universal --no-emit-index-url --no-annotate --no-emit-package learn2learn \
		--extra pipeline --group dev --group build --custom-compile-command "make lock" pyproject.toml -o requirements.lock

# A .venv whose Python does not run any more (upgraded, or the folder was copied) counts as missing.
LOST := $(shell .venv/bin/python -c "" 2>/dev/null || echo lost)
.PHONY: lost
.venv/installed: requirements.lock tools/learn2learn.txt tools/install.py tools/prerequisites.py $(LOST)
	@command -v "$(PYTHON)" >/dev/null || { echo "error: there is no $(PYTHON): install Python 3.11 to 3.14, or make PYTHON=..." >&2; exit 1; }
	@$(PYTHON) tools/prerequisites.py
	@$(PYTHON) tools/install.py
