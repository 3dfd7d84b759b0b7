# Thin: each target calls the package's `nanopelican` command in .venv, which `make setup` creates.

PYTHON ?= python3
BUILD  ?= build
CONFIG ?= configs/trigger-n16.yaml
JETS   ?=
EVENTS ?=
PART   ?=
STAGE  ?=
PRODUCTS ?=
CLOCK  ?=
RUNS   ?=
OPTIONS ?=
RUN    ?=
COMPARE ?=
FULL   ?=
NETWORKS ?=
TARGET ?=
SECONDS ?= 600
ONLY   ?=
JOBS   ?= 2

BIN    := .venv/bin
READY  := .venv/.ready
CSIM   := $(BIN)/nanopelican csim --build "$(BUILD)" $(if $(RTL),--rtl) $(if $(JETS),--jets "$(JETS)") $(if $(EVENTS),--events "$(EVENTS)")

.DEFAULT_GOAL := help
.PHONY: help setup csim csim-all synth bench bench-synth bench-ring bench-training report train export rivals test docs package prove fuzz mutants lint lock clean

help:  ## show this list
	@awk -F ':.*## ' '/^[a-z-]+:.*## / { printf "  make %-14s %s\n", $$1, $$2 }' $(MAKEFILE_LIST)
	@echo "  variables: CONFIG=$(CONFIG) JETS=file EVENTS=n BUILD=$(BUILD); all options: $(BIN)/nanopelican COMMAND --help"

setup: $(READY)  ## create .venv with everything pinned in requirements.lock

# The stamp is written last, so that an interrupted installation is repeated.
$(READY): requirements.lock pyproject.toml
	@command -v g++ >/dev/null || { echo "g++ is missing: install it with 'apt-get install g++' (Debian, Ubuntu)"; exit 2; }
	@command -v $(PYTHON) >/dev/null || { echo "$(PYTHON) is missing: install it with 'apt-get install python3 python3-venv', or name yours: make setup PYTHON=python3.12"; exit 2; }
	@$(PYTHON) -c 'import sys; sys.exit(not (3, 11) <= sys.version_info < (3, 14))' || { echo "$$($(PYTHON) --version) found, Python 3.11 to 3.13 is needed: name one, as in make setup PYTHON=python3.12"; exit 2; }
	@$(PYTHON) -c 'import ensurepip, venv' 2>/dev/null || { echo "Python's venv module is missing: install it with 'apt-get install python3-venv'"; exit 2; }
	$(PYTHON) -m venv .venv
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --requirement requirements.lock
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --no-deps --editable .
	@touch $@

csim: $(READY)  ## HLS project of CONFIG, and the proof that its C++ equals the QONNX file: make csim [RTL=1]
	$(CSIM) "$(CONFIG)"

csim-all: $(READY)  ## the same for every model of the zoo
	$(CSIM) configs/*.yaml

synth: $(READY)  ## latency and resources of CONFIG: make synth PART=xcvu13p [STAGE=csynth|cosim|vsynth|impl] [PRODUCTS=dsp|fabric] [CLOCK=ns] [II=cycles] [STREAMED=1]
	$(BIN)/nanopelican synth --build "$(BUILD)" $(if $(PART),--part "$(PART)") $(if $(STAGE),--stage "$(STAGE)") $(if $(PRODUCTS),--products "$(PRODUCTS)") $(if $(CLOCK),--clock "$(CLOCK)") $(if $(II),--interval "$(II)") $(if $(STREAMED),--streamed) $(if $(JETS),--jets "$(JETS)") $(if $(EVENTS),--events "$(EVENTS)") "$(CONFIG)"

report: $(READY)  ## a page on CONFIG, or what differs between two: make report [RUN=1] [COMPARE="trigger-n8 trigger-n16"]
	$(BIN)/nanopelican report --build "$(BUILD)" $(if $(RUN),--run) $(if $(JETS),--jets "$(JETS)") $(if $(EVENTS),--events "$(EVENTS)") $(if $(COMPARE),--compare $(COMPARE),"$(CONFIG)")

bench: $(READY)  ## speed of the C-simulation and the emulator on this machine, into benchmarks/csimulation.*
	$(BIN)/nanopelican bench --build "$(BUILD)" configs/trigger-n8.yaml "$(CONFIG)" --untrained configs/paper-n80-c2.yaml

bench-synth: $(READY)  ## latency and resources of all forms and sizes, into benchmarks/synthesis.*: make bench-synth [RUNS=folder]
	$(BIN)/nanopelican bench-synth --build "$(BUILD)" $(if $(RUNS),--runs "$(RUNS)") $(if $(EVENTS),--events "$(EVENTS)")

bench-ring: $(READY)  ## latency and resources against the initiation interval, into benchmarks/ring.*
	$(BIN)/nanopelican bench-ring --build "$(BUILD)"

bench-training: $(READY)  ## speed and memory of training on this machine, into benchmarks/training.*
	$(BIN)/nanopelican bench-training

train: $(READY)  ## train CONFIG: make train CONFIG=... TRAIN=train.h5 VALID=valid.h5 TEST=test.h5
	$(BIN)/nanopelican train "$(CONFIG)" --train "$(TRAIN)" --valid "$(VALID)" $(if $(TEST),--test "$(TEST)")

export: $(READY)  ## write the QONNX files of models/ again from the checkpoints there
	$(BIN)/python -c "import pathlib, nanopelican_hls as n; [n.export_qonnx(n.load_model(p), p.with_suffix('.onnx')) for p in pathlib.Path('models').glob('*.pt')]"

rivals: .venv-rivals/.ready  ## Deep Sets and JEDI-linear with HGQ2 in the same flow: make rivals JETS=folder [OPTIONS="--sizes 8"]
	.venv-rivals/bin/nanopelican rivals --build "$(BUILD)" $(if $(JETS),--jets "$(JETS)") $(OPTIONS)

# an environment of its own, so that .venv stays free of Keras and JAX
.venv-rivals/.ready: requirements.lock pyproject.toml
	$(PYTHON) -m venv .venv-rivals
	.venv-rivals/bin/python -m pip install --quiet --disable-pip-version-check --constraint requirements.lock --editable '.[rivals]'
	@touch $@

test: $(READY)  ## the test suite, two files at a time: make test [JOBS=2]
	$(BIN)/python -m pytest --numprocesses "$(JOBS)" --dist loadfile

test-long: $(READY)  ## more forms of what the suite tests: make test-long [JOBS=2]
	$(BIN)/python -m pytest --numprocesses "$(JOBS)" --dist loadfile -m long

docs: $(READY)  ## the documentation as a site with search, build/docs/index.html
	$(BIN)/sphinx-build -W --keep-going -q -b html docs "$(BUILD)/docs"

package: $(READY)  ## sdist and wheel in dist/, tried in an environment of their own; FULL=1: with all dependencies installed anew
	DIST=dist FULL=$(FULL) $(BIN)/python -m pytest tests/test_package.py

prove: $(READY)  ## HLS C++, emulator and Verilog equal to the operators for all inputs, by a solver, and 1,000,000 events, into benchmarks/proof.*; needs clang 15 or later
	$(BIN)/nanopelican prove --build "$(BUILD)" $(OPTIONS)
ifeq ($(OPTIONS),)
	$(BIN)/nanopelican prove --build "$(BUILD)" --events $(or $(EVENTS),1000000) --coverage trigger-n8 trigger-n16
endif

fuzz: $(READY)  ## damaged and hostile files for all readers, or drawn networks: make fuzz [TARGET=onnx SECONDS=600] [NETWORKS=500]
ifneq ($(NETWORKS),)
	NETWORKS=$(NETWORKS) $(BIN)/python -m pytest tests/proof/test_drawn_networks.py tests/rtl/test_drawn_networks.py
else
	PYTHONPATH=tests $(BIN)/python -m fuzz --build "$(BUILD)" --seconds $(SECONDS) $(OPTIONS) $(TARGET)
endif

mutants: $(READY)  ## deliberate faults that the tests must notice, into benchmarks/mutants.*: make mutants [ONLY=area] [JOBS=2]
	nice $(BIN)/python mutants/run.py --build "$(BUILD)" --jobs $(JOBS) $(if $(ONLY),--only "$(ONLY)")

lint: $(READY)  ## check style, types and the layers of imports
	$(BIN)/ruff check
	$(BIN)/ruff format --check
	$(BIN)/mypy
	$(BIN)/lint-imports --no-cache --no-logo

lock: $(READY)  ## rewrite requirements.lock from the ranges in pyproject.toml
	$(PYTHON) -m venv .venv-lock
	.venv-lock/bin/python -m pip install --quiet --editable '.[dev]'
	.venv-lock/bin/python -m pip freeze --exclude-editable | sed 's/+cpu//' > requirements.lock.new
	mv requirements.lock.new requirements.lock
	rm -rf .venv-lock

clean:  ## remove everything built, but not .venv
	rm -rf "$(BUILD)" dist
