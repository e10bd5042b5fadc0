#!/bin/sh
# Which lines of the headers the tests have run, header by header and in all, after `cmake --workflow --preset coverage`.
#   cmake/coverage.sh                    a table; a line counts when any instantiation of a template has run it
#   cmake/coverage.sh --gaps [PATTERN]   and the lines that none has run, of headers whose names contain PATTERN
# A template that no test instantiates has no lines here. BUILD names another build folder than build/coverage.
set -eu
cd "$(dirname "$0")/.."
build=${BUILD:-build/coverage}
gaps=0
pattern=
if [ "${1:-}" = --gaps ]; then
    gaps=1
    pattern=${2:-}
fi

llvm-profdata merge -sparse "$build"/profiles/*.profraw -o "$build/tests.profdata"
objects=
for program in $(find "$build/tests" -type f -name 'hourglass_*' -perm -u+x | sort); do
    objects="$objects ${objects:+-object }$program"
done
# shellcheck disable=SC2086  # a list of programs
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
