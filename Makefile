# make, or make help, lists the targets. Those that run something install first what is missing (script/setup).

GO ?= go

# The tests of a tier have a build tag of its name: packages that hold such tests.
tagged = $(shell grep -rlE '^//go:build $(1)$$' --include='*_test.go' . | xargs -n1 dirname 2>/dev/null | sort -u)
benched = $(shell grep -rlE '^func Benchmark' --include='*_test.go' . | xargs -n1 dirname 2>/dev/null | sort -u)

.DEFAULT_GOAL := help
.PHONY: help demo dev build test test-browser test-imap crash bench lint

help: ## this list
	@sed -n 's/^\([a-z-]*\):.*## \(.*\)/  make \1|\2/p' $(MAKEFILE_LIST) | awk -F'|' '{ printf "%-20s %s\n", $$1, $$2 }'

demo: build ## the whole product with sample data, on this machine alone (ARGS=--once: the main job once)
	@script/setup postgres
	bin/silkpost demo $(ARGS)

dev: build ## the demo with everything logged, on data of its own in bin/dev
	@script/setup postgres
	SILKPOST_LOG_LEVEL=debug SILKPOST_DATA_DIR=$(CURDIR)/bin/dev bin/silkpost demo $(ARGS)

build: ## bin/silkpost
	$(GO) build -o bin/silkpost ./cmd/silkpost

test: ## everything needed to trust the build; at most five minutes
	@script/setup postgres gcc
	$(GO) test -race -shuffle=on -timeout 10m ./...

test-browser: ## the pages in a real browser (SHORT=-short for the quick form)
	@script/setup postgres chromium axe
	$(call tier,browser)

test-imap: ## the mailbox for bounces, against a Dovecot of the tests' own
	@script/setup postgres dovecot
	$(call tier,imap)

crash: ## everything breaks while mail is sent, and is counted (SHORT=-short for the quick form)
	@script/setup postgres
	$(call tier,crash)

bench: ## how fast it is (SHORT='-benchtime 1x' only checks that the benchmarks run)
	@script/setup postgres smtp-source
	$(GO) test -run '^$$' -bench . -benchmem -timeout 30m $(SHORT) $(or $(benched),./internal/clock)

lint: ## golangci-lint; the first time it is built, which takes a minute or two
	$(GO) tool -modfile=tools.mod golangci-lint run
	$(GO) tool -modfile=tools.mod validate internal/web/api/testdata/openapi.json

# A tier without tests yet says so instead of failing.
define tier
$(if $(call tagged,$(1)),$(GO) test -count=1 -tags $(1) -timeout 30m $(SHORT) $(call tagged,$(1)),@echo "no $(1) tests yet")
endef
