# Two commands on a fresh machine: `make serve` and `make test`. Everything else is CMake with presets.
BUILD := build/release
SERVE_FLAGS ?=

.PHONY: help serve build test gpu-check setup clean

help:
	@echo 'make serve   install what is missing, build, serve the built-in model on http://127.0.0.1:8080'
	@echo 'make test    install what is missing, build, run every test'
	@echo 'make build   build build/release/jikji only'
	@echo 'make gpu-check  on a machine with an NVIDIA GPU: check and measure it, and write docs/performance-gpu.md'
	@echo 'make clean   remove build/'

# The packages are looked at once for each version of the list.
build/.packages-%: tools/packages tools/setup
	tools/setup $*
	@mkdir -p build && touch $@

build: build/.packages-build
	cmake --preset release >/dev/null
	cmake --build $(BUILD) --target jikji

serve: build
	$(BUILD)/jikji serve $(SERVE_FLAGS)

test: build/.packages-build build/.packages-test
	cmake --preset release >/dev/null
	cmake --build $(BUILD)
	ctest --test-dir $(BUILD) --output-on-failure --no-tests=error

gpu-check: build
	tools/gpu_check --build $(BUILD)

setup: build/.packages-build build/.packages-test

clean:
	rm -rf build
