#!/bin/sh
# What an embedder ships: virtio-core, balloon-device and what they need at run time, with sizes.
# usage: build/footprint.sh CLASSPATH    jars, separated by colons
# Exits with 1 if the sum is over the limit, with 3 if something is not a jar.
set -u

limit_bytes=2000000

say() { echo "footprint: $*" >&2; }

[ $# -eq 1 ] && [ -n "$1" ] || {
    say "usage: build/footprint.sh CLASSPATH"
    exit 3
}

sum_bytes=0
set -f # a path is no pattern
IFS=:
for jar in $1; do
    case $jar in
    *.jar) [ -f "$jar" ] ;;
    *) false ;;
    esac || {
        say "not a jar: $jar"
        exit 3
    }
    bytes=$(wc -c <"$jar") || exit 3
    sum_bytes=$((sum_bytes + bytes))
    printf '%9d  %s\n' "$bytes" "${jar##*/}"
done
printf '%9d  in all; the limit is %d\n' "$sum_bytes" "$limit_bytes"
[ "$sum_bytes" -le "$limit_bytes" ] || {
    say "too large: bytes=$sum_bytes, limit=$limit_bytes"
    exit 1
}
