# One command sets everything up and runs the main job; another sets everything up and passes the tests.
PYTHON ?= python3
VENV := .venv
STAMP := $(VENV)/.locked


.PHONY: setup rules demo test check bench lock
setup: $(STAMP) rules

$(STAMP): requirements.lock pyproject.toml
	test -x $(VENV)/bin/python || $(PYTHON) -m venv $(VENV)
	$(VENV)/bin/python -m pip install --quiet --require-hashes -r requirements.lock
	$(VENV)/bin/python -m pip install --quiet --no-deps --no-build-isolation --editable .
	touch $@

rules: $(STAMP)
	@$(VENV)/bin/python -m hanse.compiled

demo: setup
	$(VENV)/bin/hanse demo

test: setup
	$(VENV)/bin/python -m pytest -n auto

check: setup
	$(VENV)/bin/ruff check .
	$(VENV)/bin/ruff format --check .
	$(VENV)/bin/mypy

bench: setup
	$(VENV)/bin/python -m pip install --quiet --require-hashes -r requirements-bench.lock
	$(VENV)/bin/python -m bench

lock:
	$(VENV)/bin/python -m pip install --quiet uv
	$(VENV)/bin/uv pip compile --quiet --universal --generate-hashes --extra test --extra build --no-emit-index-url --output-file requirements.lock pyproject.toml
	$(VENV)/bin/uv pip compile --quiet --universal --generate-hashes --extra bench --constraint requirements.lock --no-emit-index-url --output-file requirements-bench.lock pyproject.toml
