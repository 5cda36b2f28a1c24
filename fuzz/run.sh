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
    POSTKAMER_FUZZ=$target nice "$program" -max_total_time="$SECONDS_EACH" -timeout=120 -rss_limit_mb=2048 -max_len=16384 -verbosity=1 \
        -print_final_stats=1 -artifact_prefix="$here/" "$here/corpus" "fuzz/corpus/$target" $(seeds "$target") >"$here/log" 2>&1
    local status=$?
    echo "fuzz $target: $(grep -o 'stat::number_of_executed_units: .*' "$here/log" | grep -o '[0-9]*$') inputs, exit status $status"
    [[ $status -eq 0 ]] || { tail -n 40 "$here/log" >&2; return 1; }
}

export SECONDS_EACH=${SECONDS_EACH:-37} program
export -f one seeds
printf '%s\n' "${targets[@]}" | xargs -P "$(nproc)" -I{} bash -c 'one {}'
