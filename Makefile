# Every target sets up what it needs, from a fresh clone. Needs Python 3.13; Node from PATH (20 or newer) or from PyPI.
.DEFAULT_GOAL := help
SHELL := /bin/sh
BIN := .venv/bin
PY := $(BIN)/python

.PHONY: help test test-all check format infra azure-check bench chaos fuzz chromium demo run contract console lock docs clean

help:
	@echo "make demo    the whole story on your machine: tenant, queues, host, checks, sweep"
	@echo "make test    the tests that a change needs, in four minutes: all but those marked slow"
	@echo "make test-all  all tests: chaos, fuzz, the browser and the longest worlds as well"
	@echo "make check   format, lint, words, types"
	@echo "make infra   Bicep, checkov, host.json, azure.yaml: the infrastructure checks"
	@echo "make azure-check  deploys to a subscription of yours, looks, and takes it down; ENV=sod-check names azd's environment"
	@echo "make run     simulator, storage and host, kept running"
	@echo "make bench   measures, written to benchmarks/README.md"
	@echo "make chaos   kills, faults and doubled messages from 50 seeds; SEEDS=5 for fewer, SEED=17 for one"
	@echo "make fuzz    10,000 generated requests, 5,000 queue messages and 5,000 rules files; CASES=500, MESSAGES=500, FILES=200, SEED=17"
	@echo "make docs      writes docs/reference anew, from the code"
	@echo "make contract  writes the OpenAPI documents and infra/connector anew"
	@echo "make console  writes the library of the console's page anew, from Node's packages"
	@echo "make chromium  installs the browser of the report's tests, as root on Debian; without it they are skipped"
	@echo "make lock    compile requirements*.txt and package-lock.json anew"

# What a task does, and how it finds its programs on any system, is in tasks.py.
.venv: requirements-dev.txt
	@python=$$(sh scripts/find-python) && "$$python" tasks.py venv

node_modules: package-lock.json | .venv
	@$(PY) tasks.py setup

demo run test test-all check console: .venv node_modules
	@$(PY) tasks.py $@

format: .venv
	@$(BIN)/ruff format .
	@$(BIN)/ruff check --fix .

infra: .venv .venv-infra
	@$(PY) -m pytest tests/infra -rs

# checkov pins packages that the tests want newer, so it lives apart.
.venv-infra: requirements-infra.txt | .venv
	@$(BIN)/uv venv --quiet --clear --python $(PY) .venv-infra
	@$(BIN)/uv pip install --quiet --python .venv-infra/bin/python --require-hashes --requirements requirements-infra.txt || { rm -rf .venv-infra; exit 1; }
	@touch .venv-infra

azure-check: .venv
	@$(PY) scripts/azure_check.py $(or $(ENV),sod-check)

bench: .venv node_modules
	@$(PY) -m benchmarks

chaos: .venv node_modules
	@$(PY) -m tests.chaos $(if $(SEED),--seed $(SEED),--seeds $(or $(SEEDS),50))

fuzz: .venv node_modules
	@$(PY) -m tests.fuzz --cases $(or $(CASES),10000) --messages $(or $(MESSAGES),5000) --files $(or $(FILES),5000) $(if $(SEED),--seed $(SEED))

contract: .venv
	@$(BIN)/entra-sod openapi > docs/openapi.json
	@cp docs/openapi.json functions/http/openapi.json
	@$(BIN)/entra-sod connector --out infra/connector

docs: .venv
	@$(PY) -m local.reference

chromium:
	@sh scripts/get-chromium

lock: .venv
	@$(BIN)/uv pip compile --quiet --universal --python-version 3.13 --generate-hashes \
		--custom-compile-command "make lock" requirements.in --output-file requirements.txt
	@$(BIN)/uv pip compile --quiet --universal --python-version 3.13 --generate-hashes \
		--custom-compile-command "make lock" requirements-dev.in --output-file requirements-dev.txt
	@$(BIN)/uv pip compile --quiet --universal --python-version 3.13 --generate-hashes \
		--custom-compile-command "make lock" requirements-infra.in --output-file requirements-infra.txt
	@$(PY) tasks.py lock-node

clean:
	@rm -rf .venv .venv-infra node_modules dist .local .mypy_cache .ruff_cache .pytest_cache
