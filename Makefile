# Shortcuts; bin/up and bin/test need no make.
.POSIX:
.PHONY: up test ci format lock help

help:
	@echo "make up      run Quarterdeck on this machine (bin/up)"
	@echo "make test    run all tests (bin/test)"
	@echo "make ci      everything a merge needs: linters, types, contracts, tests (.ci/run)"
	@echo "make format  format Python code and templates"
	@echo "make lock    write requirements/*.txt anew from pyproject.toml (needs uv)"

up:
	bin/up

test:
	bin/test

ci:
	bash .ci/run

format:
	.venv/bin/ruff check --fix-only .
	.venv/bin/ruff format .
	git ls-files -z '*.html' | xargs -0 .venv/bin/djade --target-version 5.2

# Hashes, but no address of a registry: the machine that installs decides where packages come from.
# The portal is resolved first and constrains the others, so that all three agree on every version.
COMPILE = uv pip compile --quiet --universal --python-version 3.11 --generate-hashes \
	--no-emit-index-url --no-emit-find-links --no-header

lock:
	$(COMPILE) pyproject.toml --output-file requirements/portal.txt
	$(COMPILE) pyproject.toml --extra sandbox --extra embedded \
		--constraint requirements/portal.txt --output-file requirements/up.txt
	$(COMPILE) pyproject.toml --extra sandbox --extra embedded --extra dev \
		--constraint requirements/up.txt --output-file requirements/dev.txt
	$(COMPILE) pyproject.toml --extra sandbox \
		--constraint requirements/portal.txt --output-file requirements/sandbox.txt
	$(COMPILE) requirements/node.in --output-file requirements/node.txt
	npm install --package-lock-only --ignore-scripts --omit-lockfile-registry-resolved
