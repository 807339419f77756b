package io.aerostat.guest.page;

/**
 * A set of the numbers 0 to <i>capacity</i> - 1 that finds its lowest member quickly.
 *
 * <p>It is a bitmap with summaries. Level 0 has one bit a number. A bit of each higher level stands
 * for one 64-bit word of the level below and is set exactly if that word isn't zero. The highest
 * level is a single word.
 *
 * <pre>
 *   level 2    [ 1 0 0 ... ]                          a bit  : 4096 numbers
 *                |
 *   level 1    [ 0 1 0 ... ] [ 0 ... ] ...            a bit  :   64 numbers
 *                  |
 *   level 0    [ 0 ... ] [ 0 0 1 0 ... ] [ 0 ... ] ...  a bit  :    1 number       = { 66 }
 * </pre>
 *
 * <p>Every operation looks at a few words a level: one level up to 64 numbers, two up to 4096,
 * never more than six. The summaries cost 1/63 of the bitmap. Nothing is allocated after
 * construction, and numbers outside the capacity are the caller's error: they are not checked for
 * here.
 */
final class BlockSet {

    /** The result that stands for "no member". */
    static final int NONE = -1;

    private static final int WORD_SHIFT = 6;

    private final long[][] levels;

    /**
     * Makes an empty set.
     *
     * @param capacity how many numbers there are, from 1 to 2<sup>31</sup>
     */
    BlockSet(long capacity) {
        levels = new long[levelsFor(capacity)][];
        long bits = capacity;
        for (int level = 0; level < levels.length; level++) {
            bits = wordsFor(bits);
            levels[level] = new long[Math.toIntExact(bits)];
        }
    }

    /**
     * Whether the set has no member.
     *
     * @return true if it has none
     */
    boolean isEmpty() {
        return levels[levels.length - 1][0] == 0;
    }

    /**
     * Whether a number is a member.
     *
     * @param number from 0 to capacity - 1
     * @return true if it is
     */
    boolean contains(int number) {
        return (levels[0][number >>> WORD_SHIFT] & bit(number)) != 0;
    }

    /**
     * Puts a number in. Goes up only as long as it turns a word from zero to non-zero.
     *
     * @param number from 0 to capacity - 1; a member already changes nothing
     */
    void add(int number) {
        int position = number;
        for (long[] words : levels) {
            int word = position >>> WORD_SHIFT;
            long before = words[word];
            words[word] = before | bit(position);
            if (before != 0) {
                return;
            }
            position = word;
        }
    }

    /**
     * Takes a number out. Goes up only as long as it leaves a word zero.
     *
     * @param number from 0 to capacity - 1; no member changes nothing
     */
    void remove(int number) {
        int position = number;
        for (long[] words : levels) {
            int word = position >>> WORD_SHIFT;
            words[word] &= ~bit(position);
            if (words[word] != 0) {
                return;
            }
            position = word;
        }
    }

    /**
     * The lowest member of all.
     *
     * @return a member, or {@link #NONE}
     */
    int lowest() {
        return isEmpty() ? NONE : lowestUnder(levels.length, 0);
    }

    /**
     * The lowest member of a range.
     *
     * <p>Climbs until a word has something at or after the place it came from, then descends to the
     * lowest member under it. A range within one word of level 0 is decided by that word alone.
     *
     * @param first the range's first number
     * @param last the range's last number, less than the capacity
     * @return a member, or {@link #NONE}
     */
    int lowestIn(int first, int last) {
        int from = first;
        int to = last;
        for (int level = 0; from <= to; level++) {
            int word = from >>> WORD_SHIFT;
            long candidates = levels[level][word] & (-1L << from);
            if (candidates != 0) {
                int member = lowestUnder(level, positionOf(word, candidates));
                return member <= last ? member : NONE;
            }
            from = word + 1;
            to >>>= WORD_SHIFT;
        }
        return NONE;
    }

    /**
     * The lowest member below a set bit of a level; on level 0 the bit's position is the member.
     */
    private int lowestUnder(int level, int setBit) {
        int position = setBit;
        for (int below = level - 1; below >= 0; below--) {
            position = positionOf(position, levels[below][position]);
        }
        return position;
    }

    private static int positionOf(int word, long bits) {
        return (word << WORD_SHIFT) + Long.numberOfTrailingZeros(bits);
    }

    /** A long shift takes the count modulo 64, so the position in the word needs no masking. */
    private static long bit(int position) {
        return 1L << position;
    }

    private static long wordsFor(long bits) {
        return (bits + Long.SIZE - 1) >>> WORD_SHIFT;
    }

    private static int levelsFor(long capacity) {
        int count = 1;
        for (long words = wordsFor(capacity); words > 1; words = wordsFor(words)) {
            count++;
        }
        return count;
    }
}
