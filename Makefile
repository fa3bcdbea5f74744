# One build folder (.build) and one configuration (release) for all: what `demo` built, `test` and `bench` take over.
# `--disable-testable-imports` keeps it so: without it `swift test` adds a flag and compiles everything again. No test
# uses `@testable`, and tests of hostile input (lines of 1 GiB) are too slow in debug.

SHELL := /bin/bash
.SHELLFLAGS := -eu -o pipefail -c
MAKEFLAGS += --no-print-directory
.DEFAULT_GOAL := help
.NOTPARALLEL:
.PHONY: help setup build demo test soak lint format warnings check bench bench-count bench-daemon plot install deb clean

BUILD := swift build -c release
TEST := swift test -c release --disable-xctest --disable-testable-imports
HANDSHAKED := .build/release/handshaked
SWIFT_SOURCES := Sources Tests Package.swift
# Options of the benchmark: make bench BENCH_ARGS='--help'
BENCH_ARGS ?=
BENCH_PARTS ?=
SOAK_KILLS ?= 500
SOAK_SCRIPTS ?= 5000
# make install DESTDIR=/tmp/root
DESTDIR ?=
VERSION := $(shell sed -n 's/^ *version: "\(.*\)",$$/\1/p' Sources/handshaked/Handshaked.swift)

help: ## what can be made
	@echo 'make demo    builds handshaked and replays sample-logs/ into a report'
	@echo 'make test    builds and runs all tests'
	@echo
	@sed -n 's/^\([a-z-]*\):.*## \(.*\)/\1\t\2/p' Makefile | expand -t 14

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

soak: setup ## many more kills and tail scripts than `test` (SOAK_KILLS, SOAK_SCRIPTS), and the package under systemd
	@.ci/setup test
	@$(MAKE) deb
	@HANDSHAKED_KILLS=$(SOAK_KILLS) HANDSHAKED_TAIL_SCRIPTS=$(SOAK_SCRIPTS) \
	  HANDSHAKED_DEB="$$(ls -t $(CURDIR)/.build-static/handshaked_*.deb | head -n 1)" \
	  $(TEST) --filter 'killedAtAnyMoment|anyScriptOfActions|thePackageUnderSystemd'

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

bench: ## measure speed (make bench BENCH_ARGS='…', --peers for other log tools)
	@.ci/setup $(if $(findstring --peers,$(BENCH_ARGS)),peers,bench)
	@$(BUILD) --product handshaked
	@$(BUILD) --product handshaked-bench
	@.build/release/handshaked-bench $(BENCH_ARGS)

# The same on a busy machine and an idle one. Faster code lowers the limits: BENCH_ARGS=--write-limits
bench-count: ## count instructions a record (callgrind), hold them against Tests/Thresholds/
	@.ci/setup bench
	@$(BUILD) --product handshaked-bench
	@.build/release/handshaked-bench --count Tests/Thresholds/instructions.tsv $(BENCH_ARGS)

plot: ## measure corpora and other log tools, draw them into the picture of the README
	@.ci/setup peers
	@$(BUILD) --product handshaked-bench
	@.build/release/handshaked-bench --parts corpora --peers --plot Sources/handshaked-bench/Plots/speed.svg $(BENCH_ARGS)

# Latency, processor time, throughput and start of the running service, beside a journald of its own.
bench-daemon: ## measure the running service (BENCH_PARTS='latency idle lines throughput start')
	@.ci/setup test
	@$(BUILD) --product handshaked
	@$(BUILD) --product daemon-bench
	@Tests/TestSupport/with-journald .build/release/daemon-bench $(abspath $(HANDSHAKED)) $(BENCH_PARTS)

# The Swift runtime is linked in: the machines that run it need no Swift. Its own build folder, since all objects differ.
install: setup ## install below DESTDIR: executable, units, catalog, configuration, man pages, completions
	@$(BUILD) --static-swift-stdlib --scratch-path .build-static --product handshaked
	@install -D -m 755 -s .build-static/release/handshaked '$(DESTDIR)/usr/bin/handshaked'
	@install -D -m 644 -t '$(DESTDIR)/lib/systemd/system' systemd/handshaked.service systemd/handshaked.socket systemd/handshaked-syslog.socket
	@install -D -m 644 systemd/handshaked.catalog '$(DESTDIR)/usr/lib/systemd/catalog/handshaked.catalog'
	@install -D -m 644 systemd/handshaked.sysusers.conf '$(DESTDIR)/usr/lib/sysusers.d/handshaked.conf'
	@[ -e '$(DESTDIR)/etc/handshaked/handshaked.yaml' ] || \
	  install -D -m 644 systemd/handshaked.yaml '$(DESTDIR)/etc/handshaked/handshaked.yaml'
	@install -D -m 644 systemd/handshaked-failed@.service \
	  '$(DESTDIR)/usr/share/doc/handshaked/examples/handshaked-failed@.service'
	@for page in handshaked.8 handshaked.yaml.5; do \
	  folder='$(DESTDIR)/usr/share/man/man'"$${page##*.}"; install -d "$$folder"; \
	  gzip -9 -n -c "systemd/man/$$page" >"$$folder/$$page.gz"; chmod 644 "$$folder/$$page.gz"; done
	@install -d '$(DESTDIR)/usr/share/bash-completion/completions'
	@.build-static/release/handshaked --generate-completion-script bash | sed '1{/^#!/d}' \
	  >'$(DESTDIR)/usr/share/bash-completion/completions/handshaked'
	@install -d '$(DESTDIR)/usr/share/zsh/vendor-completions' '$(DESTDIR)/usr/share/fish/vendor_completions.d'
	@.build-static/release/handshaked --generate-completion-script zsh \
	  >'$(DESTDIR)/usr/share/zsh/vendor-completions/_handshaked'
	@.build-static/release/handshaked --generate-completion-script fish \
	  >'$(DESTDIR)/usr/share/fish/vendor_completions.d/handshaked.fish'

deb: setup ## build handshaked_VERSION_ARCH.deb in .build-static
	@rm -rf .build-static/deb
	@$(MAKE) install DESTDIR=.build-static/deb
	@install -d .build-static/deb/DEBIAN
	@sed 's/@VERSION@/$(VERSION)/; s/@ARCHITECTURE@/'"$$(dpkg --print-architecture)"'/' systemd/deb/control \
	  >.build-static/deb/DEBIAN/control
	@install -m 755 -t .build-static/deb/DEBIAN systemd/deb/postinst systemd/deb/prerm systemd/deb/postrm
	@install -m 644 -t .build-static/deb/DEBIAN systemd/deb/conffiles
	@install -D -m 644 systemd/deb/copyright .build-static/deb/usr/share/doc/handshaked/copyright
	@install -D -m 644 systemd/deb/lintian-overrides .build-static/deb/usr/share/lintian/overrides/handshaked
	@install -m 644 LICENSE .build-static/deb/usr/share/doc/handshaked/LICENSE
	@gzip -9 -n -c CHANGELOG.md >.build-static/deb/usr/share/doc/handshaked/CHANGELOG.md.gz
	@date=$${SOURCE_DATE_EPOCH:-$$(git log -1 --format=%ct -- CHANGELOG.md 2>/dev/null || true)}; \
	  sed "s/@VERSION@/$(VERSION)/; s/@DATE@/$$(LC_ALL=C date -u -R -d "@$${date:-$$(stat -c %Y CHANGELOG.md)}")/" \
	  systemd/deb/changelog | gzip -9 -n >.build-static/deb/usr/share/doc/handshaked/changelog.gz
	@chmod 644 .build-static/deb/usr/share/doc/handshaked/{CHANGELOG.md,changelog}.gz
	@dpkg-deb --root-owner-group --build .build-static/deb \
	  .build-static/handshaked_$(VERSION)_$$(dpkg --print-architecture).deb

clean: ## remove what was built
	@rm -rf .build
