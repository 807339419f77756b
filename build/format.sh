#!/bin/sh
# Checks or rewrites the formatting of every module's sources: google-java-format, AOSP style.
# usage: build/format.sh check|rewrite FORMATTER_JAR      (called by Maven and by ./dev format)
set -eu

mode=$1
jar=$2
root=$(cd "$(dirname "$0")/.." && pwd)
cd "$root"
. build/find-jdk.sh

# The formatter uses javac's parser, so its JDK must know the syntax that we write.
jdk=$(find_jdk 25) || {
    echo "format: no JDK 25 or later found: install one and set JAVA_HOME" >&2
    exit 3
}

# Prints the files that are not formatted; fails if there are any.
check() {
    sources -exec "$jdk/bin/java" -XX:TieredStopAtLevel=1 -XX:+UseSerialGC -jar "$jar" \
        --aosp --dry-run --set-exit-if-changed {} +
}

rewrite() {
    sources -exec "$jdk/bin/java" -XX:TieredStopAtLevel=1 -XX:+UseSerialGC -jar "$jar" \
        --aosp --replace {} +
}

sources() {
    find . -name target -prune -o -path '*/src/*' -name '*.java' "$@"
}

case $mode in
check)
    if ! bad=$(check); then
        # Nothing on stdout means that the formatter itself failed and has said so on stderr.
        [ -z "$bad" ] || printf 'not formatted: %s\n' $bad >&2
        echo "format: run ./dev format" >&2
        exit 1
    fi
    ;;
rewrite)
    # Removing an unused import can leave something for a second pass.
    for pass in 1 2 3; do
        rewrite
        if check >/dev/null; then
            exit 0
        fi
    done
    echo "format: still changing after $pass passes" >&2
    exit 1
    ;;
*)
    echo "usage: build/format.sh check|rewrite FORMATTER_JAR" >&2
    exit 2
    ;;
esac
