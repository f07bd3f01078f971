# Both commands of the README need Python 3.11 or newer, git and make; everything else is installed into .venv.

find_python = $(firstword $(foreach name,$(1),$(shell command -v $(name) >/dev/null 2>&1 && \
	$(name) -c 'import sys; sys.exit(not $(2))' 2>/dev/null && echo $(name))))
PYTHON ?= $(call find_python,python3 python3.13 python3.12 python3.11,sys.version_info[:2] >= (3$(comma)11))
PYTHON_OF_AIRFLOW2 ?= $(call find_python,python3 python3.12 python3.11,(3$(comma)11) <= sys.version_info[:2] < (3$(comma)13))
comma := ,

# Else each of the many processes that Airflow consists of would compile it anew.
unexport PYTHONDONTWRITEBYTECODE

.PHONY: demo cluster-demo test unit lint bench test-airflow2 test-storages test-matrix test-browser screenshots docs clean

demo: .venv/ready
	@.venv/bin/python -m tests.demo --folder .demo --dags dags_examples

# Celery, two workers, PostgreSQL and Redis, all of them its own: for some minutes, in .cluster and a temporary folder.
cluster-demo: .venv-cluster/ready
	@.venv-cluster/bin/python -m tests.cluster --folder .cluster

test: lint unit

unit: .venv/ready
	@echo "Running the tests, a real Airflow among them."
	@.venv/bin/python -m pytest --numprocesses 3 --dist loadfile --no-loadscope-reorder

lint: .venv/ready
	@echo "Checking style and types."
	@.venv/bin/ruff check .
	@.venv/bin/ruff format --check .
	@.venv/bin/mypy

bench: .venv/ready
	@.venv/bin/python -m tests.bench

test-airflow2: .venv-airflow2/ready
	@echo "Running the tests of all that meets Airflow on Airflow 2.11."
	@.venv-airflow2/bin/python -m pytest --numprocesses 3 --dist loadfile -m "not system" \
		tests/hooks tests/operators tests/sensors tests/triggers tests/test_*.py

# The contract of storages, against Azure's and Google's too; Azure's server needs Node.js and npm, without them it is skipped.
test-storages: .venv-storages/ready
	@echo "Writing to the storages."
	@.venv-storages/bin/python -m pytest tests/storages

# The wheel beside each Airflow, with what there was when that was released; CELLS="2.11 newest" for only some of them.
test-matrix: .venv/ready
	@.venv/bin/python -m tests.matrix --folder .matrix $(CELLS)

# Needs Chromium (apt-get install chromium); without one it says so and tests nothing.
test-browser: .venv-docs/ready
	@echo "Using Airflow's pages in a browser."
	@.venv-docs/bin/python -m pytest tests/system/browser

# The same, and the pictures of docs/ are taken anew.
screenshots: .venv-docs/ready
	@SCREENSHOTS=docs/images .venv-docs/bin/python -m pytest tests/system/browser

# The site of README.md and docs/, into build/site; each warning is an error.
docs: .venv-docs/ready
	@AIRFLOW_HOME=$(CURDIR)/build/airflow AIRFLOW__LOGGING__LOGGING_LEVEL=ERROR \
		.venv-docs/bin/python -m sphinx --builder html --fresh-env --write-all --fail-on-warning --keep-going --quiet -c docs . build/site
	@echo "Open build/site/index.html."

clean:
	rm -rf .venv .venv-airflow2 .venv-cluster .venv-docs .venv-storages .demo .cluster .matrix build dist

.venv/ready: pyproject.toml
	$(call install,.venv,$(PYTHON),apache-airflow>=3.3$(comma)<4)

.venv-airflow2/ready: pyproject.toml
	$(call install,.venv-airflow2,$(PYTHON_OF_AIRFLOW2),apache-airflow>=2.11$(comma)<3)

.venv-cluster/ready: pyproject.toml tests/cluster/requirements.txt
	$(call install,.venv-cluster,$(PYTHON),apache-airflow>=3.3$(comma)<4,--requirement tests/cluster/requirements.txt)

.venv-docs/ready: pyproject.toml docs/requirements.txt
	$(call install,.venv-docs,$(PYTHON),apache-airflow>=3.3$(comma)<4,--requirement docs/requirements.txt)

.venv-storages/ready: pyproject.toml tests/storages/requirements.txt
	$(call install,.venv-storages,$(PYTHON),apache-airflow>=3.3$(comma)<4,--requirement tests/storages/requirements.txt)
	@npm install --silent --no-audit --no-fund --prefix .venv-storages/azurite azurite@3 || echo "Without npm, Azure is skipped."

define install
	@test -n "$(2)" || { echo "No suitable Python found. Install Python 3.11 or 3.12, or say PYTHON=/path/to/python."; exit 1; }
	@echo "Installing Airflow and this package into $(1) (once; a minute or so)."
	@rm -rf $(1) && $(2) -m venv $(1) && $(1)/bin/python -m pip install --quiet --disable-pip-version-check uv 2>/dev/null
	@$(1)/bin/uv pip install --quiet --python $(1)/bin/python "$(3)" --editable ".[dev]" $(4)
	@touch $@
endef
