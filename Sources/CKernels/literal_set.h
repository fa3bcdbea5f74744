// What literals.h keeps, and the comparison of whole literals. Included by literals.c and vector.c alone.
#ifndef HANDSHAKED_LITERAL_SET_H
#define HANDSHAKED_LITERAL_SET_H
#include "literals.h"
#include <string.h>

/// The buckets that a byte belongs to at one position of the window, by its value, and for 16-entry look-ups as the
/// intersection of what its halves allow.
typedef struct {
    uint8_t exact[256] __attribute__((aligned(64)));
    /// By the bits 0…4 and 6 of a byte, which tell a letter whatever its case from every byte that is none.
    uint8_t folded[64] __attribute__((aligned(64)));
    uint8_t low[16], high[16];
} literal_classes;

#define LITERAL_SIEVE_BITS 14

_Static_assert(HK_WINDOW == 6 && HK_BUCKETS == 16, "the layout of hk_literals.head and tail");

typedef struct {
    /// The first four bytes of the window, the first lowest; zeros behind a shorter one.
    uint32_t key;
    /// The literals of that key, [first, last) of `entries`; none when equal.
    uint32_t first, last;
} literal_slot;

/// A literal beside its key.
typedef struct {
    /// Its first bytes, zeros behind a shorter one.
    uint8_t front[64] __attribute__((aligned(64)));
    uint32_t literal;
    uint8_t offset, size;
} literal_entry;

struct hk_literals {
    /// Of eight buckets each.
    literal_classes classes[HK_BUCKETS / 8][HK_WINDOW];
    /// The same by byte, for one byte after the other: a bit for each bucket, sixteen for each of the first four positions of
    /// the window, the first lowest, and for the two behind them.
    uint64_t head[256];
    uint32_t tail[256];
    literal_slot *slots;
    uint32_t slot_shift, slot_mask;
    uint8_t *bytes;
    uint32_t *starts;   // count + 1
    uint8_t *windows;
    literal_entry *entries;
    size_t count;
    /// Of the groups of buckets only so many have any: 1 or 2.
    size_t group_count;
    /// Bytes of the shortest literal.
    size_t shortest;
    /// Bit n: a key has n bytes, 1 to 4.
    uint32_t key_lengths;
    /// A bit for the hash of each window; for that of its first four bytes, where it has fewer than six. Where one has fewer
    /// than four there is a bit for everything.
    uint64_t whole_sieve[1 << (LITERAL_SIEVE_BITS - 6)], part_sieve[1 << (LITERAL_SIEVE_BITS - 6)];
};

static inline uint32_t literal_hash(uint32_t key, uint32_t shift) { return key * 0x9E3779B1u >> shift; }

/// A…Z to a…z in each of eight bytes.
static inline uint64_t fold_word(uint64_t word) {
    const uint64_t each = 0x0101010101010101ULL, high = 0x8080808080808080ULL;
    uint64_t low = word & ~high;
    uint64_t upper = (low + each * (0x80 - 'A')) & ~(low + each * (0x7F - 'Z')) & ~word & high;
    return word | upper >> 2;
}

static inline uint8_t fold_byte(uint8_t c) { return (uint8_t)(c - 'A') < 26 ? c | 0x20 : c; }

/// Whether the first 64 bytes of a literal stand at `text`, or all of a shorter one: 64 bytes are loaded. Where a literal ends,
/// nothing is asked; no way through depends on where that is.
static inline __attribute__((always_inline)) int literal_front_stands(const uint8_t *text, const uint8_t *front) {
    uint8_t differ = 0;
    for (int i = 0; i < 64; i++) differ |= (uint8_t)(front[i] ? fold_byte(text[i]) ^ front[i] : 0);
    return !differ;
}

static inline int literal_stands(const uint8_t *text, const uint8_t *literal, size_t length) {
    for (size_t i = 0; i < length; i++)
        if (fold_byte(text[i]) != literal[i]) return 0;
    return 1;
}

static inline uint32_t literal_sieve_hash(uint64_t window) {
    return (uint32_t)(window * 0x9E3779B97F4A7C15ULL >> (64 - LITERAL_SIEVE_BITS));
}

/// 1 where a window may begin at `at`, by its bytes; else 0.
static inline __attribute__((always_inline)) size_t literal_may_stand(
    const hk_literals *set, const uint8_t *bytes, size_t readable, size_t at
) {
    uint64_t word = 0;
    if (__builtin_expect(readable - at < 8, 0)) memcpy(&word, bytes + at, readable - at);
    else memcpy(&word, bytes + at, 8);
#if __BYTE_ORDER__ != __ORDER_LITTLE_ENDIAN__
    word = __builtin_bswap64(word);
#endif
    word = fold_word(word);
    uint32_t whole = literal_sieve_hash(word << 16), part = literal_sieve_hash((uint64_t)(uint32_t)word);
    return ((set->whole_sieve[whole / 64] >> whole % 64) | (set->part_sieve[part / 64] >> part % 64)) & 1;
}

/// Writes the literals of [from, end) whose window stands at `at`, each over `range`; `readable` bytes may be loaded.
static inline __attribute__((always_inline)) size_t literal_confirm(
    const hk_literals *set, const uint8_t *bytes, size_t readable, size_t from, size_t at, size_t end, uint32_t range,
    uint64_t *out
) {
    size_t found = 0;
    uint64_t word = 0;
    if (__builtin_expect(readable - at < 8, 0)) memcpy(&word, bytes + at, readable - at);
    else memcpy(&word, bytes + at, 8);
#if __BYTE_ORDER__ != __ORDER_LITTLE_ENDIAN__
    word = __builtin_bswap64(word);
#endif
    word = fold_word(word);
    for (uint32_t lengths = set->key_lengths; lengths; lengths &= lengths - 1) {
        uint32_t length = (uint32_t)__builtin_ctz(lengths);
        uint32_t key = (uint32_t)word & (uint32_t)((1ULL << 8 * length) - 1);
        const literal_slot *slot = &set->slots[literal_hash(key, set->slot_shift)];
        while (slot->first != slot->last && slot->key != key)
            slot = &set->slots[((size_t)(slot - set->slots) + 1) & set->slot_mask];
        for (uint32_t i = slot->first; i < slot->last; i++) {
            const literal_entry *entry = &set->entries[i];
            size_t offset = entry->offset, size = entry->size;
            if (at - from < offset || end - (at - offset) < size) continue;
            // A key of another length may have the same bytes, where zeros stand in the text.
            size_t window = size - offset < 4 ? size - offset : 4, start = at - offset;
            if (window != length) continue;
            if (__builtin_expect(readable - start < 64, 0)) {
                if (!literal_stands(bytes + start, set->bytes + set->starts[entry->literal], size)) continue;
            } else {
                if (!literal_front_stands(bytes + start, entry->front)) continue;
                if (size > 64
                    && !literal_stands(bytes + start + 64, set->bytes + set->starts[entry->literal] + 64, size - 64))
                    continue;
            }
            out[found++] = (uint64_t)entry->literal << 32 | range;
        }
    }
    return found;
}
#endif
