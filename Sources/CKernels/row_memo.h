// The memory behind rows.h, in the pieces that rows.c and vector.c share.
#ifndef HANDSHAKED_ROW_MEMO_H
#define HANDSHAKED_ROW_MEMO_H
#include "rows.h"
#include "plain_records.h"

/// By hash: where a value stands in the list of its group.
#define ROW_SLOTS 1024
#define ROW_VALUES 512
/// The count of the value that stands for none.
#define ROW_NO_VALUE UINT32_MAX
#define ROW_WORDS 1024
#define ROW_CLASS_BITS 9
/// Rows that are taken at a time.
#define ROW_BATCH 32
/// Blocks of 64 bytes that are indexed for them at most; rows that are longer are not taken here.
#define ROW_INDEX_BLOCKS 128
#define ROW_FIELDS 8192

typedef struct {
    uint8_t bytes[HK_ROW_VALUE_LIMIT];
    uint32_t count;
    uint32_t class_number;
    uint8_t pad[256 - HK_ROW_VALUE_LIMIT - 8];
} row_value;

/// A value is found by its length, its first and its last bytes, which few others share, else by all of its bytes.
typedef struct {
    uint32_t first, last;
    uint16_t near[ROW_SLOTS];
    /// A slot and the one beside it.
    uint16_t sure[ROW_SLOTS];
    /// Number 0 stands for none.
    uint32_t value_count;
    row_value *values;
} row_group;

typedef struct {
    uint64_t count;
    /// UINT32_MAX: not met.
    uint32_t facts;
    uint32_t kind;
} row_ruling;

/// Rows whose groups hold the same values: what they are, known by the lengths of all and proved by their bytes.
typedef struct {
    /// The flags and pairs of the row's word; UINT64_MAX in a free entry.
    uint64_t head;
    /// The bytes of each group, 8 bits each, 64 at most.
    uint64_t counts;
    uint32_t ruling;
    /// Where the bytes of each group's value stand behind `values`.
    uint32_t values[HK_ROW_GROUPS];
} row_combination;
#define ROW_COMBINATIONS 1024

struct hk_rows {
    size_t level;
    hk_row_columns columns;
    int has_plain_clock;
    size_t group_count, pair_count;
    row_group groups[HK_ROW_GROUPS];
    /// Of all groups.
    row_value *values;
    /// Where a group begins and ends, among the places of a row's fields, and what is taken off its end: the byte between two
    /// fields, and in the last column a carriage return too.
    struct { uint32_t first[16], behind[16], less[2][8]; } spans;
    uint32_t pairs[HK_ROW_PAIRS][2];
    // The clock of the row before: its date and time as three overlapping words where they stand in front, else as text.
    uint64_t clock[3];
    int64_t time, midnight, since, until;
    uint32_t clock_text_count[2];
    uint8_t clock_text[2][32];
    int has_clock, has_clock_text;
    int64_t first_time, last_time;
    uint64_t flags;
    // Rulings by word: open addressing, half full at most.
    size_t ruling_count;
    uint64_t words[ROW_WORDS];
    uint16_t ruling_of_word[ROW_WORDS];
    row_ruling rulings[HK_ROW_RULINGS];
    size_t met_count;
    uint16_t met[HK_ROW_RULINGS];
    row_combination combinations[ROW_COMBINATIONS];
    // Where the fields of the text begin up to `indexed`, from the row at hand on, whose first is `fields[field]`: behind
    // blanks and line ends.
    size_t indexed, field, field_count;
    uint32_t fields[ROW_FIELDS + 64];
};

static inline __attribute__((always_inline)) size_t row_word_slot(uint64_t word) {
    return (size_t)((word * 0x9E3779B97F4A7C15ULL) >> 54);
}

/// The ruling of a word; -1 when it is new.
static inline __attribute__((always_inline)) ptrdiff_t row_ruling_of(const hk_rows *rows, uint64_t word) {
    size_t slot = row_word_slot(word);
    while (rows->words[slot] != UINT64_MAX) {
        if (rows->words[slot] == word) return rows->ruling_of_word[slot];
        slot = (slot + 1) & (ROW_WORDS - 1);
    }
    return -1;
}

/// The slot in `near` of the value [from, to); eight bytes before its end and behind its start are read.
static inline __attribute__((always_inline)) size_t row_near(const uint8_t *bytes, size_t from, size_t to) {
    size_t count = to - from;
    unsigned shift = count < 8 ? (unsigned)(64 - 8 * count) & 63 : 0;
    uint64_t head = word_at(bytes + from) << shift, tail = word_at(bytes + (to < 8 ? 0 : to - 8)) >> shift;
    return (size_t)(((head + count) * 0x9E3779B97F4A7C15ULL + tail * 0xD6E8FEB86659FD93ULL) >> 54);
}

/// The last eight bytes of a value that ends at `to`, or all that it has.
static inline __attribute__((always_inline)) uint64_t row_tail(const uint8_t *end, size_t count) {
    unsigned shift = count < 8 ? (unsigned)(64 - 8 * count) & 63 : 0;
    return word_at(end - 8) >> shift;
}

/// Whether the four bytes before `left` and `right` differ by more than case.
static inline __attribute__((always_inline)) int row_differs(const uint8_t *left, const uint8_t *right) {
    uint32_t a, b;
    memcpy(&a, left - 4, 4);
    memcpy(&b, right - 4, 4);
    return ((a ^ b) & ~0x20202020u) != 0;
}

/// Whether none of the lengths is more than 64.
static inline int row_is_short(uint64_t counts) {
    for (; counts; counts >>= 8)
        if ((counts & 0xFF) > 64) return 0;
    return 1;
}

/// Where the groups of a row begin, how long they are, 8 bits each and 255 for more, and a number that their last bytes make.
static inline __attribute__((always_inline, unused)) uint64_t row_sample_any(
    const hk_rows *rows, const uint32_t *fields, size_t end, const uint8_t *tails, uint32_t *from, uint64_t *counts
) {
    uint64_t sum = 0, all = 0;
    const uint32_t *less = rows->spans.less[fields[rows->columns.count] - 1 - end];
    for (size_t k = 0; k < rows->group_count; k++) {
        uint32_t to = fields[rows->spans.behind[k]] - less[k], count = to - fields[rows->spans.first[k]];
        from[k] = fields[rows->spans.first[k]];
        all |= (uint64_t)(count < 255 ? count : 255) << 8 * k;
        sum = (sum << 17 | sum >> 47) ^ row_tail(tails + to, count);
    }
    *counts = all;
    return sum;
}

/// Whether [left, left + count) and [right, right + count) are the same text but for the case of letters, and not `-`.
static inline int row_is_same(const uint8_t *left, const uint8_t *right, size_t count) {
    if (count == 1 && left[0] == '-') return 0;
    for (size_t i = 0; i < count; i++) {
        uint8_t a = left[i], b = right[i];
        if ((uint8_t)(a - 'A') < 26) a |= 0x20;
        if ((uint8_t)(b - 'A') < 26) b |= 0x20;
        if (a != b) return 0;
    }
    return 1;
}

/// `hh:mm:ss` at `p` in microseconds; -1 when it is none that exists. Eight bytes are read.
static inline __attribute__((always_inline)) int64_t row_time_of_day(const uint8_t *p) {
    uint64_t word = word_at(p) ^ 0x30303A30303A3030ULL;
    if ((word & 0xF0F0FFF0F0FFF0F0ULL) | ((word + 0x0606000606000606ULL) & 0xF0F000F0F000F0F0ULL)) return -1;
    unsigned hour = (unsigned)(word & 0xF) * 10 + (unsigned)(word >> 8 & 0xF);
    unsigned minute = (unsigned)(word >> 24 & 0xF) * 10 + (unsigned)(word >> 32 & 0xF);
    unsigned second = (unsigned)(word >> 48 & 0xF) * 10 + (unsigned)(word >> 56 & 0xF);
    if (hour > 23 || minute > 59 || second > 59) return -1;
    return (int64_t)(hour * 3600 + minute * 60 + second) * 1000000;
}

static inline void row_forget_combinations(hk_rows *rows) {
    for (size_t i = 0; i < ROW_COMBINATIONS; i++) rows->combinations[i].head = UINT64_MAX;
}

static inline __attribute__((always_inline)) uint32_t row_facts(hk_rows *rows, size_t ruling) {
    row_ruling *r = &rows->rulings[ruling];
    if (__builtin_expect(r->facts == UINT32_MAX, 0)) {
        r->facts = (uint32_t)rows->met_count;
        rows->met[rows->met_count++] = (uint16_t)ruling;
    }
    return r->facts;
}
#endif
