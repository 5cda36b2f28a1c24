# `make run` shows postkamer at work; `make test` runs every test. README.md has the rest.

# mail-parser 1.0 declares a newer compiler than it needs: without the first flag, Rust 1.95 would refuse to build it.
FLAGS = --ignore-rust-version --locked

.PHONY: run test fuzz soak kills residue bench corpus speed formats writers setup lint

run:
	cargo run $(FLAGS) -- demo

# The tests come before the lints, so that a matter of form never hides a result.
test: setup
	cargo test $(FLAGS) --workspace
	$(MAKE) --no-print-directory fuzz
	$(MAKE) --no-print-directory lint

# Bytes that libFuzzer makes, for SECONDS_EACH to each of the eight targets of fuzz/main.rs, or to those that TARGETS names: five minutes of processor
# time in all, which two processors do in half. What is found fails, and stays in target/fuzz/TARGET with the way to repeat it. `make test` does this;
# SECONDS_EACH=600 is the long run. The compiler is the stable one; postkamer is compiled once more for it.
SECONDS_EACH = 37
TARGETS =
fuzz:
	SECONDS_EACH=$(SECONDS_EACH) cargo test $(FLAGS) --config fuzz/config.toml --workspace --bench fuzz -- $(TARGETS)

# Measures, and writes the result into BENCHMARKS.md. MAILS and REPETITIONS make it shorter.
bench: setup
	cargo bench $(FLAGS) --bench intake

# What takes long: tests with whole numbers; and postkamer harmed again and again, with the count of what is lost in RELIABILITY.md (KILLS, HARMS and
# MINUTES make that shorter, SEED another one; SWEEP_STORIES=1-20 sweeps some of the stories). `make kills` is the last of it alone.
soak: setup
	POSTKAMER_FORGED=10000 cargo test $(FLAGS) --test main attacks::sending::a20
	POSTKAMER_FLOOD=50000 cargo test $(FLAGS) --test main attacks::servers::a41_flooding
	FILES_EVERY=1 cargo test $(FLAGS) --test main sweep:: -- --include-ignored
	$(MAKE) --no-print-directory kills

kills: setup
	cargo bench $(FLAGS) --bench soak

# Searches every file of the world for what was in rejected mail, after a usual pass and after a kill at every step (ten minutes), and writes the tables
# in SECURITY.md, with the release build. RESIDUE_KILLS=50 kills at fifty steps, spread over all, in each of the six installations.
RESIDUE_KILLS = 1000
residue: setup
	RESIDUE_KILLS=$(RESIDUE_KILLS) RESIDUE_TABLES=SECURITY.md cargo test --release $(FLAGS) --test main residue:: -- --test-threads 1

# Makes a labelled corpus of files and whole mails from a seed, PICTURES of them screenshots and scans, written by LibreOffice and a dozen
# libraries, and measures what screening finds in it, and how many text documents it screens on one core: SCREENING.md has the tables.
SEED ?= 9119
FILES ?= 2000
PICTURES ?= 200
TEXTS = $(wildcard $(foreach format,csv tsv txt html xml json sql,target/corpus/files/*.$(format)))
WHOLE_MAILS = $(wildcard target/corpus/files/*.eml)
corpus: writers
	rm -rf target/corpus/files
	target/corpus/venv/bin/python benches/corpus/generate.py $(SEED) $(FILES) target/corpus/files $(PICTURES)
	cargo build --release $(FLAGS)
	target/release/postkamer screen --json target/corpus/files >target/corpus/results.json; test $$? -le 1
	target/corpus/venv/bin/python benches/corpus/measure.py <target/corpus/results.json
	@$(MAKE) --no-print-directory speed

# How many text documents, and whole mails with whatever they hold, are screened a second on one core; needs what `make corpus` made.
speed:
	@echo "Text documents, on one core: $(words $(TEXTS))"
	@bash -c 'time -p taskset --cpu-list 0 target/release/postkamer screen --json $(TEXTS) >target/corpus/texts.json; test $$? -le 1'
	@echo "Whole mails, on one core: $(words $(WHOLE_MAILS))"
	@bash -c 'time -p taskset --cpu-list 0 target/release/postkamer screen --json $(WHOLE_MAILS) >target/corpus/mails.json; test $$? -le 1'

# Makes files with real programs (LibreOffice and a dozen libraries), each with a number in one place where it can hide, measures what is
# found, and then damages them: SCREENING.md has the results. ROUNDS is how often each file is damaged.
ROUNDS ?= 3
formats: writers
	rm -rf target/corpus/formats
	target/corpus/venv/bin/python benches/corpus/formats.py $(SEED) target/corpus/formats
	cargo build --release $(FLAGS)
	target/release/postkamer screen --json target/corpus/formats >target/corpus/formats.json; test $$? -le 1
	target/corpus/venv/bin/python benches/corpus/measure.py <target/corpus/formats.json
	target/corpus/venv/bin/python benches/corpus/damage.py $(SEED) $(ROUNDS) target/corpus/formats target/release/postkamer

# The programs and libraries that write files for `corpus` and `formats` (as root, where a program is missing).
writers: setup
	which soffice 7z gs heif-enc >/dev/null && test -e /usr/share/fonts/truetype/dejavu/DejaVuSerif.ttf || { apt-get -qq update && apt-get -qq install -y --no-install-recommends libreoffice-calc-nogui libreoffice-writer-nogui libreoffice-impress-nogui p7zip-full ghostscript libheif-examples fonts-dejavu-core; }
	python3 -m venv target/corpus/venv
	target/corpus/venv/bin/pip install --quiet openpyxl xlsxwriter xlwt pyxlsbwriter python-docx python-pptx odfpy reportlab pillow pypdf pikepdf img2pdf py7zr msoffcrypto-tool aspose-email-foss

# Installs what the tests need and this machine lacks (Debian 12, as root).
setup:
	@tests/setup.sh

lint:
	cargo fmt --all --check
	cargo clippy $(FLAGS) --workspace --all-targets -- -D warnings
