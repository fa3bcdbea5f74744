// The parts of envelopes.h that do not depend on the vector level.
#ifndef HANDSHAKED_HEADS_H
#define HANDSHAKED_HEADS_H
#include "envelopes.h"
#include "plain_records.h"
#include <string.h>

/// Days from 1970-01-01 to a date of the Gregorian calendar, March first in a year.
static inline int64_t days_to(unsigned year, unsigned month, unsigned day) {
    unsigned y = month <= 2 ? year - 1 : year, era = y / 400, of_era = y - era * 400;
    unsigned of_year = (153 * (month > 2 ? month - 3 : month + 9) + 2) / 5 + day - 1;
    return (int64_t)era * 146097 + of_era * 365 + of_era / 4 - of_era / 100 + of_year - 719468;
}

static inline unsigned two_digits(const uint8_t *p) { return (unsigned)(p[0] - '0') * 10 + (unsigned)(p[1] - '0'); }

/// `2026-03-02T00:55:51` at `p` in microseconds, as if it were UTC; 0 when it is no such time, or a leap second.
static inline int clock_second(const uint8_t *p, int64_t *microseconds) {
    static const uint8_t digits[] = {0, 1, 2, 3, 5, 6, 8, 9, 11, 12, 14, 15, 17, 18};
    for (size_t i = 0; i < sizeof digits; i++)
        if (!is_digit(p[digits[i]])) return 0;
    if (p[4] != '-' || p[7] != '-' || (p[10] | 0x20) != 't' || p[13] != ':' || p[16] != ':') return 0;
    unsigned year = two_digits(p) * 100 + two_digits(p + 2), month = two_digits(p + 5), day = two_digits(p + 8);
    unsigned hour = two_digits(p + 11), minute = two_digits(p + 14), second = two_digits(p + 17);
    if (year < 1601 || year > 9998 || month < 1 || month > 12 || day < 1 || hour > 23 || minute > 59 || second > 59)
        return 0;
    unsigned is_leap = (year % 4 == 0 && year % 100 != 0) || year % 400 == 0;
    // Bits 4, 6, 9 and 11: the months of thirty days.
    if (day > (month == 2 ? 28 + is_leap : 0xA50 >> month & 1 ? 30u : 31u)) return 0;
    *microseconds = ((days_to(year, month, day) * 24 + hour) * 60 + minute) * 60000000 + (int64_t)second * 1000000;
    return 1;
}

/// `2026-03-02T00:55:51[.057031](Z|+00:00)` at `p`: its length, 0 when it is none. 48 bytes may be loaded; none of its bytes
/// can be a line end.
static inline __attribute__((always_inline)) size_t forwarder_time(
    hk_heads *heads, const uint8_t *p, int64_t *received
) {
    if (!heads->has_second || memcmp(p, heads->second, 19)) {
        heads->has_second = 0;
        if (!clock_second(p, &heads->microseconds)) return 0;
        memcpy(heads->second, p, 19);
        heads->has_second = 1;
    }
    size_t at = 19;
    int64_t value = heads->microseconds;
    // Six digits, as nearly all write: the first lowest.
    uint64_t six = word_at(p + 20) & 0x0000FFFFFFFFFFFFULL;
    uint64_t ones = six ^ 0x0000303030303030ULL;
    if (p[at] == '.' && !is_digit(p[26]) && !((ones | (ones + 0x0000060606060606ULL)) & 0x0000F0F0F0F0F0F0ULL)) {
        uint64_t twos = (ones * 10 + (ones >> 8)) & 0x000000FF00FF00FFULL;
        value += (int64_t)((twos & 0xFF) * 10000 + (twos >> 16 & 0xFF) * 100 + (twos >> 32));
        at = 26;
    } else if (p[at] == '.') {
        unsigned fraction = 0, digits = 0;
        at++;
        while (digits < 9 && is_digit(p[at])) {
            if (digits < 6) fraction = fraction * 10 + (p[at] - '0');
            digits++;
            at++;
        }
        if (!digits) return 0;
        for (; digits < 6; digits++) fraction *= 10;
        value += fraction;
    }
    if ((p[at] | 0x20) == 'z') {
        at++;
    } else {
        if ((p[at] != '+' && p[at] != '-') || p[at + 3] != ':' || !is_digit(p[at + 1]) || !is_digit(p[at + 2])
            || !is_digit(p[at + 4]) || !is_digit(p[at + 5]))
            return 0;
        unsigned hours = two_digits(p + at + 1), minutes = two_digits(p + at + 4);
        if (hours > 23 || minutes > 59) return 0;
        int64_t east = (int64_t)(hours * 60 + minutes) * 60000000;
        value += p[at] == '+' ? -east : east;
        at += 6;
    }
    *received = value;
    return at;
}

/// Where the head of a line begins, behind its time and a blank, and its form; 0 when the line does not begin so.
static inline __attribute__((always_inline)) size_t head_start(
    hk_heads *heads, const uint8_t *p, unsigned *form, int64_t *received
) {
    size_t i = 0;
    *form = HK_FORM_WRITTEN;
    if (p[0] == '<') {
        unsigned value = 0;
        i = 1;
        while (i < 4 && is_digit(p[i])) value = value * 10 + (p[i++] - '0');
        if (i == 1 || p[i] != '>' || value > 191) return 0;
        i++;
        *form = HK_FORM_RELAYED;
        if (p[i] == '1' && p[i + 1] == ' ') {
            *form = HK_FORM_RFC5424;
            i += 2;
        }
    } else if (p[10] != 'T') {
        return 0;
    }
    size_t length = forwarder_time(heads, p + i, received);
    return length && p[i + length] == ' ' ? i + length + 1 : 0;
}

static inline __attribute__((always_inline)) uint64_t folded(uint64_t a, uint64_t b) {
    __uint128_t product = (__uint128_t)a * b;
    return (uint64_t)product ^ (uint64_t)(product >> 64);
}

static const uint64_t head_keys[4] = {
    0x9E3779B97F4A7C15ULL, 0xD6E8FEB86659FD93ULL, 0xA0761D6478BD642FULL, 0xBF58476D1CE4E5B9ULL};

/// Every byte of a head that could tell it from another of the same length in the same estate: its front with the host, its
/// end with the file.
static inline __attribute__((always_inline)) uint64_t head_hash(
    uint64_t seed, const uint8_t *head, size_t count, unsigned form
) {
    const uint64_t *key = head_keys;
    uint64_t first = word_at(head), last = word_at(head + count - 8), hash = seed ^ (count << 2 | form);
    if (count >= 24)
        hash ^= folded(word_at(head + 8) ^ key[0] ^ seed, word_at(head + count - 24) ^ key[1])
            ^ folded(word_at(head + count - 16) ^ key[2] ^ seed, key[3]);
    return folded(hash ^ key[0], folded(first ^ key[1] ^ seed, last ^ key[2]) ^ key[3]);
}
#endif
