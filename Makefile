# Thin: every target sets up what it needs; the work is in CMake.
#   make demo    build, compile an example model, run it on the host and in an emulated RV32 core
#   make test    the whole test suite
#   make build   the program at build/mote
#   make test-python  the tests of the Python package alone (its packages go to build/python)
#   make test-litert  operators against LiteRT's reference kernels and TensorFlow Lite Micro (its packages go to build/litert)
#   make test-browser  pages of `mote report` in headless Chromium, which it installs
#   make test-onnx    the ONNX node tests, and whole networks against ONNX Runtime (its packages go to build/onnx)
#   make test-training   training with quantisation (its packages, with torch, go to build/torch)
#   make test-torch   networks from PyTorch's exporters against ONNX Runtime (in the same packages)
#   make test-models   every model in ../shared/models on rv32imac and cortex-m4f (or TARGETS=..., CASES=...)
#   make bench   instructions, code and memory of well-known models on emulated targets, beside other systems';
#                fails where a figure has grown by more than 2 % beyond docs/benchmarks.json
#   make bench-host   the simulator's kernels beside the plain ones on this machine, as ratios (Google Benchmark)
#   make zoo     the figures of every model in ../shared/models, and their tables in docs/zoo.md
#   make costs   measure every kernel on every emulated target, for the estimates of `mote fit`; goes on where it stopped
#   make fuzz    coverage-guided fuzzing of the readers, the agent and the host's end of its link (FUZZ_SECONDS each, default
#                300); seeds from the ONNX node tests, too
#   make asan    the host's test suite under AddressSanitizer and UndefinedBehaviorSanitizer

JOBS ?= $(shell nproc)
FUZZ_SECONDS ?= 300

LITERT := build/litert/bin/python
ONNX := build/onnx/bin/python
PYTHON := build/python/bin/python
TORCH := build/torch/bin/python
MODELS ?= $(wildcard ../shared/models)
CASES ?= 1
TARGETS ?= rv32imac cortex-m4f

.PHONY: setup build test test-models test-litert demo bench bench-host zoo fuzz asan clean costs test-browser test-onnx test-torch \
  test-python test-training configure-python

setup:
	@tools/setup.sh
	@tools/monocypher.sh build/monocypher

build: setup
	@cmake --preset host -DMOTE_PIC=ON >/dev/null
	@cmake --build build -j $(JOBS)

build/python/ready: python/requirements.txt
	@python3 -m venv build/python
	@$(PYTHON) -m pip install --quiet -r python/requirements.txt
	@touch $@

# With the Python module in the same build tree.
configure-python: setup build/python/ready
	@cmake --preset host -DMOTE_PIC=ON -DMOTE_PYTHON=ON -DPython_EXECUTABLE=$(CURDIR)/$(PYTHON) >/dev/null

test: configure-python
	@cmake --build build -j $(JOBS)
	ctest --test-dir build --output-on-failure -j $(JOBS)

test-python: configure-python
	@cmake --build build -j $(JOBS) --target mote mote_python mote_python_stub
	ctest --test-dir build -R '^python$$' --output-on-failure

build/onnx/ready: tools/onnx/requirements.txt
	@python3 -m venv build/onnx
	@$(ONNX) -m pip install --quiet -r tools/onnx/requirements.txt
	@touch $@

test-onnx: build build/onnx/ready
	@$(ONNX) tools/onnx/node_suite.py build/mote
	@$(ONNX) tools/onnx/models.py build/mote

build/torch/ready: tools/onnx/torch_requirements.txt
	@python3 -m venv build/torch
	@$(TORCH) -m pip install --quiet -r tools/onnx/torch_requirements.txt
	@touch $@

test-torch: build build/torch/ready
	@$(TORCH) tools/onnx/torch_models.py build/mote

test-training: configure-python build/torch/ready
	@cmake --build build -j $(JOBS) --target mote mote_python
	@PYTHONPATH=$(CURDIR)/build/package $(TORCH) -m pytest -q -rs -p no:cacheprovider tests/training

build/litert/ready:
	@python3 -m venv build/litert
	@$(LITERT) -m pip install --quiet ai-edge-litert tflite-micro flatbuffers numpy
	@touch $@

test-litert: build build/litert/ready
	@status=0; for test in $(filter-out %/harness.py,$(wildcard tests/litert/*.py)); do \
	  $(LITERT) $$test || status=1; done; exit $$status

test-browser: build
	@tools/setup.sh chromium chromium-driver python3-selenium
	@/usr/bin/python3 tests/browser_test.py build/mote

test-models: build
	@tools/verify_models.sh ../shared $(CASES) $(TARGETS)

demo: build
	@examples/digits/demo.sh build

bench: build
	@tools/bench.sh

bench-host: setup
	@tools/setup.sh libbenchmark-dev
	@cmake --preset host -DMOTE_PIC=ON >/dev/null
	@cmake --build build -j $(JOBS) --target host_benchmark
	@build/host_benchmark

zoo: build
	@tools/zoo_page.sh

costs: build
	@build/mote_costs $(if $(MODELS),--models $(MODELS))

fuzz: setup build/onnx/ready
	@cmake --preset fuzz >/dev/null
	@cmake --build build-fuzz -j $(JOBS) --target fuzzers
	@$(ONNX) tools/onnx/node_suite.py --save build-fuzz/models
	@fuzz/run.sh build-fuzz $(FUZZ_SECONDS)

asan: setup
	@cmake --preset asan >/dev/null
	@cmake --build build-asan -j $(JOBS)
	ctest --test-dir build-asan --output-on-failure -j $(JOBS) -LE emulator

clean:
	rm -rf build build-asan build-fuzz
