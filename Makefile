# The commands a person needs; `make` alone lists them. A line's words after ## are its help.

.DEFAULT_GOAL := help
.PHONY: help setup run test check bench soak simulate fuzz schema lock clean

PYTEST = .venv/bin/python -m pytest -n 2 --dist loadfile
LOCK = uv pip compile --quiet --universal --generate-hashes --python-version 3.11 --no-header --no-annotate

help: ## what can be made
	@awk -F ':.*## ' '/^[a-z]+:.*## / { printf "  make %-8s %s\n", $$1, $$2 }' $(MAKEFILE_LIST)

setup: ## make .venv, with the command .venv/bin/appointment-texts in it
	@requirements/install

run: setup ## the whole product with a sandbox and a sample feed; Ctrl-C ends it
	@exec .venv/bin/appointment-texts run --demo

check: setup ## style, types, import contracts and the fast tests
	.venv/bin/ruff check
	.venv/bin/ruff format --check
	.venv/bin/mypy
	.venv/bin/lint-imports
	$(PYTEST) -m "not slow"

test: setup ## every test; what needs a service that is not installed is skipped, and says so
	$(PYTEST)

bench: setup ## figures beside our peers' in one run
	@npm ci --silent --ignore-scripts --no-audit --no-fund --prefix tests/interop \
		|| echo "simple-hl7 needs npm: figures without it" >&2
	.venv/bin/python -m benchmarks

fuzz: setup ## a million damaged inputs for framing, answers, reader, mapper and replies (docs/fuzzing.md)
	@.venv/bin/python -m pip --disable-pip-version-check install --quiet --require-hashes -r requirements/fuzzing.txt \
		|| echo "atheris cannot be had for this machine: Hypothesis alone" >&2
	.venv/bin/python -m tests.fuzzing

soak: setup ## ten minutes of good, bad, slow, huge and half-dead senders (FOR=seconds)
	.venv/bin/python -m benchmarks.soak --seconds $(or $(FOR),600)

simulate: setup ## a year of 20,000 patients against an oracle (PATIENTS, APPOINTMENTS, SEED; hours long)
	.venv/bin/python -m tests.simulation --patients $(or $(PATIENTS),20000) \
		--appointments $(or $(APPOINTMENTS),150000) --seed $(or $(SEED),1)

schema: setup ## write config/schema and the tables of config/README.md anew
	.venv/bin/python -m integration.settings.json_schema config

lock: ## pin all dependencies anew, with hashes (needs uv)
	@command -v uv >/dev/null || { echo "make lock needs uv: python3 -m pip install uv" >&2; exit 1; }
	$(LOCK) --upgrade pyproject.toml requirements/build.in -o requirements/product.txt
	$(LOCK) --upgrade --extra development pyproject.toml requirements/build.in -c requirements/product.txt \
		-o requirements/development.txt
	$(LOCK) --upgrade requirements/fuzzing.in -o requirements/fuzzing.txt

clean: ## remove .venv and what tools left behind; var/ stays, it may hold patients
	rm -rf .venv build *.egg-info .mypy_cache .ruff_cache .pytest_cache .hypothesis .import_linter_cache .fuzz
	find . -name __pycache__ -type d -prune -exec rm -rf {} +
