# Everything a developer or a user runs. `make help` lists it.
PYTHON ?= python3
VENV   := .venv
BIN    := $(VENV)/bin
RUN    := $(VENV)/.installed
DEV    := $(VENV)/.installed-dev
ROWS   ?= 10_000_000
ALONE  := browser or drill or model

.DEFAULT_GOAL := help

.PHONY: help
help: ## list the commands
	@awk -F ':.*## ' '/^[a-z-]+:.*## /{printf "  make %-10s %s\n", $$1, $$2}' $(MAKEFILE_LIST)

$(RUN): pyproject.toml constraints.txt
	@test -x $(BIN)/python || $(PYTHON) -m venv $(VENV)
	$(BIN)/python -m pip install --quiet --disable-pip-version-check -c constraints.txt -e '.[local]'
	@touch $(RUN)

$(DEV): $(RUN)
	$(BIN)/python -m pip install --quiet --disable-pip-version-check -c constraints.txt -e '.[local,dev]'
	@touch $(DEV)

.PHONY: install
install: $(DEV) ## make the virtual environment with everything for development

.PHONY: run
run: $(RUN) ## run the app on 127.0.0.1:8501
	$(BIN)/llm-manager run

.PHONY: demo
demo: $(RUN) ## run the app on made-up sample data, apart from your records
	LLM_MANAGER_SAMPLE=1 $(BIN)/llm-manager run

.PHONY: test
test: $(DEV) ## run all tests: unit, property, wire replay, pages, browser, real local model, short drills
	@failed=0; \
	$(BIN)/python -m pytest -n 2 --dist loadfile -m "not ($(ALONE))" || failed=1; \
	$(BIN)/python -m pytest -m "$(ALONE)" || failed=1; \
	exit $$failed

.PHONY: check
check: $(DEV) ## ruff, mypy and the unit tests; run before each commit
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/python -m pytest -q -n 2 --dist loadfile -m "not ($(ALONE))"

.PHONY: bench
bench: $(DEV) ## measure against the references of the design, ROWS=10_000_000 rows
	$(BIN)/python -m tests.benchmarks --rows $(ROWS)

.PHONY: drill
drill: $(DEV) ## the long drills: kill -9, many writers, full disk, idle writers
	$(BIN)/python -m tests.drills

.PHONY: catalog
catalog: $(DEV) ## build the catalogue's data files anew from published packages; read the difference before committing
	$(BIN)/python -m llm_core.catalog.building
