// The plain forms of trailers.h, in pieces that trailers.c and vector.c share.
#ifndef HANDSHAKED_PLAIN_RECORDS_H
#define HANDSHAKED_PLAIN_RECORDS_H
#include "trailers.h"
#include <string.h>

/// Eight bytes, the first lowest.
static inline __attribute__((always_inline)) uint64_t word_at(const uint8_t *p) {
    uint64_t word;
    memcpy(&word, p, 8);
#if __BYTE_ORDER__ != __ORDER_LITTLE_ENDIAN__
    word = __builtin_bswap64(word);
#endif
    return word;
}

static inline __attribute__((always_inline)) int is_digit(uint8_t c) { return (uint8_t)(c - '0') < 10; }

/// Whether the value before the quote at `quote` ends in `.cpp:123` or the like.
static __attribute__((noinline, unused)) int names_source(const uint8_t *text, size_t from, size_t quote) {
    size_t i = quote;
    while (i > from && is_digit(text[i - 1])) i--;
    if (i == quote || i == from || text[i - 1] != ':') return 0;
    size_t colon = i - 1;
    if (colon - from < 2) return 0;
    const uint8_t *p = text + colon;
    // The letters of a suffix reach back to its dot.
    uint8_t last = p[-1] | 0x20;
    if (p[-2] == '.') return last == 'c' || last == 'h';
    if (colon - from >= 3 && p[-3] == '.') return (p[-2] | 0x20) == 'c' && last == 'c';
    if (colon - from >= 4 && p[-4] == '.') {
        uint32_t suffix = (uint32_t)(p[-3] | 0x20) << 16 | (uint32_t)(p[-2] | 0x20) << 8 | last;
        return suffix == 0x637070 || suffix == 0x637878 || suffix == 0x687070 || suffix == 0x696E6C;
    }
    return 0;
}

/// Whether the clock `08:53:25.468` stands at `p`; sixteen bytes may be loaded.
static inline __attribute__((always_inline)) int is_clock(const uint8_t *p) {
    // `0` and `:` taken off, digits are 0 to 9 and the rest is nothing.
    uint64_t first = word_at(p) ^ 0x30303A30303A3030ULL, second = (word_at(p + 8) & 0xFFFFFFFF) ^ 0x3030302EULL;
    uint64_t wrong = first & 0xF0F0FFF0F0FFF0F0ULL;
    wrong |= (first + 0x0606000606000606ULL) & 0xF0F000F0F000F0F0ULL;
    wrong |= (second & 0xF0F0F0FFULL) | ((second + 0x06060600ULL) & 0xF0F0F000ULL);
    unsigned hour = (unsigned)(first & 0xF) * 10 + (unsigned)(first >> 8 & 0xF);
    unsigned minute = (unsigned)(first >> 24 & 0xF), second_tens = (unsigned)(first >> 48 & 0xF);
    return !wrong && hour < 24 && minute < 6 && (second_tens < 6 || (second_tens == 6 && !(first >> 56 & 0xF)));
}

/// The bias of `08:53:25.468+240`, `count` bytes at `p`; HK_NO_BIAS when that is not what stands there or none is told.
static inline __attribute__((always_inline)) int32_t plain_bias(const uint8_t *p, size_t count) {
    if (count < 14 || count > 16 || (p[12] != '+' && p[12] != '-') || !is_clock(p)) return HK_NO_BIAS;
    int32_t value = 0;
    for (size_t i = 13; i < count; i++) {
        if (!is_digit(p[i])) return HK_NO_BIAS;
        value = value * 10 + (p[i] - '0');
    }
    return p[12] == '-' ? -value : value;
}

/// Whether the hours and seconds of a clock that `fits` let through are some.
static inline __attribute__((always_inline)) int is_time_of_day(const uint8_t *clock) {
    // As text, the first digit highest.
    uint16_t hour, second;
    memcpy(&hour, clock, 2);
    memcpy(&second, clock + 6, 2);
#if __BYTE_ORDER__ == __ORDER_LITTLE_ENDIAN__
    hour = __builtin_bswap16(hour);
    second = __builtin_bswap16(second);
#endif
    return (hour <= ('2' << 8 | '3')) & (second <= ('6' << 8 | '0'));
}

/// The bias of a clock that is known to be one, at `p` up to `p + count`: a sign and one to three digits.
static inline __attribute__((always_inline)) int32_t bias_of(const uint8_t *p, size_t count) {
    // The last digit in the top byte, nothing before the first.
    uint32_t number;
    memcpy(&number, p + count - 4, 4);
#if __BYTE_ORDER__ != __ORDER_LITTLE_ENDIAN__
    number = __builtin_bswap32(number);
#endif
    number = (number ^ 0x30303030u) & ~0u << 8 * (5 - count);
    if (((number | (number + 0x76767676u)) & 0x80808080u) || (*p != '+' && *p != '-')) return HK_NO_BIAS;
    int32_t value = (int32_t)((number >> 8 & 0xFF) * 100 + (number >> 16 & 0xFF) * 10 + (number >> 24));
    return *p == '-' ? -value : value;
}

/// How many blanks and `~` stand before `p`, of `count` bytes.
static inline __attribute__((always_inline)) size_t blanks_before(const uint8_t *p, size_t count) {
    size_t i = 0;
    if (count >= 8) {
        const uint64_t each = 0x0101010101010101ULL, low = 0x7F * each;
        uint64_t word = word_at(p - 8), blank = word ^ ' ' * each, tab = word ^ '\t' * each, tilde = word ^ '~' * each;
        // The top bit of each byte that is none of them.
        uint64_t others = (((blank & low) + low) | blank) & (((tab & low) + low) | tab) & (((tilde & low) + low) | tilde);
        others &= ~low;
        if (others) return (size_t)__builtin_clzll(others) / 8;
        i = 8;
    }
    while (i < count && (p[-1 - (ptrdiff_t)i] == ' ' || p[-1 - (ptrdiff_t)i] == '\t' || p[-1 - (ptrdiff_t)i] == '~')) i++;
    return i;
}

/// `bias`: of the record itself, HK_NO_BIAS where it tells none that is trusted. No zone is further than 14 h from UTC.
static inline __attribute__((always_inline)) void write_record(
    hk_plain_run *run, hk_record *out, uint8_t format, size_t line, size_t start, size_t message_start, size_t message_end,
    size_t end, int32_t bias
) {
    if ((uint32_t)bias + 14 * 60 <= 28 * 60) run->bias = (int16_t)bias;
    out->format = format;
    out->is_torn = 0;
    out->origin = run->origin;
    out->start = (uint32_t)start;
    out->end = (uint32_t)end;
    out->message_start = (uint32_t)message_start;
    out->message_end = (uint32_t)message_end;
    out->known_bias = run->bias;
    out->line = (uint32_t)line;
    out->event = HK_NO_EVENT;
    out->is_unasked = 0;
}

/// What the records of a run have in common, more or less: the bias of a log changes twice a year.
typedef struct {
    /// How many bytes it takes, 0 or 2 to 4; a guess at first.
    size_t bias_count;
    /// The text of the bias that `hk_plain_run.bias` was learned from in this run; 0: none.
    uint32_t bias_text;
} plain_memory;

/// A bias of two to four bytes as one number that is not 0.
static inline __attribute__((always_inline)) uint32_t bias_text(const uint8_t *p, size_t count) {
    uint32_t text;
    memcpy(&text, p + count - 4, 4);
#if __BYTE_ORDER__ != __ORDER_LITTLE_ENDIAN__
    text = __builtin_bswap32(text);
#endif
    return text >> 8 * (4 - count);
}

/// Two digits that are known to be some.
static inline __attribute__((always_inline)) unsigned pair(const uint8_t *p) {
    return (unsigned)(p[0] & 15) * 10 + (p[1] & 15);
}

// Pieces of the plain forms, of 32 bytes: a byte of a record fits when it differs from that of the form by exclusive or
// no more than the limit says: 0 for itself, 9 for a digit where the form has `0`, 255 for any.
#define ANY6 255, 255, 255, 255, 255, 255
#define CLOCK_LIMIT 2, 9, 0, 5, 9, 0, 6, 9, 0, 9, 9, 9
enum { plain_date_count = 31, plain_context_count = 30, plain_time_count = 25 };
#define CLOSE "]LOG]!><time=\"00:00:00.000"
#define DATE "\" date=\"00-00-0000\" component=\""
#define CLOSE_LIMIT 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, CLOCK_LIMIT
#define DATE_LIMIT 0, 0, 0, 0, 0, 0, 0, 0, 9, 9, 0, 9, 9, 0, 9, 9, 9, 9, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0
/// From the mark that closes a message up to the component, by the bytes of the bias. A sign is not told from some others.
static const uint8_t plain_close[5][64] = {
    CLOSE DATE, "", CLOSE "+0" DATE, CLOSE "+00" DATE, CLOSE "+000" DATE,
};
static const uint8_t plain_close_limit[5][64] = {
    {CLOSE_LIMIT, DATE_LIMIT, ANY6, 255},
    {0},
    {CLOSE_LIMIT, 6, 9, DATE_LIMIT, 255, 255, 255, 255, 255},
    {CLOSE_LIMIT, 6, 9, 9, DATE_LIMIT, 255, 255, 255, 255},
    {CLOSE_LIMIT, 6, 9, 9, 9, DATE_LIMIT, 255, 255, 255},
};
static const uint8_t plain_context[32] = "\" context=\"\" type=\"0\" thread=\"";
static const uint8_t plain_context_limit[32] = {0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0,
                                                0, 0, 0, 9, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 255, 255};
/// Behind the component of the simple format.
static const uint8_t plain_time[32] = "><00-00-0000 00:00:00.000";
static const uint8_t plain_time_limit[32] = {0, 0, 9, 9, 0, 9, 9, 0, 9, 9, 9, 9, 0, CLOCK_LIMIT, 255, ANY6};

/// `" file="`
static inline __attribute__((always_inline)) int is_file_name(const uint8_t *p) {
    return (word_at(p) & 0x00FFFFFFFFFFFFFFULL) == 0x3D656C69662022ULL;
}
/// `><thread=`
static inline __attribute__((always_inline)) int is_thread(const uint8_t *p) {
    return word_at(p) == 0x6461657268743C3EULL && p[8] == '=';
}
/// `.cpp` before the colon.
static inline __attribute__((always_inline)) int is_cpp(const uint8_t *colon) {
    return (word_at(colon - 4) & 0xFFFFFFFF) == 0x7070632EULL;
}

/// Whether the fourteen quotes stand around the seven values of `<time="…" date="…" … file="…">`, which ends the line.
static inline __attribute__((always_inline)) int plain_attributes(
    const uint8_t *bytes, size_t trailer, size_t line_end, const uint32_t *quotes
) {
    // Eight bytes from a closing quote on tell the next name, or the front of it; the distance tells the rest.
    const uint64_t seven = 0x00FFFFFFFFFFFFFFULL;
    const uint8_t *p = bytes;
    size_t behind = quotes[13] + 1;
    return quotes[0] == trailer + 6 && (word_at(p + trailer) & seven) == 0x223D656D69743CULL   // <time="
        && quotes[2] == quotes[1] + 7 && (word_at(p + quotes[1]) & seven) == 0x3D657461642022ULL  // " date=
        && quotes[4] == quotes[3] + 12 && word_at(p + quotes[3]) == 0x6E6F706D6F632022ULL         // " compon
        && word_at(p + quotes[3] + 4) == 0x3D746E656E6F706DULL                                     // mponent=
        && quotes[6] == quotes[5] + 10 && word_at(p + quotes[5]) == 0x7865746E6F632022ULL         // " contex
        && word_at(p + quotes[5] + 2) == 0x3D747865746E6F63ULL                                     // context=
        && quotes[8] == quotes[7] + 7 && (word_at(p + quotes[7]) & seven) == 0x3D657079742022ULL  // " type=
        && quotes[10] == quotes[9] + 9 && word_at(p + quotes[9]) == 0x6461657268742022ULL         // " thread
        && p[quotes[9] + 8] == '='
        && quotes[12] == quotes[11] + 7 && (word_at(p + quotes[11]) & seven) == 0x3D656C69662022ULL  // " file=
        && behind < line_end && p[behind] == '>'
        && (behind + 1 == line_end || (behind + 2 == line_end && p[behind + 1] == '\r'));
}

/// Whether a line may begin so and be of the simple format: with a letter, `~` or `*`, and not as the text of an event.
static inline __attribute__((always_inline)) int begins_plainly(const uint8_t *p, size_t count) {
    // 2: unless a longer word stands there.
    static const uint8_t kinds[256] = {
        ['A' ... 'K'] = 1, ['L' ... 'M'] = 2, ['N' ... 'Z'] = 1, ['a' ... 'z'] = 1, ['~'] = 1, ['*'] = 1};
    uint8_t kind = kinds[p[0]];
    if (__builtin_expect(kind != 1, 0)) {
        if (!kind) return 0;
        return p[0] == 'L' ? count < 9 || memcmp(p, "Log Name:", 9) != 0
                           : count < 13 || memcmp(p, "MSWinEventLog", 13) != 0;
    }
    return 1;
}

/// `$$<COMPONENT><03-02-2026 06:00:01.123-60><thread=4840 (0x12E8)>` at `mark`, the last of its line, given where `<` and
/// `>` stand in the 128 bytes from there on. Where it ends, and the bias.
static inline __attribute__((always_inline)) int plain_simple(
    const uint8_t *bytes, size_t mark, size_t line_end, const uint64_t less[2], const uint64_t greater[2],
    uint32_t *end, int32_t *bias
) {
    size_t opens[3], closes[3];
    for (int list = 0; list < 2; list++) {
        uint64_t first = list ? greater[0] : less[0], second = list ? greater[1] : less[1];
        if (__builtin_popcountll(first) + __builtin_popcountll(second) != 3) return 0;
        for (int i = 0; i < 3; i++) {
            size_t at;
            if (first) {
                at = mark + (unsigned)__builtin_ctzll(first);
                first &= first - 1;
            } else {
                at = mark + 64 + (unsigned)__builtin_ctzll(second);
                second &= second - 1;
            }
            if (list) closes[i] = at; else opens[i] = at;
        }
    }
    if (opens[0] != mark + 2 || opens[1] != closes[0] + 1 || opens[2] != closes[1] + 1 || closes[2] < opens[2]) return 0;
    const uint8_t *time = bytes + opens[1] + 1;
    size_t count = closes[1] - opens[1] - 1;
    if (closes[1] < opens[1] + 1 + 23 || time[2] != '-' || time[5] != '-' || time[10] != ' ' || !is_clock(time + 11)) return 0;
    if (!(is_digit(time[0]) && is_digit(time[1]) && is_digit(time[3]) && is_digit(time[4]) && is_digit(time[6])
          && is_digit(time[7]) && is_digit(time[8]) && is_digit(time[9])))
        return 0;
    *bias = HK_NO_BIAS;
    if (count > 23) {
        *bias = plain_bias(time + 11, count - 11);
        if (*bias == HK_NO_BIAS) return 0;
    }
    const uint8_t *thread = bytes + opens[2];
    if (closes[2] - opens[2] < 9 || closes[2] - opens[2] > 60 || memcmp(thread, "<thread=", 8)) return 0;
    size_t behind = closes[2] + 1;
    *end = (uint32_t)behind;
    return behind == line_end || (behind + 1 == line_end && bytes[behind] == '\r');
}
#endif
