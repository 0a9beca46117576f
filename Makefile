# The front door: each line installs what it needs, then calls the presets of CMakePresets.json.
# `cmake --workflow --preset release` does the same as `make test` without it.

HOST ?= 127.0.0.1
PORT ?= 8080
PREFIX ?= /usr/local
DESTDIR ?=
# Which sanitizers, and (a regular expression over labels) which tests under them.
SANITIZERS ?= asan tsan
LABELS ?= .

help:
	@echo "make run        the demo on http://$(HOST):$(PORT)/ (HOST=, PORT=)"
	@echo "make test       build and run every test"
	@echo "make lint       format, arrows, clang-tidy"
	@echo "make format     let clang-format rewrite the sources"
	@echo "make sanitize   the tests under SANITIZERS=\"$(SANITIZERS)\", LABELS=\"unit|sim|...\""
	@echo "make fuzz       the fuzzers, with libFuzzer"
	@echo "make bench      measure against peers"
	@echo "make install    into PREFIX=$(PREFIX), below DESTDIR="
	@echo "make clean      remove build/"

run:
	@tools/bootstrap run
	@tools/build release programs
	@exec demo/run --host $(HOST) --port $(PORT)

test:
	@tools/bootstrap test
	@tools/build release all
	@tools/build --test release

sanitize:
	@tools/bootstrap test
	@for preset in $(SANITIZERS); do \
	    tools/build $$preset all && tools/build --test $$preset -L '$(LABELS)' || exit 1; done

fuzz:
	@tools/bootstrap fuzz
	@tools/build fuzz fuzzers
	@tools/build --test fuzz

lint:
	@tools/bootstrap lint
	@tools/build release
	@tools/lint

format:
	@tools/bootstrap lint
	@tools/lint --fix-format

bench:
	@tools/bootstrap bench
	@tools/build release bench-programs
	@exec bench/run --write-docs

install:
	@tools/bootstrap run
	@tools/build release programs
	@DESTDIR='$(DESTDIR)' cmake --install build/release --prefix '$(PREFIX)'

clean:
	rm -rf build

.PHONY: help run test sanitize fuzz lint format bench install clean
