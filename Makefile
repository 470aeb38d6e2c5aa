# Thin: every target sets up what it needs; the work is in CMake.
#   make demo    build, compile an example model, run it on the host and in an emulated RV32 core
#   make test    the whole test suite
#   make build   the program at build/mote
#   make bench   instructions, code and memory of real models on the emulated targets
#   make costs   measure every kernel on every emulated target anew, for the estimates of `mote fit`
#   make fuzz    coverage-guided fuzzing of the readers (FUZZ_SECONDS each, default 300)
#   make asan    the host's test suite under AddressSanitizer and UndefinedBehaviorSanitizer

JOBS ?= $(shell nproc)
FUZZ_SECONDS ?= 300

MODELS ?=

.PHONY: setup build test demo bench costs fuzz asan clean

setup:
	@tools/setup.sh

build: setup
	@cmake --preset host >/dev/null
	@cmake --build build -j $(JOBS)

test: build
	ctest --test-dir build --output-on-failure -j $(JOBS)

demo: build
	@examples/digits/demo.sh build

bench: build
	@build/mote_bench

costs: build
	@build/mote_costs $(if $(MODELS),--models $(MODELS))

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
