// What text_memo.h keeps. Included by text_memo.c and vector.c alone.
#ifndef HANDSHAKED_TEXT_MEMO_SET_H
#define HANDSHAKED_TEXT_MEMO_SET_H
#include "plain_records.h"
#include "text_memo.h"

/// How a message must be like the one that was noted.
enum { TEXT_FREE, TEXT_BY_SHAPE, TEXT_BY_BYTES, TEXT_VARIES };

typedef struct {
    uint32_t stream, origin;
    uint16_t component_count, message_count;
    uint8_t format, kind, candidate_count, literal_count;
    uint32_t candidates[HK_TEXT_CANDIDATES];
    uint16_t literals[2 * HK_TEXT_LITERALS];
} text_slot;

struct hk_text_memo {
    size_t level;
    uint64_t seed, shape_hits;
    uint32_t stream, turn;
    /// The day that was asked for last, as year, month and day, and its number since 1970.
    uint32_t date;
    int64_t days;
    /// Of each place, apart from the rest, so that those of all ways are met at once.
    uint64_t hashes[HK_TEXT_PLACES];
    text_slot slots[HK_TEXT_PLACES];
    /// Of each place the component, and the message's shape with its literals as they stand. Slack behind them.
    uint8_t texts[HK_TEXT_PLACES + 1][HK_TEXT_BYTES];
};

/// Of at least eight bytes.
static inline uint64_t text_hash(const uint8_t *p, size_t count, uint64_t seed) {
    uint64_t first = seed ^ count, second = seed * 0xD6E8FEB86659FD93ULL;
    size_t i = 0;
    if (count < 16) {
        first ^= word_at(p);
        second ^= word_at(p + count - 8);
    } else {
        for (; i + 16 < count; i += 16) {
            first = (first ^ word_at(p + i)) * 0x9E3779B97F4A7C15ULL;
            second = (second ^ word_at(p + i + 8)) * 0xA0761D6478BD642FULL;
            first ^= first >> 29;
            second ^= second >> 31;
        }
        // The last sixteen may overlap those before.
        first ^= word_at(p + count - 16);
        second ^= word_at(p + count - 8);
    }
    first *= 0x9E3779B97F4A7C15ULL;
    second = (second ^ second >> 31) * 0xA0761D6478BD642FULL;
    first ^= first >> 32 ^ second ^ second >> 28;
    return first * 0xD6E8FEB86659FD93ULL;
}

/// The first place for a hash. Messages that are known by their bytes have a half of their own: there may be ever new ones.
static inline size_t text_ways(uint64_t hash, int by_bytes) {
    const size_t half = HK_TEXT_PLACES / 2;
    return (by_bytes ? half : 0) + (hash >> 32) % (half / HK_TEXT_WAYS) * HK_TEXT_WAYS;
}

/// Whether a message is what was noted of another.
static inline int text_is_same(
    const uint8_t *known, const uint8_t *shape, const uint8_t *message, size_t count, const uint16_t *literals,
    size_t literal_count
) {
    size_t at = 0;
    for (size_t k = 0; k < literal_count; k++) {
        size_t from = literals[2 * k], to = literals[2 * k + 1];
        if (memcmp(known + at, shape + at, from - at) || memcmp(known + from, message + from, to - from)) return 0;
        at = to;
    }
    return !memcmp(known + at, shape + at, count - at);
}

/// The day of a civil date since 1970 (`Timestamp.daysFromCivil`).
static inline int64_t text_days(int64_t year, int64_t month, int64_t day) {
    int64_t y = month <= 2 ? year - 1 : year, era = y / 400, year_of_era = y - era * 400;
    int64_t day_of_year = (153 * (month + (month > 2 ? -3 : 9)) + 2) / 5 + day - 1;
    return era * 146097 + year_of_era * 365 + year_of_era / 4 - year_of_era / 100 + day_of_year - 719468;
}

/// No zone is further than 14 h from UTC (`ClockReading.biasLimit`).
enum { text_bias_limit = 14 * 60 };

/// The time that a trailer tells, where nothing is wrong with it and its bias is to be believed by the trailer alone; else 0.
static inline int text_time(hk_text_memo *memo, const hk_record *record, hk_text_place *place) {
    const hk_trailer *t = &place->trailer;
    uint32_t date = (uint32_t)t->year << 16 | (uint32_t)t->month << 8 | t->day;
    if (date != memo->date) {
        static const uint8_t lengths[13] = {0, 31, 29, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31};
        if (t->year < 1601 || t->year > 9998 || t->month < 1 || t->month > 12 || t->day < 1
            || t->day > lengths[t->month])
            return 0;
        if (t->month == 2 && t->day == 29 && (t->year % 4 || (t->year % 100 == 0 && t->year % 400))) return 0;
        memo->days = text_days(t->year, t->month, t->day);
        memo->date = date;
    }
    if (t->hour > 23 || t->minute > 59 || t->second > 60) return 0;
    int64_t minutes = 0;
    place->is_local = 0;
    if (t->has_bias) {
        if ((record->format == HK_FORMAT_CMTRACE && !t->is_native) || t->bias > text_bias_limit
            || t->bias < -text_bias_limit)
            return 0;
        minutes = t->bias;
    } else if (record->known_bias != HK_NO_KNOWN_BIAS) {
        minutes = record->known_bias;
    } else {
        place->is_local = 1;
    }
    int64_t seconds = memo->days * 86400 + t->hour * 3600 + (t->minute + minutes) * 60 + t->second;
    place->time = seconds * 1000000 + t->microsecond;
    return 1;
}

#endif
