# Finds JDKs. Sourced by aerostat, dev and build/format.sh; POSIX sh; defines functions only.

# Prints the feature version (17, 25, ...) of the JDK at $1; fails when there is no JDK.
jdk_version() {
    [ -x "$1/bin/java" ] && [ -x "$1/bin/javac" ] || return 1
    _version=
    if [ -r "$1/release" ]; then
        _version=$(sed -n 's/^JAVA_VERSION="\{0,1\}\([0-9]*\).*/\1/p' "$1/release" | head -n 1)
    fi
    if [ -z "$_version" ]; then
        _version=$("$1/bin/java" -version 2>&1 </dev/null |
            sed -n 's/.* version "\([0-9]*\).*/\1/p' | head -n 1)
    fi
    [ -n "$_version" ] && echo "$_version"
}

# Prints the homes where JDKs are usually found, the user's own choice first.
jdk_candidates() {
    [ -z "${JAVA_HOME:-}" ] || echo "$JAVA_HOME"
    if _java=$(command -v java); then
        _java=$(readlink -f "$_java" 2>/dev/null || echo "$_java")
        echo "${_java%/bin/java}"
    fi
    for _home in \
        /usr/lib/jvm/* /usr/lib64/jvm/* /usr/java/* /opt/java/* /opt/jdk* /opt/*jdk* \
        /Library/Java/JavaVirtualMachines/*/Contents/Home \
        "${HOME:-/nonexistent}"/.sdkman/candidates/java/* \
        "${HOME:-/nonexistent}"/.jdks/* \
        "${HOME:-/nonexistent}"/.m2/jdks/* \
        "${HOME:-/nonexistent}"/.gradle/jdks/* \
        "${HOME:-/nonexistent}"/.asdf/installs/java/* \
        "${HOME:-/nonexistent}"/.local/share/mise/installs/java/*; do
        [ ! -d "$_home" ] || echo "$_home"
    done
}

# Prints the home of the first JDK whose version is at least $1 and, if given, at most $2.
find_jdk() {
    jdk_candidates | while IFS= read -r _home; do
        _found=$(jdk_version "$_home") || continue
        if [ "$_found" -ge "$1" ] && [ "$_found" -le "${2:-999}" ]; then
            echo "$_home"
            break
        fi
    done | grep . # no output is a failure
}
