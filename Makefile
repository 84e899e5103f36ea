# `make help` lists the targets. Everything lives in .venv and var/; `make clean` removes both.
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
MANAGE := $(BIN)/python manage.py
BENCH_DIR ?= ../shared/bench
SEEDS ?= 301 302 303 304 305
HTTP_SEEDS ?= $(firstword $(SEEDS))
EXAMPLES ?= 100
CASES ?= 0
# Further arguments of pytest in `make check`; empty runs all tests.
TESTS ?=
FUZZ_SECONDS ?= 60

.DEFAULT_GOAL := help
.PHONY: help install demo run admin test check format bench-detection bench-load bench-faults bench-soak bench-scale check-dashboards check-demo clean fuzz-api fuzz-parsers lock licences sbom audit

help: ## Show this list
	@grep -hE '^[a-z-]+:.*## ' $(MAKEFILE_LIST) | awk -F':.*## ' '{printf "  make %-18s %s\n", $$1, $$2}'

# Installs what was reviewed and nothing else: indirect requirements are pinned in the lock only.
$(VENV)/.locked: requirements.lock
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' \
		|| { echo "Python 3.11 or newer is needed; say make PYTHON=python3.11"; exit 1; }
	test -x $(BIN)/python || $(PYTHON) -m venv $(VENV)
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --require-hashes -r requirements.lock
	touch $@

# Without the hashes: with them pip would demand a hash of every development package as well.
$(VENV)/.development: requirements-dev.txt requirements-otel.txt requirements-kafka.txt $(VENV)/.locked
	sed -e '/--hash=/d' -e 's/ \\$$//' requirements.lock > $(VENV)/constraints.txt
	$(BIN)/python -m pip install --quiet --disable-pip-version-check -r requirements-dev.txt -c $(VENV)/constraints.txt
	touch $@

install: $(VENV)/.locked ## Set up what running needs

demo: install ## Set up, fill in two weeks of a simulated company and run it with an incident on the way
	$(MANAGE) demo

run: install ## Run web, worker and beat in the foreground; Ctrl-C stops all of it
	$(MANAGE) run

admin: install ## Create an administrator account
	$(MANAGE) migrate --verbosity 0
	$(MANAGE) createsuperuser

test: $(VENV)/.development ## Set up and run the tests
	$(BIN)/python -m pytest -n auto --reruns 1

check: $(VENV)/.development ## Format, lint, migrations, types, contracts, tests with coverage
	$(BIN)/ruff format --check .
	$(BIN)/ruff check .
	$(MANAGE) check --fail-level WARNING
	$(MANAGE) makemigrations --check --dry-run
	$(BIN)/mypy .
	$(BIN)/lint-imports
	$(BIN)/python -m pytest -n auto --reruns 1 --cov --cov-report=term $(TESTS)

format: $(VENV)/.development ## Format the code
	$(BIN)/ruff format .
	$(BIN)/ruff check --fix .

bench-detection: $(VENV)/.development ## Detection benchmark in process and over HTTP (BENCH_DIR, SEEDS, HTTP_SEEDS, NAB_DIR)
	BENCH_DIR=$(BENCH_DIR)/detection $(BIN)/python -m detection.bench --seeds $(SEEDS) --stress
	BENCH_DIR=$(BENCH_DIR)/detection $(BIN)/python -m detection.bench.other_kinds --seeds $(SEEDS) --stress
	$(BIN)/python -m detection.bench.sharp_steps
	$(BIN)/python -m detection.bench.routines
	$(BIN)/python -m detection.bench.first_days
	$(BIN)/python -m detection.bench.quiet_months
	BENCH_DIR=$(BENCH_DIR)/detection $(BIN)/python -m detection.bench.clock_jump
	BENCH_DIR=$(BENCH_DIR)/detection $(BIN)/python -m detection.bench.new_source
	$(BIN)/python -m detection.bench.opening_hours
	$(BIN)/python -m detection.bench.nab
	BENCH_DIR=$(BENCH_DIR)/detection $(BIN)/python -m deploy.bench.over_http --seeds $(HTTP_SEEDS)

bench-load: $(VENV)/.development ## Load benchmark: rates, latency and CPU per request against a bare view (needs wrk)
	$(BIN)/python -m deploy.bench.load
	$(BIN)/python -m deploy.bench.load --database sqlite

bench-faults: $(VENV)/.development ## Kill web, PostgreSQL and Redis, fill the disk, set the clock under load; compare every answer with the database
	$(BIN)/python -m deploy.bench.faults

bench-soak: $(VENV)/.development ## Half an hour at a constant rate: memory flat, nothing piles up
	$(BIN)/python -m deploy.bench.soak

bench-scale: $(VENV)/.development ## Time and memory for 1, 1,000 and 100,000 sources, and a failure of 300 at once
	$(BIN)/python -m deploy.bench.scale --sources 1 1000 100000 --minutes 10
	$(BIN)/python -m deploy.bench.storm --sources 300

check-dashboards: $(VENV)/.development ## Ask a real Prometheus and PostgreSQL for every panel (needs prometheus)
	$(BIN)/python -m deploy.grafana.check

check-demo: $(VENV)/.development ## Scrape a running demo for two minutes; name every series that is missing (needs prometheus)
	$(BIN)/python -m deploy.grafana.scrape

fuzz-api: $(VENV)/.development ## Made-up requests to every operation of the API, as each kind of caller
	$(BIN)/python -m deploy.fuzz --examples $(EXAMPLES) --cases $(CASES)

fuzz-parsers: $(VENV)/.development ## Bytes led by coverage to every reader of outsiders' input (needs pip install atheris)
	$(BIN)/python -m deploy.fuzz.parsers --seconds $(FUZZ_SECONDS)

lock: $(VENV)/.development ## Write requirements.lock: every package with its hashes
	$(BIN)/uv pip compile requirements.txt --universal --python-version 3.11 --generate-hashes \
		--no-header --no-annotate --quiet --output-file requirements.lock

licences: $(VENV)/.development ## Write LICENCES.md; fail on a licence that would bind us
	$(BIN)/python -m deploy.supply licences

sbom: $(VENV)/.development ## Write var/sbom.json (CycloneDX)
	$(BIN)/python -m deploy.supply sbom

audit: $(VENV)/.development ## Ask for known vulnerabilities of what we run on; skips loudly without data
	$(BIN)/python -m deploy.supply audit

clean: ## Remove the environment and all local state
	rm -rf $(VENV) var .mypy_cache .ruff_cache .pytest_cache .coverage
