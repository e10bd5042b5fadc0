#!/bin/sh
# Which lines of the headers the tests have run, header by header and in all, after `cmake --workflow --preset coverage`.
#   cmake/coverage.sh                    a table; a line counts when any instantiation of a template has run it
#   cmake/coverage.sh --gaps [PATTERN]   and the lines that none has run, of headers whose names contain PATTERN
# Needs llvm-profdata and llvm-cov of the clang that compiled (Debian: llvm). A template that no test instantiates has no
# lines here, and what only the compiler evaluates counts as not run. Profiles from before the programs were last linked
# are left out: they would tell of tests that are no more. llvm-cov warns of "mismatched data" for what one program has but
# never calls and another one runs; that counts as run. BUILD names another build folder than build/coverage.
set -eu
cd "$(dirname "$0")/.."
build=${BUILD:-build/coverage}
gaps=0
pattern=
if [ "${1:-}" = --gaps ]; then
    gaps=1
    pattern=${2:-}
fi

objects=
newest=
for program in $(find "$build/tests" -type f -name 'hourglass_*' -perm -u+x | sort); do
    objects="$objects ${objects:+-object }$program"
    [ -n "$newest" ] && [ -z "$(find "$program" -newer "$newest")" ] || newest=$program
done
profiles=
[ -z "$newest" ] || profiles=$(find "$build/profiles" -name '*.profraw' -newer "$newest")
if [ -z "$profiles" ]; then
    echo "$0: $build has no profiles of its programs: run cmake --workflow --preset coverage first" >&2
    exit 1
fi
# shellcheck disable=SC2086  # lists of files
llvm-profdata merge -sparse $profiles -o "$build/tests.profdata"
# shellcheck disable=SC2086
llvm-cov export -format=lcov -instr-profile="$build/tests.profdata" $objects |
    awk -F '[:,]' -v root="$PWD/include/" -v gaps=$gaps -v pattern="$pattern" '
        $1 == "SF" { name = index($2, root) == 1 ? substr($2, length(root) + 1) : "" }
        $1 == "DA" && name != "" {
            ++lines[name]
            if ($3 > 0) ++run[name]
            else if (index(name, pattern) > 0) missed[name] = missed[name] " " $2
        }
        END {
            for (name in lines) {
                printf "%6.1f %%  %5d of %5d  %s\n", 100 * run[name] / lines[name], run[name], lines[name], name | "sort -k5"
                all += lines[name]
                all_run += run[name]
            }
            close("sort -k5")
            printf "%6.1f %%  %5d of %5d  in all\n", 100 * all_run / all, all_run, all
            if (gaps) for (name in missed) print name ":" missed[name] | "sort"
        }'
