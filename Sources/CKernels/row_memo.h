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
/// Blocks of 64 bytes whose blanks are indexed at a time: the index stays in the first cache.
#define ROW_INDEX_BLOCKS 32

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

struct hk_rows {
    size_t level;
    hk_row_columns columns;
    int has_plain_clock;
    size_t group_count, pair_count;
    row_group groups[HK_ROW_GROUPS];
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
    // Where the blanks of the text are up to `indexed`, from the row at hand on, whose first is `blanks[blank]`; behind the
    // last of them stands a place beyond every row.
    size_t indexed, blank, blank_count;
    uint32_t blanks[ROW_INDEX_BLOCKS * 64 + HK_ROW_COLUMNS + 2 * 64];
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

static inline __attribute__((always_inline)) uint32_t row_facts(hk_rows *rows, size_t ruling) {
    row_ruling *r = &rows->rulings[ruling];
    if (__builtin_expect(r->facts == UINT32_MAX, 0)) {
        r->facts = (uint32_t)rows->met_count;
        rows->met[rows->met_count++] = (uint16_t)ruling;
    }
    return r->facts;
}
#endif
