# Thin: every target sets up what it needs; the work is in CMake.
#   make demo    build, compile an example model, run it on the host and in an emulated RV32 core
#   make test    the whole test suite
#   make build   the program at build/mote
#   make test-litert  operators against LiteRT's reference kernels (its packages go to build/litert)
#   make bench   instructions, code and memory of real models on the emulated targets
#   make zoo     the figures of every model in ../shared/models, and their tables in docs/zoo.md
#   make fuzz    coverage-guided fuzzing of the readers (FUZZ_SECONDS each, default 300)
#   make asan    the host's test suite under AddressSanitizer and UndefinedBehaviorSanitizer

JOBS ?= $(shell nproc)
FUZZ_SECONDS ?= 300

LITERT := build/litert/bin/python

.PHONY: setup build test test-litert demo bench zoo fuzz asan clean

setup:
	@tools/setup.sh

build: setup
	@cmake --preset host >/dev/null
	@cmake --build build -j $(JOBS)

test: build
	ctest --test-dir build --output-on-failure -j $(JOBS)

build/litert/ready:
	@python3 -m venv build/litert
	@$(LITERT) -m pip install --quiet ai-edge-litert flatbuffers numpy
	@touch $@

test-litert: build build/litert/ready
	@status=0; for test in $(filter-out %/harness.py,$(wildcard tests/litert/*.py)); do \
	  $(LITERT) $$test || status=1; done; exit $$status

demo: build
	@examples/digits/demo.sh build

bench: build
	@build/mote_bench

zoo: build
	@tools/zoo_page.sh

fuzz: setup
	@cmake --preset fuzz >/dev/null
	@cmake --build build-fuzz -j $(JOBS)
	@fuzz/run.sh build-fuzz $(FUZZ_SECONDS)

asan: setup
	@cmake --preset asan >/dev/null
	@cmake --build build-asan -j $(JOBS)
	ctest --test-dir build-asan --output-on-failure -j $(JOBS) -LE emulator

clean:
	rm -rf build build-asan build-fuzz
