#include "plain_records.h"

/// Two digits, or 100 or more.
static inline unsigned two(const uint8_t *p) {
    unsigned tens = (uint8_t)(p[0] - '0'), ones = (uint8_t)(p[1] - '0');
    return tens > 9 || ones > 9 ? 255 : tens * 10 + ones;
}

/// `08:53:25.468` and a bias such as `+240`, up to `close`, which stands at the result; 0 when it is not that.
static size_t clock_until(const uint8_t *text, size_t at, size_t end, uint8_t close, hk_trailer *out) {
    if (end - at < 14) return 0;
    const uint8_t *p = text + at;
    unsigned hour = two(p), minute = two(p + 3), second = two(p + 6);
    unsigned tenths = two(p + 9), thousandths = (uint8_t)(p[11] - '0');
    if (p[2] != ':' || p[5] != ':' || p[8] != '.' || hour > 23 || minute > 59 || second > 60 || tenths > 99
        || thousandths > 9)
        return 0;
    out->hour = (uint8_t)hour;
    out->minute = (uint8_t)minute;
    out->second = (uint8_t)second;
    out->microsecond = (tenths * 10 + thousandths) * 1000;
    size_t i = at + 12;
    out->has_bias = text[i] == '+' || text[i] == '-';
    out->bias = 0;
    if (out->has_bias) {
        int negative = text[i++] == '-';
        size_t first = i;
        int32_t value = 0;
        while (i < end && i - first < 4 && is_digit(text[i])) value = value * 10 + (text[i++] - '0');
        if (i == first) return 0;
        out->bias = negative ? -value : value;
    }
    return i < end && text[i] == close ? i : 0;
}

/// `07-14-2021`
static int date_at(const uint8_t *p, hk_trailer *out) {
    unsigned month = two(p), day = two(p + 3), century = two(p + 6), year = two(p + 8);
    if (month > 99 || day > 99 || century > 99 || year > 99 || p[2] != '-' || p[5] != '-') return 0;
    out->month = (uint8_t)month;
    out->day = (uint8_t)day;
    out->year = (uint16_t)(century * 100 + year);
    return 1;
}

/// The first `c` in [at, end), or `end`.
static inline size_t next_byte(const uint8_t *text, size_t at, size_t end, uint8_t c) {
    const uint64_t each = 0x0101010101010101ULL;
    while (end - at >= 8) {
        uint64_t word = word_at(text + at) ^ each * c;
        uint64_t hits = (word - each) & ~word & 0x8080808080808080ULL;
        if (hits) return at + (size_t)(__builtin_ctzll(hits) >> 3);
        at += 8;
    }
    while (at < end && text[at] != c) at++;
    return at;
}

#define TAKE(literal)                                                                                   \
    do {                                                                                                \
        if (end - at < sizeof(literal) - 1 || memcmp(text + at, literal, sizeof(literal) - 1)) return 0; \
        at += sizeof(literal) - 1;                                                                      \
    } while (0)

/// `fits` of vector_body.h.
static inline int fits(const uint8_t *p, const uint8_t *form, const uint8_t *limit) {
    uint8_t wrong = 0;
    for (int i = 0; i < 32; i++) wrong |= (uint8_t)(p[i] ^ form[i]) > limit[i];
    return !wrong;
}

/// The form that native code writes, of which all but three values is compared at once; 0 for what is not quite so.
static inline int native_trailer(const uint8_t *text, size_t from, size_t end, hk_trailer *out) {
    if (end - from < 100) return 0;
    const uint8_t *clock = text + from + 7;
    size_t bias_count = 0;
    if (clock[12] != '"') bias_count = clock[15] == '"' ? 3 : clock[16] == '"' ? 4 : 2;
    const uint8_t *form = plain_close[bias_count] + 7, *limit = plain_close_limit[bias_count] + 7;
    if (!fits(text + from, form, limit) || !fits(text + from + 25, form + 25, limit + 25)) return 0;
    out->hour = (uint8_t)pair(clock);
    out->minute = (uint8_t)pair(clock + 3);
    out->second = (uint8_t)pair(clock + 6);
    out->microsecond = (pair(clock + 9) * 10 + (clock[11] & 15)) * 1000;
    if (out->hour > 23 || out->second > 60) return 0;
    out->has_bias = bias_count != 0;
    out->bias = 0;
    if (bias_count) {
        out->bias = bias_of(clock + 12, bias_count);
        if (out->bias == HK_NO_BIAS) return 0;
    }
    const uint8_t *date = clock + 12 + bias_count + 8;
    out->month = (uint8_t)pair(date);
    out->day = (uint8_t)pair(date + 3);
    out->year = (uint16_t)(pair(date + 6) * 100 + pair(date + 8));
    size_t at = from + 7 + 12 + bias_count + plain_date_count;
    out->component_start = (uint32_t)at;
    at = next_byte(text, at, end, '"');
    out->component_end = (uint32_t)at;
    if (end - at < 40 || !fits(text + at, plain_context, plain_context_limit)) return 0;
    at += plain_context_count;
    out->thread_start = (uint32_t)at;
    at = next_byte(text, at, end, '"');
    out->thread_end = (uint32_t)at;
    if (end - at < 10 || !is_file_name(text + at)) return 0;
    size_t file = at + 8;
    if (text[file - 1] != '"') return 0;
    at = next_byte(text, file, end, '"');
    if (end - at < 2 || text[at + 1] != '>') return 0;
    out->is_native = (uint8_t)names_source(text, file, at);
    out->end = (uint32_t)at + 2;
    return 1;
}

int hk_cmtrace_trailer(const uint8_t *text, size_t from, size_t end, hk_trailer *out) {
    if (native_trailer(text, from, end, out)) return 1;
    size_t at = from;
    TAKE("<time=\"");
    at = clock_until(text, at, end, '"', out);
    if (!at) return 0;
    TAKE("\" date=\"");
    if (end - at < 10 || !date_at(text + at, out)) return 0;
    at += 10;
    TAKE("\" component=\"");
    out->component_start = (uint32_t)at;
    at = next_byte(text, at, end, '"');
    out->component_end = (uint32_t)at;
    TAKE("\" context=\"");
    at = next_byte(text, at, end, '"');
    TAKE("\" type=\"");
    at = next_byte(text, at, end, '"');
    TAKE("\" thread=\"");
    out->thread_start = (uint32_t)at;
    at = next_byte(text, at, end, '"');
    out->thread_end = (uint32_t)at;
    TAKE("\" file=\"");
    size_t file = at;
    at = next_byte(text, at, end, '"');
    out->is_native = (uint8_t)names_source(text, file, at);
    TAKE("\">");
    out->end = (uint32_t)at;
    return 1;
}

int hk_simple_trailer(const uint8_t *text, size_t from, size_t end, hk_trailer *out) {
    size_t at = from;
    TAKE("$$<");
    out->component_start = (uint32_t)at;
    size_t limit = end - at < 200 ? end : at + 200;
    while (at < limit && text[at] != '>') {
        if (text[at] == '<') return 0;
        at++;
    }
    out->component_end = (uint32_t)at;
    if (at == limit) return 0;
    TAKE("><");
    if (end - at < 11 || !date_at(text + at, out) || text[at + 10] != ' ') return 0;
    at = clock_until(text, at + 11, end, '>', out);
    if (!at) return 0;
    TAKE("><thread=");
    out->thread_start = (uint32_t)at;
    limit = end - at < 60 ? end : at + 60;
    while (at < limit && is_digit(text[at])) at++;
    out->thread_end = (uint32_t)at;
    // The number in hexadecimal, in brackets.
    if (at == limit || (text[at] != ' ' && text[at] != '>')) return 0;
    at = next_byte(text, at, limit, '>');
    if (at == limit) return 0;
    out->is_native = 0;
    out->end = (uint32_t)at + 1;
    return 1;
}
