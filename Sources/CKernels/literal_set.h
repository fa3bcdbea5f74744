// What literals.h keeps, and the comparison of whole literals. Included by literals.c and vector.c alone.
#ifndef HANDSHAKED_LITERAL_SET_H
#define HANDSHAKED_LITERAL_SET_H
#include "literals.h"
#include <string.h>

/// The buckets that a byte belongs to at one position of the window, by its value, and for 16-entry look-ups as the
/// intersection of what its halves allow.
typedef struct {
    uint8_t exact[256] __attribute__((aligned(64)));
    uint8_t low[16], high[16];
} literal_classes;

typedef struct {
    /// The first four bytes of the window, the first lowest; zeros behind a shorter one.
    uint32_t key;
    /// The literals of that key, [first, last) of `order`; none when equal.
    uint32_t first, last;
} literal_slot;

struct hk_literals {
    /// Of eight buckets each.
    literal_classes classes[HK_BUCKETS / 8][HK_WINDOW];
    literal_slot *slots;
    uint32_t slot_shift, slot_mask;
    uint8_t *bytes;
    uint32_t *starts;   // count + 1
    uint8_t *windows;
    uint32_t *order;
    size_t count;
    /// Of the groups of buckets only so many have any: 1 or 2.
    size_t group_count;
    /// Bytes of the shortest literal.
    size_t shortest;
    /// Bit n: a key has n bytes, 1 to 4.
    uint32_t key_lengths;
};

static inline uint32_t literal_hash(uint32_t key, uint32_t shift) { return key * 0x9E3779B1u >> shift; }

/// A…Z to a…z in each of eight bytes.
static inline uint64_t fold_word(uint64_t word) {
    const uint64_t each = 0x0101010101010101ULL, high = 0x8080808080808080ULL;
    uint64_t low = word & ~high;
    uint64_t upper = (low + each * (0x80 - 'A')) & ~(low + each * (0x7F - 'Z')) & ~word & high;
    return word | upper >> 2;
}

static inline int literal_stands(const uint8_t *text, const uint8_t *literal, size_t length) {
    size_t i = 0;
    for (; i + 8 <= length; i += 8) {
        uint64_t a, b;
        memcpy(&a, text + i, 8);
        memcpy(&b, literal + i, 8);
        if (fold_word(a) != b) return 0;
    }
    if (i == length) return 1;
    uint64_t a = 0, b = 0;
    memcpy(&a, text + i, length - i);
    memcpy(&b, literal + i, length - i);
    return fold_word(a) == b;
}

/// Writes the literals of [from, end) whose window stands at `at`, each over `range`; `readable` bytes may be loaded.
static inline __attribute__((always_inline)) size_t literal_confirm(
    const hk_literals *set, const uint8_t *bytes, size_t readable, size_t from, size_t at, size_t end, uint32_t range,
    uint64_t *out
) {
    size_t found = 0;
    uint32_t word = 0;
    memcpy(&word, bytes + at, readable - at >= 4 ? 4 : readable - at);
#if __BYTE_ORDER__ != __ORDER_LITTLE_ENDIAN__
    word = __builtin_bswap32(word);
#endif
    word = (uint32_t)fold_word(word);
    for (uint32_t length = 4; length >= 1; length--) {
        if (!(set->key_lengths >> length & 1)) continue;
        uint32_t key = length == 4 ? word : word & ((1u << 8 * length) - 1);
        const literal_slot *slot = &set->slots[literal_hash(key, set->slot_shift)];
        while (slot->first != slot->last && slot->key != key)
            slot = &set->slots[((size_t)(slot - set->slots) + 1) & set->slot_mask];
        for (uint32_t i = slot->first; i < slot->last; i++) {
            uint32_t literal = set->order[i];
            uint32_t start = set->starts[literal], size = set->starts[literal + 1] - start;
            size_t offset = set->windows[literal];
            if (at - from < offset || end - (at - offset) < size) continue;
            // A key of another length may have the same bytes, where zeros stand in the text.
            size_t window = size - offset < 4 ? size - offset : 4;
            if (window != length || !literal_stands(bytes + at - offset, set->bytes + start, size)) continue;
            out[found++] = (uint64_t)literal << 32 | range;
        }
    }
    return found;
}
#endif
