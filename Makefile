# The menu: demo test check truth format docs bench faults
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
BENCH := .venv-bench
ROOMS := $(addprefix striate.,core graph zoo plan runs data build train look report compare)

.PHONY: demo test check truth format docs bench faults clean

$(VENV)/bin/python:
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' \
		|| { echo "Striate needs Python 3.11 or newer; run make PYTHON=python3.12, say"; exit 1; }
	$(PYTHON) -m venv $(VENV)

$(VENV)/.demo: pyproject.toml | $(VENV)/bin/python
	$(BIN)/python -m pip install --quiet --editable '.[demo]'
	@touch $@

$(VENV)/.dev: pyproject.toml | $(VENV)/bin/python
	$(BIN)/python -m pip install --quiet --editable '.[dev]'
	@touch $@ $(VENV)/.demo

$(BENCH)/.done: pyproject.toml
	$(PYTHON) -m venv $(BENCH)
	$(BENCH)/bin/python -m pip install --quiet --editable '.[bench]'
	@touch $@

demo: $(VENV)/.demo  ## train and test the lecture network on 5,000 real digits
	$(BIN)/striate plan lecture
	$(BIN)/striate train --data mnist-5k --network lecture

test: $(VENV)/.dev  ## every test
	$(BIN)/python -m pytest

check: $(VENV)/.dev  ## format, lint, types, import contracts
	$(BIN)/ruff format --check .
	$(BIN)/ruff check .
	$(BIN)/lint-imports
	$(BIN)/pyright

truth: $(VENV)/.dev  ## compare with the outside and write the tables in docs/ (an hour or more)
	$(BIN)/python -m pytest tests/truth
	$(BIN)/python benchmarks/zoo.py
	$(BIN)/python benchmarks/onnx_nodes.py
	$(BIN)/python benchmarks/memory.py
	$(BIN)/python benchmarks/imports.py

format: $(VENV)/.dev  ## rewrite the code in the house's format
	$(BIN)/ruff format .
	$(BIN)/ruff check --fix .

docs: $(VENV)/.dev  ## the reference of the public names, into site/
	$(BIN)/pdoc --output-directory site $(ROOMS)

bench: $(VENV)/.dev $(BENCH)/.done  ## measure what the README claims (hours; the machine should do nothing else)
	$(BIN)/python benchmarks/accuracy.py
	$(BIN)/python benchmarks/startup.py
	$(BIN)/python benchmarks/decoding.py
	$(BIN)/python benchmarks/peak.py
	$(BENCH)/bin/python benchmarks/mnist.py
	$(BENCH)/bin/python benchmarks/cifar.py
	$(BENCH)/bin/python benchmarks/peers_default.py
	$(BENCH)/bin/python benchmarks/transfer.py

faults: $(VENV)/.dev  ## kill trainings 200 times and compare what comes of them, bit for bit
	$(BIN)/python benchmarks/faults.py

clean:
	rm -rf $(VENV) $(BENCH) build dist .pytest_cache .ruff_cache .hypothesis
