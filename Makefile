# One build folder (.build) and one configuration (release) for all: what `demo` built, `test` and `bench` take over.
# `--disable-testable-imports` keeps it so: without it `swift test` adds a flag and compiles everything again. No test
# uses `@testable`, and tests of hostile input (lines of 1 GiB) are too slow in debug.

SHELL := /bin/bash
.SHELLFLAGS := -eu -o pipefail -c
MAKEFLAGS += --no-print-directory
.DEFAULT_GOAL := help
.NOTPARALLEL:
.PHONY: help setup build demo test lint format warnings check bench clean

BUILD := swift build -c release
TEST := swift test -c release --disable-xctest --disable-testable-imports
HANDSHAKED := .build/release/handshaked
SWIFT_SOURCES := Sources Tests Package.swift
# Options of the benchmark: make bench BENCH_ARGS='--help'
BENCH_ARGS ?=

help: ## what can be made
	@echo 'make demo    builds handshaked and replays sample-logs/ into a report'
	@echo 'make test    builds and runs all tests'
	@echo
	@sed -n 's/^\([a-z]*\):.*## \(.*\)/\1\t\2/p' Makefile | expand -t 10

setup: ## install the packages that are missing (apt-get), check for Swift
	@.ci/setup

build: setup ## build the executable
	@$(BUILD) --product handshaked
	@echo 'The executable is $(HANDSHAKED); the definitions are inside it.'

demo: setup ## build, then replay every scenario of sample-logs/
	@$(BUILD) --product handshaked
	@for folder in sample-logs/*/; do \
	  name=$$(basename "$$folder"); \
	  printf '\n══ sample-logs/%s ══\n\n' "$$name"; \
	  $(HANDSHAKED) replay "sample-logs/$$name" --no-progress; \
	done
	@printf '\nYour own logs: %s replay FOLDER\n' '$(HANDSHAKED)'

test: ## build and run all tests
	@.ci/setup test
	@.ci/summary $(TEST)

lint: ## check the style of the Swift sources
	@swift format lint --strict --recursive --parallel $(SWIFT_SOURCES)

format: ## bring the Swift sources into style
	@swift format --in-place --recursive --parallel $(SWIFT_SOURCES)

# The compiler warns only about what it compiles, so everything of ours is compiled anew; dependencies stay as they are.
warnings: setup ## build all anew; a warning in our own sources is an error
	@find Sources Tests -name '*.swift' -exec touch {} +
	@find Sources -name '*.c' -exec touch {} +
	@$(BUILD) --build-tests 2>&1 | tee .build/build.log
	@if grep -E '(^|/)(Sources|Tests)/.*: warning: ' .build/build.log | grep -v -F '/.build/' | sort -u | grep .; then \
	  echo 'check: the warnings above are to be mended'; exit 1; \
	fi

check: setup lint warnings test ## lint, build without warnings, tests, definitions
	@$(BUILD) --product handshaked
	@$(HANDSHAKED) check

bench: ## measure speed (make bench BENCH_ARGS='…')
	@.ci/setup bench
	@$(BUILD) --product handshaked
	@$(BUILD) --product handshaked-bench
	@.build/release/handshaked-bench $(BENCH_ARGS)

clean: ## remove what was built
	@rm -rf .build
