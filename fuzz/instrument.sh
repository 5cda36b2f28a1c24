#!/bin/sh
# What cargo calls in place of the compiler for the crates of this workspace: postkamer itself is built with counters of what was reached, which
# libFuzzer follows. All libraries stay as the tests have built them. Works with the stable compiler.
case " $* " in
*" --crate-name postkamer "*)
    exec "$@" -C passes=sancov-module -C llvm-args=-sanitizer-coverage-level=3 -C llvm-args=-sanitizer-coverage-inline-8bit-counters \
        -C llvm-args=-sanitizer-coverage-pc-table -C llvm-args=-sanitizer-coverage-trace-compares
    ;;
esac
exec "$@"
