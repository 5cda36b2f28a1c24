#!/bin/bash
# Runs the targets of fuzz/main.rs, SECONDS_EACH long each, as many at a time as there are processors; the first argument is the program, further ones
# name targets (none: all). What is found is written into target/fuzz/TARGET, and fails. Kept findings are in fuzz/corpus, and are met first.
set -uo pipefail
program=$1
shift
cd "$(dirname "$0")/.."
targets=("$@")
[[ ${#targets[@]} -gt 0 ]] || targets=(parse addresses results imap archives documents numbers settings)

# Inputs that a target begins with, besides those kept for it.
seeds() {
    case $1 in
    parse) echo fixtures/mails fixtures/signed fixtures/quoted ;;
    archives | documents) echo fixtures/files fixtures/screening ;;
    numbers) echo fixtures/identifiers fixtures/screening ;;
    settings) echo fixtures/world ;;
    esac
}

one() {
    local target=$1 here=target/fuzz/$1
    mkdir -p "$here/corpus" "fuzz/corpus/$target"
    # shellcheck disable=SC2046 # Several directories.
    POSTKAMER_FUZZ=$target nice "$program" -max_total_time="$SECONDS_EACH" -timeout=300 -rss_limit_mb=2048 -max_len=16384 -verbosity=1 \
        -print_final_stats=1 -artifact_prefix="$here/" "$here/corpus" "fuzz/corpus/$target" $(seeds "$target") >"$here/log" 2>&1
    local status=$?
    if [[ $status -eq 0 ]]; then
        echo "fuzz $target: nothing found in $(grep -o 'number_of_executed_units: .*' "$here/log" | grep -o '[0-9]*$') inputs"
        return
    fi
    # Where, and never what: the input lies in its file.
    local where input
    where=$(grep -oE 'panicked at [^ ]+|ERROR: libFuzzer: [a-z -]+' "$here/log" | head -n 2 | paste -sd ' ')
    input=$(grep -o "$here/[a-z]*-[0-9a-f]*" "$here/log" | tail -n 1)
    {
        echo "fuzz $target FAILED with exit status $status: ${where:-see the log}"
        echo "    the whole log   $here/log"
        [[ -z $input ]] || echo "    the input       $input"
        [[ -z $input ]] || echo "    once more       POSTKAMER_FUZZ=$target $program $input"
        [[ -z $input ]] || echo "    for ever        cp $input fuzz/corpus/$target/NAME: every run of \`make fuzz TARGETS=$target\` meets it first"
    } >&2
    return 1
}

export SECONDS_EACH=${SECONDS_EACH:-37} program
export -f one seeds
printf '%s\n' "${targets[@]}" | xargs -P "$(nproc)" -I{} bash -c 'one {}'
