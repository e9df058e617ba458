PYTHON = .venv/bin/python
PORT = 8000
ARGS =

.PHONY: help setup setup-dev demo serve services test lint faults bench screenshots bench-retrieval

help: ## Say what each target does
	@sed -n 's/^\([a-z][a-z-]*\):.*## /\1\t/p' Makefile | expand -t 12

setup: ## Make .venv and install what Aviary needs to run
	@sh config/setup.sh requirements.txt

setup-dev: ## The same, with what tests, linters and benchmarks need
	@sh config/setup.sh requirements-dev.txt

demo: setup ## Start everything with the demo community and serve it on PORT until Ctrl-C
	@$(PYTHON) manage.py demo --port $(PORT) $(ARGS)

serve: setup ## Serve with production settings on PORT (needs SECRET_KEY and ALLOWED_HOSTS)
	@DJANGO_SETTINGS_MODULE=config.settings.production $(PYTHON) manage.py serve --port $(PORT) $(ARGS)

services: setup ## Start the embedded PostgreSQL and Valkey and keep them until Ctrl-C
	@$(PYTHON) manage.py services

test: setup-dev ## Run the test suite on all cores
	@$(PYTHON) -m pytest -n logical --dist loadgroup $(ARGS)

lint: setup-dev ## Check style, types, migrations and the direction of imports
	$(PYTHON) -m ruff check .
	$(PYTHON) -m ruff format --check .
	$(PYTHON) -m mypy manage.py config performance agents posts feed
	$(PYTHON) manage.py makemigrations --check --dry-run
	$(PYTHON) -m pytest -q tests/config/test_import_direction.py

faults: setup-dev ## Run the long fault matrices and write benchmarks/faults.json
	$(PYTHON) -m pytest -n logical --dist loadgroup tests/faults --full $(ARGS)

bench: setup-dev ## Measure every promise about speed; ARGS=--help says which parts there are
	$(PYTHON) -m benchmarks $(ARGS)

screenshots: setup-dev ## Write docs/screenshots/ from the demo community (needs Chromium)
	$(PYTHON) -m pytest -q tests/browser/screenshots.py $(ARGS)

ARTICLES = ../shared/data/articles/articles.jsonl.gz

bench-retrieval: setup-dev ## Measure retrieval on the Markdown articles of ARTICLES=FILE.jsonl.gz
	@test -f $(ARTICLES) || { echo "There is no $(ARTICLES): name a file of articles with ARTICLES=FILE.jsonl.gz"; exit 1; }
	$(PYTHON) -m benchmarks retrieval --articles $(ARTICLES) $(ARGS)
