# Two commands matter: `make run` and `make test`. Each sets up everything it needs from Python 3.11+ alone.
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
AIRFLOW := .airflow

.PHONY: run test test-airflow check format bench bench-events bench-faults bench-mirror bench-start lock clean

run: $(VENV)/.run ## start X-Ops with the embedded default: no account, no model, no server
	@$(BIN)/xops run $(ARGS)

test: $(VENV)/.dev ## everything but a real Airflow; about nine minutes on two cores, set-up included
	@$(BIN)/python -m pytest --numprocesses auto --dist worksteal $(ARGS)

test-airflow: $(VENV)/.dev $(AIRFLOW)/.installed ## the same core against a real Airflow 3, installed in an environment of its own
	@$(BIN)/python -m pytest tests/airflow -m airflow $(ARGS)

# The lock is what `uv pip compile`, with the options of `lock` below, makes of the two lines `apache-airflow==3.3.2` and
# `apache-airflow-providers-openlineage==2.20.3`.
$(AIRFLOW)/.installed: tests/airflow/requirements.txt | $(VENV)/bin/python
	@echo "Setting up Airflow (first time only, some minutes) ..."
	@$(BIN)/python -m venv --clear $(AIRFLOW)
	@$(AIRFLOW)/bin/python -m pip install --quiet --disable-pip-version-check --require-hashes -r tests/airflow/requirements.txt
	@touch $@

check: $(VENV)/.dev ## style, types and import rules
	@$(BIN)/ruff format --check . && $(BIN)/ruff check .
	@$(BIN)/basedpyright
	@$(BIN)/python -m pytest -q tests/test_shape.py

format: $(VENV)/.dev
	@$(BIN)/ruff check --fix . ; $(BIN)/ruff format .

bench: $(VENV)/.dev ## speed, side by side with peers in one run
	@$(BIN)/python -m tests.bench $(ARGS)

bench-events: $(VENV)/.dev ## events of other systems, on both databases: how many, and how soon what they tell is seen
	@$(BIN)/python -m tests.bench.ingest $(ARGS) && echo && $(BIN)/python -m tests.bench.following $(ARGS)

# What breaks and what it costs; a million instances in the mirror; a start with all long connections.
bench-faults bench-mirror bench-start: bench-%: $(VENV)/.dev
	@$(BIN)/python -m tests.bench.$* $(ARGS)

$(VENV)/bin/python:
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11) and "X-Ops needs Python 3.11 or newer: set PYTHON=/path/to/python3.11")'
	@$(PYTHON) -m venv $(VENV)

# PIP_NO_COMPILE would make the first start slow, so packages are compiled while they are installed. What is installed in
# place is not, and never would be where PYTHONDONTWRITEBYTECODE is set: 0.4 s of each start.
$(VENV)/.run: deploy/requirements.txt pyproject.toml | $(VENV)/bin/python
	@echo "Setting up (first time only, about half a minute) ..."
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check --require-hashes -r deploy/requirements.txt
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check --no-deps --no-build-isolation -e .
	@$(BIN)/python -m compileall -q bots core
	@touch $@

$(VENV)/.dev: deploy/requirements-dev.txt $(VENV)/.run
	@echo "Setting up the tools for tests ..."
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check --require-hashes -r deploy/requirements-dev.txt
	@touch $@

UV_COMPILE := uv pip compile --universal --python-version 3.11 --generate-hashes --no-emit-index-url --no-emit-find-links --no-annotate --no-header --quiet pyproject.toml --group build
lock: ## after editing dependencies in pyproject.toml; needs uv. The product's lock follows the tests', so both run the same versions
	$(UV_COMPILE) --group dev -o deploy/requirements-dev.txt
	$(UV_COMPILE) -c deploy/requirements-dev.txt -o deploy/requirements.txt

clean:
	rm -rf $(VENV) $(AIRFLOW) build *.egg-info
