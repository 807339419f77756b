package io.aerostat.vmm.report;

import picocli.CommandLine.ITypeConverter;
import picocli.CommandLine.TypeConversionException;

import java.math.BigDecimal;
import java.util.Locale;
import java.util.Map;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/**
 * Memory sizes as text, with the units of virsh: KiB when there is none, powers of 1024 for K, M,
 * G, T and KiB to TiB, powers of 1000 for KB to TB.
 */
public final class SizeText implements ITypeConverter<Long> {
    private static final Pattern SIZE = Pattern.compile("(\\d+(?:\\.\\d+)?)\\s*([a-zA-Z]*)");
    private static final String ALLOWED =
            "a number with a unit: B, KiB, MiB, GiB, TiB (or K, M, G, T), KB, MB, GB, TB; without"
                    + " one, KiB";

    private static final Map<String, Long> UNITS =
            Map.ofEntries(
                    Map.entry("", 1L << 10),
                    Map.entry("b", 1L),
                    Map.entry("bytes", 1L),
                    Map.entry("k", 1L << 10),
                    Map.entry("kib", 1L << 10),
                    Map.entry("kb", 1_000L),
                    Map.entry("m", 1L << 20),
                    Map.entry("mib", 1L << 20),
                    Map.entry("mb", 1_000_000L),
                    Map.entry("g", 1L << 30),
                    Map.entry("gib", 1L << 30),
                    Map.entry("gb", 1_000_000_000L),
                    Map.entry("t", 1L << 40),
                    Map.entry("tib", 1L << 40),
                    Map.entry("tb", 1_000_000_000_000L));

    /** A converter for the command line. */
    public SizeText() {}

    /** Bytes that a text means. */
    @Override
    public Long convert(String text) {
        Matcher matcher = SIZE.matcher(text.trim());
        Long unit = matcher.matches() ? UNITS.get(matcher.group(2).toLowerCase(Locale.ROOT)) : null;
        if (unit == null) {
            throw new TypeConversionException("not a size: '" + text + "'; allowed is " + ALLOWED);
        }
        try {
            return new BigDecimal(matcher.group(1))
                    .multiply(BigDecimal.valueOf(unit))
                    .longValueExact();
        } catch (ArithmeticException e) {
            throw new TypeConversionException(
                    "not a whole number of bytes below 2^63: '" + text + "'");
        }
    }

    /** A size for people: in the largest unit that leaves a number of 1 or more. */
    public static String of(long bytes) {
        String[] units = {"B", "KiB", "MiB", "GiB", "TiB"};
        double value = bytes;
        int unit = 0;
        while (value >= 1024 && unit < units.length - 1) {
            value /= 1024;
            unit++;
        }
        String number =
                String.format(Locale.ROOT, value == Math.rint(value) ? "%.0f" : "%.1f", value);
        return number + " " + units[unit];
    }
}
