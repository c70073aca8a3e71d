# Perennial. `make help` lists what there is. Tools and packages are fetched into .cache on first use.
SHELL := bash
.SHELLFLAGS := -eu -o pipefail -c
.DEFAULT_GOAL := help
CACHE := $(CURDIR)/.cache
VENV := $(CACHE)/venv
export PERENNIAL_PYTHON := $(VENV)/bin/python
TOOLS := @scripts/build/tools.sh
GO_SOURCES := $(shell find pkg scripts statemachines training frontend -name node_modules -prune -o -name '*.go' -print 2>/dev/null) go.mod go.sum
WEB_SOURCES := $(shell find frontend -type f -not -path '*/node_modules/*' -not -path '*/dist/*' 2>/dev/null)

.PHONY: help build lambdas demo up test check lint lint-go gen bench synth clean deps python tiny web

help: ## list the targets
	@grep -hE '^[a-z]+:.*## ' $(MAKEFILE_LIST) | awk -F':.*## ' '{printf "  make %-9s %s\n", $$1, $$2}'

build: ## bin/perennial with the web app inside, and the Lambda archives in dist/
	$(TOOLS) go node
	@$(MAKE) --no-print-directory bin/perennial lambdas

bin/perennial: $(GO_SOURCES) statemachines/*.json frontend/dist/index.html
	@echo "building bin/perennial"
	@go build -tags embed -o $@ ./scripts/perennial

lambdas: ## dist/*.zip, one for each folder of functions/
	@scripts/build/lambdas.sh

web: frontend/dist/index.html ## the web app in frontend/dist

frontend/node_modules/.package-lock.json: frontend/package-lock.json
	@echo "installing the web app's packages"
	@cd frontend && npm ci --no-audit --no-fund --loglevel=error && touch node_modules/.package-lock.json

frontend/dist/index.html: frontend/node_modules/.package-lock.json $(WEB_SOURCES)
	@echo "building the web app"
	@cd frontend && npm run --silent build
	@touch $@

python: ## the Python environment for training, in .cache/venv
	@training/setup.sh $(VENV)

tiny: python # our own base model, which the tests and the tiny demo use
	@cd training && $(VENV)/bin/python -m continual models tiny --out $(CACHE)/models/tiny

deps: tiny frontend/node_modules/.package-lock.json ## everything that the tests need besides Go's modules
	@scripts/build/dynamodb-local.sh
	@scripts/build/moto.sh
	@scripts/build/browser.sh

demo: ## the whole loop on this machine, told step by step (DEMO_MODEL=tiny, DEMO_YES=1, DEMO_COMPARE=1)
	$(TOOLS) go node python
	@$(MAKE) --no-print-directory -j2 python bin/perennial
	@bin/perennial demo

up: ## the platform on http://localhost:7070, data in .cache/data
	$(TOOLS) go node python
	@$(MAKE) --no-print-directory -j2 python bin/perennial
	@bin/perennial up --data $(CACHE)/data

test: ## every test: what CI runs
	$(TOOLS) git go node python java
	@$(MAKE) --no-print-directory -j3 deps lint-go
	@scripts/build/lint.sh python typescript generated
	@$(MAKE) --no-print-directory bin/perennial
	@scripts/build/test.sh

lint-go: # while packages are fetched: it needs none of them
	@scripts/build/lint.sh go

check: test ## the same as test

lint: frontend/node_modules/.package-lock.json python ## format, vet, complexity, generated files
	@scripts/build/moto.sh
	@scripts/build/lint.sh

gen: frontend/node_modules/.package-lock.json ## make the generated files again
	@go generate ./...
	@cd frontend && npm run --silent gen
	@scripts/build/moto.sh
	@.cache/moto/bin/python scripts/gen/sdk_actions.py

bench: python ## benchmarks, minutes long
	@scripts/build/bench.sh

synth: ## CloudFormation templates in cdk.out/
	$(TOOLS) go node python
	@scripts/build/synth.sh

clean: ## remove what was built; caches stay
	@rm -rf bin dist cdk.out frontend/dist
