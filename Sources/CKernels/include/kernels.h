// The loops over every byte.
//
// Every function reads [bytes, bytes + count) and nothing outside it.
#ifndef HANDSHAKED_KERNELS_H
#define HANDSHAKED_KERNELS_H
#include <stddef.h>
#include <stdint.h>
#include <string.h>

/// Writes the positions of every `c` in [0, count) to `out`, ascending, and returns how many; entries of `out` behind them
/// may be overwritten too, within `capacity`. `*done` is how far it came: `count`, or less where `capacity` was not sure to
/// do (64 more than there are always does).
size_t hk_positions(const uint8_t *bytes, size_t count, uint8_t c, uint32_t *out, size_t capacity, size_t *done);

// The vector levels, slowest first, from 0 (portable) up. HANDSHAKED_SIMD names one at start: portable, sse2, avx2, avx512
// or neon; without it the best that this processor has is taken.

/// How many levels this build has.
size_t hk_level_count(void);
/// The name of a level, or NULL where this processor does not have it.
const char *hk_level(size_t index);
/// `hk_count` and `hk_positions` at one level, for tests.
size_t hk_count_at(size_t level, const uint8_t *bytes, size_t count, uint8_t c);
size_t hk_positions_at(
    size_t level, const uint8_t *bytes, size_t count, uint8_t c, uint32_t *out, size_t capacity, size_t *done);

/// What frames text records: `<![LOG[` opens and `]LOG]!>` closes a message, `$$<` ends one.
#define HK_MARK_OPEN 0
#define HK_MARK_CLOSE 1
#define HK_MARK_TRAILER 2
#define HK_MARK_KINDS 3
/// Appends the position of every mark in [0, count) to the list of its kind, ascending: `out[kind]` has room for `capacity`
/// and holds `found[kind]`. A call goes on at `from`, first 0; the result is where the next is to: `count`, or less where
/// a list had no room for 64 more.
size_t hk_marks(
    const uint8_t *bytes, size_t from, size_t count, uint32_t *const out[HK_MARK_KINDS], size_t found[HK_MARK_KINDS],
    size_t capacity);
size_t hk_marks_at(
    size_t level, const uint8_t *bytes, size_t from, size_t count, uint32_t *const out[HK_MARK_KINDS],
    size_t found[HK_MARK_KINDS], size_t capacity);

/// The position of `needle` in `bytes`, or -1. `needle_count` ≥ 1.
ptrdiff_t hk_find(const uint8_t *bytes, size_t count, const uint8_t *needle, size_t needle_count);


/// The position of the first '\n' in `bytes`, or -1.
ptrdiff_t hk_first_line_end(const uint8_t *bytes, size_t count);

/// The position of the last '\n' in `bytes`, or -1; reads backwards from the end.
ptrdiff_t hk_last_line_end(const uint8_t *bytes, size_t count);

/// How many bytes are `c`.
size_t hk_count(const uint8_t *bytes, size_t count, uint8_t c);


/// The IPv4 address whose text is [text, text + count), 0 … 2^32 - 1; -1 when it is none. Three bytes before and sixteen
/// behind `text` may be read. Four parts of one to three digits, each at most 255; no branch depends on where the dots are.
static inline int64_t hk_ipv4(const uint8_t *text, size_t count) {
#if __BYTE_ORDER__ == __ORDER_LITTLE_ENDIAN__
    if (count < 7 || count > 15) return -1;
    uint64_t low, high;
    memcpy(&low, text, 8);
    memcpy(&high, text + 8, 8);
    // The top bit of every byte that is a dot, gathered.
    const uint64_t dot = 0x2E2E2E2E2E2E2E2EULL, seven = 0x7F7F7F7F7F7F7F7FULL, gather = 0x0102040810204080ULL;
    low ^= dot;
    high ^= dot;
    low = ~(((low & seven) + seven) | low | seven);
    high = ~(((high & seven) + seven) | high | seven);
    uint32_t dots = (uint32_t)(((low >> 7) * gather >> 56) | ((high >> 7) * gather >> 56) << 8);
    dots &= (1u << count) - 1;
    uint32_t second = dots & (dots - 1), third = second & (second - 1);
    if (!third || (third & (third - 1))) return -1;
    uint32_t end[4] = {
        (uint32_t)__builtin_ctz(dots), (uint32_t)__builtin_ctz(second), (uint32_t)__builtin_ctz(third), (uint32_t)count};
    uint32_t start = 0, value = 0, wrong = 0;
    for (int part = 0; part < 4; part++) {
        uint32_t length = end[part] - start;
        // The last digit is the top byte; what stands before the part is masked off.
        uint32_t word;
        memcpy(&word, text + end[part] - 4, 4);
        wrong |= length - 1 > 2;
        word = (word ^ 0x30303030u) & (0xFFFFFFFFu << (8 * ((4 - length) & 3)));
        wrong |= (word | (word + 0x76767676u)) & 0x80808080u;
        uint32_t number = (word >> 8 & 0xFF) * 100 + (word >> 16 & 0xFF) * 10 + (word >> 24);
        wrong |= number > 255;
        value = value << 8 | (number & 0xFF);
        start = end[part] + 1;
    }
    return wrong ? -1 : (int64_t)value;
#else
    (void)text;
    (void)count;
    return -1;
#endif
}

/// Asks for the cache line of `address` before it is needed; any address will do.
static inline void hk_prefetch(const void *address) { __builtin_prefetch(address); }

#endif
