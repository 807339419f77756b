# Sums up surefire's XML reports, one line a module and run; the counts come last.
# usage: awk -v maven_rc=0 -v jdk17=JDK17_HOME -v ci=true -f summary.awk REPORT...
# Exits with 1 when anything failed, nothing ran, or (ci=true) anything was skipped.

BEGIN {
    # awk would read stdin without a file to read.
    if (ARGC == 1) exit
}

FNR == 1 {
    # MODULE/target/surefire-reports[-RUN]/TEST-CLASS.xml
    split(FILENAME, part, "/")
    sub(/^surefire-reports-?/, "", part[3])
    run = part[1] (part[3] == "" ? "" : " (" part[3] ")")
    if (!(run in tests)) order[++runs] = run
    output = 0
}

# What a test printed may look like a report: pass over it.
/<system-(out|err)>/ { output = 1 }
/<\/system-(out|err)>/ { output = 0; next }
output { next }

/<testsuite / {
    tests[run] += attribute($0, "tests")
    bad[run] += attribute($0, "failures") + attribute($0, "errors")
    skips[run] += attribute($0, "skipped")
}

/<testcase / {
    class = attribute($0, "classname")
    sub(/.*\./, "", class)
    test = class "." attribute($0, "name")
}

/<skipped/ {
    reason = attribute($0, "message")
    skipped[++skip_lines] = run ": " test ": " (reason == "" ? "no reason given" : reason)
}

/<(failure|error)[ >]/ { broken[++broken_lines] = run ": " test }

END {
    print ""
    for (i = 1; i <= runs; i++) {
        run = order[i]
        passed = tests[run] - bad[run] - skips[run]
        printf "%-32s %6d passed %4d failed %4d skipped\n", run, passed, bad[run], skips[run]
        all_passed += passed
        all_bad += bad[run]
        all_skipped += skips[run]
    }
    if (jdk17 == "") {
        skipped[++skip_lines] = "all runs on JDK 17: no JDK 17 found"
        all_skipped++
    }
    for (i = 1; i <= skip_lines; i++) print "skipped: " skipped[i]
    for (i = 1; i <= broken_lines; i++) print "failed:  " broken[i]
    if (maven_rc != 0) print "build failed (Maven's exit code " maven_rc "): see above"

    line = all_passed + 0 " passed, " all_bad + 0 " failed"
    if (all_skipped) line = line ", " all_skipped " skipped"
    print line

    exit maven_rc != 0 || all_bad || all_passed + all_bad == 0 || (ci == "true" && all_skipped)
}

# The value of an XML attribute, unescaped and on one line.
function attribute(text, name, value) {
    if (!match(text, "[ \t]" name "=\"[^\"]*\"")) return ""
    value = substr(text, RSTART + length(name) + 3, RLENGTH - length(name) - 4)
    gsub(/&#(10|13|9);/, " ", value)
    gsub(/&lt;/, "<", value)
    gsub(/&gt;/, ">", value)
    gsub(/&quot;/, "\"", value)
    gsub(/&apos;/, "'", value)
    gsub(/&amp;/, "\\&", value)
    return value
}
