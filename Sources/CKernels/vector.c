#define _GNU_SOURCE
#include "event_lines.h"
#include "events.h"
#include "heads.h"
#include "kernels.h"
#include "literal_set.h"
#include "mixed.h"
#include "plain_records.h"
#include "row_memo.h"
#include "text_memo_set.h"
#include <stdlib.h>
#include <string.h>
#if defined(__x86_64__)
#include <immintrin.h>
#elif defined(__aarch64__)
#include <arm_neon.h>
#endif

// MARK: Portable: eight bytes at a time in a general register

typedef struct { uint64_t word[8]; } portable_block;
#define EACH 0x0101010101010101ULL
#define HIGH 0x8080808080808080ULL

static inline __attribute__((always_inline)) portable_block portable_load(const uint8_t *p) {
    portable_block b;
    for (int i = 0; i < 8; i++) {
        memcpy(&b.word[i], p + 8 * i, 8);
#if __BYTE_ORDER__ != __ORDER_LITTLE_ENDIAN__
        b.word[i] = __builtin_bswap64(b.word[i]);
#endif
    }
    return b;
}

/// Gathers the top bits of eight bytes, the first byte's lowest.
static inline __attribute__((always_inline)) uint64_t portable_gather(uint64_t high) {
    return (high >> 7) * 0x0102040810204080ULL >> 56;
}

/// The top bit of every byte of `word` that lies in low...high; both are below 0x80.
static inline __attribute__((always_inline)) uint64_t portable_range(uint64_t word, uint8_t low, uint8_t high) {
    uint64_t seven = word & ~HIGH;
    return (seven + EACH * (0x80 - low)) & ~(seven + EACH * (0x7F - high)) & ~word & HIGH;
}

#define PORTABLE_MASK(expression)                                    \
    uint64_t mask = 0;                                               \
    for (int i = 0; i < 8; i++) {                                    \
        uint64_t w = b.word[i];                                      \
        mask |= portable_gather(expression) << (8 * i);              \
    }                                                                \
    return mask

static inline __attribute__((always_inline)) uint64_t portable_equal(portable_block b, uint8_t c) {
    PORTABLE_MASK(portable_range(w, c, c));
}
static inline __attribute__((always_inline)) uint64_t portable_equal_folded(portable_block b, uint8_t c) {
    PORTABLE_MASK(portable_range(w | 0x20 * EACH, c, c));
}
static inline __attribute__((always_inline)) uint64_t portable_letters(portable_block b) {
    PORTABLE_MASK(portable_range(w | 0x20 * EACH, 'a', 'z'));
}
static inline __attribute__((always_inline)) uint64_t portable_words(portable_block b) {
    PORTABLE_MASK(
        portable_range(w | 0x20 * EACH, 'a', 'z') | portable_range(w, '0', '9') | portable_range(w, '-', '.')
        | portable_range(w, '+', '+'));
}
static inline __attribute__((always_inline)) uint64_t portable_digits(portable_block b) {
    PORTABLE_MASK(portable_range(w, '0', '9'));
}
static inline __attribute__((always_inline)) int portable_fits(const uint8_t *p, const uint8_t *form, const uint8_t *limit) {
    uint8_t wrong = 0;
    for (int i = 0; i < 32; i++) wrong |= (uint8_t)(p[i] ^ form[i]) > limit[i];
    return !wrong;
}
static inline __attribute__((always_inline)) uint64_t portable_prefix_xor(uint64_t m) {
    for (int shift = 1; shift < 64; shift *= 2) m ^= m << shift;
    return m;
}

static inline __attribute__((always_inline)) uint64_t portable_same(portable_block b, const uint8_t *p) {
    portable_block other = portable_load(p);
    uint64_t mask = 0;
    for (int i = 0; i < 8; i++) mask |= portable_gather(portable_range(b.word[i] ^ other.word[i], 0, 0)) << (8 * i);
    return mask;
}
static inline __attribute__((always_inline)) uint64_t portable_digest(portable_block b, size_t count) {
    uint64_t hash = 0;
    for (size_t i = 0; 8 * i < count; i++) {
        uint64_t word = b.word[i];
        if (count - 8 * i < 8) word &= (1ULL << (8 * (count - 8 * i))) - 1;
        hash = (hash ^ word) * 0xD6E8FEB86659FD93ULL;
        hash ^= hash >> 32;
    }
    return hash;
}
/// The last `count` of 64 bytes from `first_bytes + count` on are zero: what is kept of a block of `count` bytes begins at
/// `first_bytes + 64 - count`.
static const uint8_t first_bytes[128] = {
    0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF,
    0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF,
    0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF};
/// Odd numbers, one for each pair of bytes.
static const uint16_t digest_factors[32] = {
    0x9E37, 0x79B9, 0x7F4B, 0x7C15, 0xD6E9, 0xFEB9, 0x6659, 0xFD93, 0xA077, 0x1D65, 0x78BD, 0x642F, 0x8EBD, 0x6B71, 0x42C1, 0x5A8D,
    0xE703, 0x7ED1, 0xB45D, 0x9A13, 0x58F1, 0x3C6F, 0xC2B3, 0x27D5, 0x94D1, 0x49BB, 0x1331, 0x11EB, 0xBF59, 0x476D, 0x1CE5, 0xE5B9};

/// Four at a time: where bits are few, a branch for each would be guessed wrong too often.
static inline __attribute__((always_inline)) void portable_write_bits(uint64_t m, uint32_t base, uint32_t *out) {
    while (m) {
        for (int k = 0; k < 4; k++) {
            out[k] = base + (uint32_t)__builtin_ctzll(m | 1ULL << 63);
            m &= m - 1;
        }
        out += 4;
    }
}

/// `among` by one compare for each byte of the set, which is known when this is compiled.
#define HK_AMONG(b, set)                                                                                     \
    ({                                                                                                       \
        uint64_t found = 0;                                                                                  \
        for (int nibble = 0; nibble < 16; nibble++)                                                          \
            if (((set)[nibble] & 15) == nibble && (set)[nibble]) found |= equal(b, (set)[nibble]);           \
        found;                                                                                               \
    })

/// As `portable_write_bits`, to 16-bit entries.
static inline __attribute__((always_inline)) void portable_write_near(uint64_t m, uint16_t base, uint16_t *out) {
    while (m) {
        for (int k = 0; k < 4; k++) {
            out[k] = (uint16_t)(base + (unsigned)__builtin_ctzll(m | 1ULL << 63));
            m &= m - 1;
        }
        out += 4;
    }
}

typedef struct { uint64_t word[4]; } portable_half;

static inline __attribute__((always_inline)) portable_half portable_differs(const uint8_t *p, const uint8_t *literal) {
    portable_half out;
    for (int i = 0; i < 4; i++) {
        uint64_t left, right;
        memcpy(&left, p + 8 * i, 8);
        memcpy(&right, literal + 8 * i, 8);
        uint64_t stands = (((right & ~HIGH) + ~HIGH) | right) & HIGH;
        out.word[i] = (left ^ right) & (stands >> 7) * 0xFF;
    }
    return out;
}
static inline __attribute__((always_inline)) portable_half portable_strays(const uint8_t *p, size_t count) {
    return (portable_half){{~portable_words(portable_load(p)) & ((1ULL << count) - 1), 0, 0, 0}};
}
static inline __attribute__((always_inline)) portable_half portable_either(portable_half a, portable_half b) {
    for (int i = 0; i < 4; i++) a.word[i] |= b.word[i];
    return a;
}
static inline __attribute__((always_inline)) int portable_is_none(portable_half a) {
    return !(a.word[0] | a.word[1] | a.word[2] | a.word[3]);
}

/// Byte by byte: a bit that stands moves on by one position of the window where its bucket has the byte there.
static inline __attribute__((always_inline)) uint64_t portable_places(const hk_literals *set, const uint8_t *p) {
    uint64_t mask = 0, head = 0;
    uint32_t tail = 0;
    for (int i = 0; i < 64 + HK_WINDOW - 1; i++) {
        tail = (tail << 16 | (uint32_t)(head >> 48)) & set->tail[p[i]];
        head = (head << 16 | 0xFFFF) & set->head[p[i]];
        // The first bits fall off: no window has ended yet.
        mask = mask >> 1 | (uint64_t)(tail > 0xFFFF) << 63;
    }
    return mask;
}

/// Sorts the mark that `LOG` or `$$` at `at` belongs to, if any, into its list.
static inline __attribute__((always_inline)) void mark_at(
    const uint8_t *bytes, size_t at, size_t count, uint32_t *const out[HK_MARK_KINDS], size_t found[HK_MARK_KINDS]
) {
    if (bytes[at] == '$') {
        if (count - at >= 3 && bytes[at + 2] == '<')
            out[HK_MARK_TRAILER][found[HK_MARK_TRAILER]++] = (uint32_t)at;
    } else if (at >= 3 && count - at >= 4 && !memcmp(bytes + at - 3, "<![LOG[", 7)) {
        out[HK_MARK_OPEN][found[HK_MARK_OPEN]++] = (uint32_t)(at - 3);
    } else if (at >= 1 && count - at >= 6 && !memcmp(bytes + at - 1, "]LOG]!>", 7)) {
        out[HK_MARK_CLOSE][found[HK_MARK_CLOSE]++] = (uint32_t)(at - 1);
    }
}

/// Lines and bytes of a window of events (event_lines_body.h): what stays in the nearest cache.
#define HK_EVENT_WINDOW_LINES 128
#define HK_EVENT_WINDOW_BYTES 8192
static const uint8_t hk_json_marks[16] __attribute__((aligned(16))) = {[0] = 1, [2] = '"', [10] = '\n'};
static const uint8_t hk_xml_marks[16] __attribute__((aligned(16))) = {
    [0] = 1, [2] = '"', [7] = '\'', [10] = '\n', [12] = '<', [14] = '>'};

/// Takes the quotes that stand outside of tags from the marks 1..<stop of a line, and puts its end behind them: the new
/// place of the end. 0 when no quote does, or when `<` and `>` do not take turns.
static size_t hk_xml_marks_in_tags(const uint8_t *base, uint16_t *marks, size_t stop) {
    size_t kept = 1;
    int is_tag = 0;
    for (size_t i = 1; i < stop; i++) {
        uint8_t mark = base[marks[i]];
        if (mark == '<' || mark == '>') {
            if (is_tag != (mark == '>')) return 0;
            is_tag = !is_tag;
        } else if (!is_tag) {
            continue;
        }
        marks[kept++] = marks[i];
    }
    if (kept == stop) return 0;
    marks[kept] = marks[stop];
    return kept;
}

#define HK_TARGET
#define HK_NAME(name) name##_portable
#define places portable_places
#define block portable_block
#define load portable_load
#define equal portable_equal
#define equal_folded portable_equal_folded
#define letters portable_letters
#define words portable_words
#define digits portable_digits
#define fits portable_fits
#define prefix_xor portable_prefix_xor
#define write_bits portable_write_bits
#define same portable_same
#define digest portable_digest
#define ipv4 hk_ipv4
#define row_sample row_sample_any
#define write_near portable_write_near
#define among(b, set) HK_AMONG(b, set)
#define none_of(a, b) (((a) | (b)) == 0)
#define half portable_half
#define differs portable_differs
#define strays portable_strays
#define either portable_either
#define is_none portable_is_none
#include "vector_body.h"
#include "vector_undefine.h"

#if defined(__x86_64__)
// MARK: SSE2: part of every x86-64

typedef struct { __m128i part[4]; } sse2_block;

static inline __attribute__((always_inline)) sse2_block sse2_load(const uint8_t *p) {
    sse2_block b;
    for (int i = 0; i < 4; i++) b.part[i] = _mm_loadu_si128((const __m128i *)(p + 16 * i));
    return b;
}

#define SSE2_MASK(expression)                                                          \
    uint64_t mask = 0;                                                                 \
    for (int i = 0; i < 4; i++) {                                                      \
        __m128i v = b.part[i];                                                         \
        mask |= (uint64_t)(unsigned)_mm_movemask_epi8(expression) << (16 * i);         \
    }                                                                                  \
    return mask

static inline __attribute__((always_inline)) __m128i sse2_range(__m128i v, uint8_t low, uint8_t high) {
    __m128i distance = _mm_sub_epi8(v, _mm_set1_epi8((char)low));
    return _mm_cmpeq_epi8(_mm_min_epu8(distance, _mm_set1_epi8((char)(high - low))), distance);
}
static inline __attribute__((always_inline)) uint64_t sse2_equal(sse2_block b, uint8_t c) {
    SSE2_MASK(_mm_cmpeq_epi8(v, _mm_set1_epi8((char)c)));
}
static inline __attribute__((always_inline)) uint64_t sse2_equal_folded(sse2_block b, uint8_t c) {
    SSE2_MASK(_mm_cmpeq_epi8(_mm_or_si128(v, _mm_set1_epi8(0x20)), _mm_set1_epi8((char)c)));
}
static inline __attribute__((always_inline)) uint64_t sse2_letters(sse2_block b) {
    SSE2_MASK(sse2_range(_mm_or_si128(v, _mm_set1_epi8(0x20)), 'a', 'z'));
}
static inline __attribute__((always_inline)) uint64_t sse2_words(sse2_block b) {
    SSE2_MASK(_mm_or_si128(
        _mm_or_si128(sse2_range(_mm_or_si128(v, _mm_set1_epi8(0x20)), 'a', 'z'), sse2_range(v, '0', '9')),
        _mm_or_si128(sse2_range(v, '-', '.'), _mm_cmpeq_epi8(v, _mm_set1_epi8('+')))));
}

static inline __attribute__((always_inline)) uint64_t sse2_digits(sse2_block b) { SSE2_MASK(sse2_range(v, '0', '9')); }
static inline __attribute__((always_inline)) int sse2_fits(const uint8_t *p, const uint8_t *form, const uint8_t *limit) {
    unsigned fitting = 0xFFFF;
    for (int i = 0; i < 32; i += 16) {
        __m128i v = _mm_xor_si128(
            _mm_loadu_si128((const __m128i *)(p + i)), _mm_loadu_si128((const __m128i *)(form + i)));
        fitting &= (unsigned)_mm_movemask_epi8(
            _mm_cmpeq_epi8(_mm_min_epu8(v, _mm_loadu_si128((const __m128i *)(limit + i))), v));
    }
    return fitting == 0xFFFF;
}
static inline __attribute__((always_inline)) uint64_t sse2_same(sse2_block b, const uint8_t *p) {
    sse2_block other = sse2_load(p);
    uint64_t mask = 0;
    for (int i = 0; i < 4; i++)
        mask |= (uint64_t)(unsigned)_mm_movemask_epi8(_mm_cmpeq_epi8(b.part[i], other.part[i])) << (16 * i);
    return mask;
}
static inline __attribute__((always_inline)) uint64_t sse2_fold(__m128i sum) {
    uint64_t high = (uint64_t)_mm_cvtsi128_si64(_mm_unpackhi_epi64(sum, sum));
    return (uint64_t)_mm_cvtsi128_si64(sum) ^ (high << 23 | high >> 41);
}
static inline __attribute__((always_inline)) uint64_t sse2_digest(sse2_block b, size_t count) {
    sse2_block kept = sse2_load(first_bytes + 64 - count), factors = sse2_load((const uint8_t *)digest_factors);
    __m128i sum = _mm_setzero_si128();
    for (int i = 0; i < 4; i++)
        sum = _mm_add_epi32(sum, _mm_madd_epi16(_mm_and_si128(b.part[i], kept.part[i]), factors.part[i]));
    return sse2_fold(sum);
}
typedef struct { __m128i low, high; } sse2_half;

static inline __attribute__((always_inline)) sse2_half sse2_differs(const uint8_t *p, const uint8_t *literal) {
    const __m128i *text = (const __m128i *)p, *other = (const __m128i *)literal;
    __m128i low = _mm_loadu_si128(other), high = _mm_loadu_si128(other + 1), zero = _mm_setzero_si128();
    return (sse2_half){
        _mm_andnot_si128(_mm_cmpeq_epi8(low, zero), _mm_xor_si128(_mm_loadu_si128(text), low)),
        _mm_andnot_si128(_mm_cmpeq_epi8(high, zero), _mm_xor_si128(_mm_loadu_si128(text + 1), high))};
}
static inline __attribute__((always_inline)) sse2_half sse2_strays(const uint8_t *p, size_t count) {
    uint64_t found = ~sse2_words(sse2_load(p)) & ((1ULL << count) - 1);
    return (sse2_half){_mm_cvtsi64_si128((long long)found), _mm_setzero_si128()};
}
static inline __attribute__((always_inline)) sse2_half sse2_either(sse2_half a, sse2_half b) {
    return (sse2_half){_mm_or_si128(a.low, b.low), _mm_or_si128(a.high, b.high)};
}
static inline __attribute__((always_inline)) int sse2_is_none(sse2_half a) {
    return _mm_movemask_epi8(_mm_cmpeq_epi8(_mm_or_si128(a.low, a.high), _mm_setzero_si128())) == 0xFFFF;
}

#define HK_TARGET
#define same sse2_same
#define digest sse2_digest
#define ipv4 hk_ipv4
#define row_sample row_sample_any
#define HK_NAME(name) name##_sse2
#define places portable_places  // SSE2 has no look-up of bytes
#define block sse2_block
#define load sse2_load
#define equal sse2_equal
#define equal_folded sse2_equal_folded
#define letters sse2_letters
#define words sse2_words
#define digits sse2_digits
#define fits sse2_fits
#define prefix_xor portable_prefix_xor
#define write_bits portable_write_bits
#define write_near portable_write_near
#define among(b, set) HK_AMONG(b, set)
#define none_of(a, b) (((a) | (b)) == 0)
#define half sse2_half
#define differs sse2_differs
#define strays sse2_strays
#define either sse2_either
#define is_none sse2_is_none
#include "vector_body.h"
#include "vector_undefine.h"

// MARK: AVX2, with the carry-less product that makes a prefix parity one instruction

#define HK_AVX2 __attribute__((target("avx2,bmi,bmi2,popcnt,pclmul")))
#define HK_AVX2_INLINE static inline __attribute__((always_inline)) HK_AVX2
typedef struct { __m256i low, high; } avx2_block;

HK_AVX2_INLINE avx2_block avx2_load(const uint8_t *p) {
    return (avx2_block){_mm256_loadu_si256((const __m256i *)p), _mm256_loadu_si256((const __m256i *)(p + 32))};
}
HK_AVX2_INLINE uint64_t avx2_bits(__m256i low, __m256i high) {
    return (uint32_t)_mm256_movemask_epi8(low) | (uint64_t)(uint32_t)_mm256_movemask_epi8(high) << 32;
}
HK_AVX2_INLINE __m256i avx2_range(__m256i v, uint8_t low, uint8_t high) {
    __m256i distance = _mm256_sub_epi8(v, _mm256_set1_epi8((char)low));
    return _mm256_cmpeq_epi8(_mm256_min_epu8(distance, _mm256_set1_epi8((char)(high - low))), distance);
}
HK_AVX2_INLINE __m256i avx2_folded(__m256i v) { return _mm256_or_si256(v, _mm256_set1_epi8(0x20)); }
HK_AVX2_INLINE __m256i avx2_word(__m256i v) {
    // '+' to '9' is the range but for ',' and '/'.
    __m256i others = _mm256_or_si256(
        _mm256_cmpeq_epi8(v, _mm256_set1_epi8(',')), _mm256_cmpeq_epi8(v, _mm256_set1_epi8('/')));
    return _mm256_or_si256(
        avx2_range(avx2_folded(v), 'a', 'z'), _mm256_andnot_si256(others, avx2_range(v, '+', '9')));
}
HK_AVX2_INLINE uint64_t avx2_equal(avx2_block b, uint8_t c) {
    __m256i wanted = _mm256_set1_epi8((char)c);
    return avx2_bits(_mm256_cmpeq_epi8(b.low, wanted), _mm256_cmpeq_epi8(b.high, wanted));
}
HK_AVX2_INLINE uint64_t avx2_equal_folded(avx2_block b, uint8_t c) {
    __m256i wanted = _mm256_set1_epi8((char)c);
    return avx2_bits(_mm256_cmpeq_epi8(avx2_folded(b.low), wanted), _mm256_cmpeq_epi8(avx2_folded(b.high), wanted));
}
HK_AVX2_INLINE uint64_t avx2_letters(avx2_block b) {
    return avx2_bits(avx2_range(avx2_folded(b.low), 'a', 'z'), avx2_range(avx2_folded(b.high), 'a', 'z'));
}
HK_AVX2_INLINE uint64_t avx2_words(avx2_block b) { return avx2_bits(avx2_word(b.low), avx2_word(b.high)); }
HK_AVX2_INLINE uint64_t avx2_digits(avx2_block b) {
    return avx2_bits(avx2_range(b.low, '0', '9'), avx2_range(b.high, '0', '9'));
}
HK_AVX2_INLINE int avx2_fits(const uint8_t *p, const uint8_t *form, const uint8_t *limit) {
    __m256i v = _mm256_xor_si256(
        _mm256_loadu_si256((const __m256i *)p), _mm256_loadu_si256((const __m256i *)form));
    __m256i least = _mm256_min_epu8(v, _mm256_loadu_si256((const __m256i *)limit));
    return _mm256_movemask_epi8(_mm256_cmpeq_epi8(least, v)) == -1;
}
HK_AVX2_INLINE uint64_t avx2_prefix_xor(uint64_t m) {
    return (uint64_t)_mm_cvtsi128_si64(
        _mm_clmulepi64_si128(_mm_set_epi64x(0, (long long)m), _mm_set1_epi8((char)0xFF), 0));
}

HK_AVX2_INLINE void avx2_write_bits(uint64_t m, uint32_t base, uint32_t *out) {
    while (m) {
        for (int k = 0; k < 4; k++) {
            out[k] = base + (uint32_t)_tzcnt_u64(m);
            m = _blsr_u64(m);
        }
        out += 4;
    }
}

HK_AVX2_INLINE void avx2_write_near(uint64_t m, uint16_t base, uint16_t *out) {
    while (m) {
        for (int k = 0; k < 4; k++) {
            out[k] = (uint16_t)(base + (unsigned)_tzcnt_u64(m));
            m = _blsr_u64(m);
        }
        out += 4;
    }
}
HK_AVX2_INLINE uint64_t avx2_among(avx2_block b, const uint8_t *set) {
    __m256i all = _mm256_broadcastsi128_si256(_mm_loadu_si128((const __m128i *)set));
    return avx2_bits(
        _mm256_cmpeq_epi8(b.low, _mm256_shuffle_epi8(all, b.low)),
        _mm256_cmpeq_epi8(b.high, _mm256_shuffle_epi8(all, b.high)));
}
/// The sign of a literal's byte leaves a difference or turns it, and clears it where there is none.
HK_AVX2_INLINE __m256i avx2_differs(const uint8_t *p, const uint8_t *literal) {
    __m256i other = _mm256_loadu_si256((const __m256i *)literal);
    return _mm256_sign_epi8(_mm256_xor_si256(_mm256_loadu_si256((const __m256i *)p), other), other);
}
/// What may stand in a word is told by its two halves: `+` `-` `.`, digits, and the letters of two rows each.
HK_AVX2_INLINE __m256i avx2_strays(const uint8_t *p, size_t count) {
    const __m256i low = _mm256_broadcastsi128_si256(
        _mm_setr_epi8(10, 14, 14, 14, 14, 14, 14, 14, 14, 14, 12, 5, 4, 5, 5, 4));
    const __m256i high = _mm256_broadcastsi128_si256(_mm_setr_epi8(0, 0, 1, 2, 4, 8, 4, 8, 0, 0, 0, 0, 0, 0, 0, 0));
    __m256i v = _mm256_loadu_si256((const __m256i *)p);
    __m256i rows = _mm256_and_si256(_mm256_srli_epi16(v, 4), _mm256_set1_epi8(15));
    __m256i fits = _mm256_and_si256(_mm256_shuffle_epi8(low, v), _mm256_shuffle_epi8(high, rows));
    __m256i counted = _mm256_loadu_si256((const __m256i *)(first_bytes + 64 - count));
    return _mm256_and_si256(_mm256_cmpeq_epi8(fits, _mm256_setzero_si256()), counted);
}
HK_AVX2_INLINE __m256i avx2_either(__m256i a, __m256i b) { return _mm256_or_si256(a, b); }
HK_AVX2_INLINE int avx2_is_none(__m256i a) { return _mm256_testz_si256(a, a); }

HK_AVX2_INLINE uint64_t avx2_places(const hk_literals *set, const uint8_t *p) {
    const __m256i half = _mm256_set1_epi8(15), zero = _mm256_setzero_si256();
    // By group of buckets and half of the block.
    __m256i all[HK_BUCKETS / 8][2];
#pragma clang loop unroll(full)
    for (int k = 0; k < HK_WINDOW; k++) {
        __m256i low[2], high[2];
        for (int part = 0; part < 2; part++) {
            __m256i v = _mm256_loadu_si256((const __m256i *)(p + k + 32 * part));
            low[part] = _mm256_and_si256(v, half);
            high[part] = _mm256_and_si256(_mm256_srli_epi16(v, 4), half);
        }
        for (int group = 0; group < HK_BUCKETS / 8; group++) {
            const literal_classes *classes = &set->classes[group][k];
            __m256i by_low = _mm256_broadcastsi128_si256(_mm_load_si128((const __m128i *)classes->low));
            __m256i by_high = _mm256_broadcastsi128_si256(_mm_load_si128((const __m128i *)classes->high));
            for (int part = 0; part < 2; part++) {
                __m256i buckets = _mm256_and_si256(
                    _mm256_shuffle_epi8(by_low, low[part]), _mm256_shuffle_epi8(by_high, high[part]));
                all[group][part] = k ? _mm256_and_si256(all[group][part], buckets) : buckets;
            }
        }
    }
    return ~avx2_bits(
        _mm256_cmpeq_epi8(_mm256_or_si256(all[0][0], all[1][0]), zero),
        _mm256_cmpeq_epi8(_mm256_or_si256(all[0][1], all[1][1]), zero));
}

HK_AVX2_INLINE uint64_t avx2_same(avx2_block b, const uint8_t *p) {
    avx2_block other = avx2_load(p);
    return avx2_bits(_mm256_cmpeq_epi8(b.low, other.low), _mm256_cmpeq_epi8(b.high, other.high));
}
HK_AVX2_INLINE uint64_t avx2_fold(__m256i sum) {
    __m128i half = _mm_add_epi32(_mm256_castsi256_si128(sum), _mm256_extracti128_si256(sum, 1));
    uint64_t high = (uint64_t)_mm_extract_epi64(half, 1);
    return (uint64_t)_mm_cvtsi128_si64(half) ^ (high << 23 | high >> 41);
}
HK_AVX2_INLINE uint64_t avx2_digest(avx2_block b, size_t count) {
    avx2_block kept = avx2_load(first_bytes + 64 - count), factors = avx2_load((const uint8_t *)digest_factors);
    return avx2_fold(_mm256_add_epi32(
        _mm256_madd_epi16(_mm256_and_si256(b.low, kept.low), factors.low),
        _mm256_madd_epi16(_mm256_and_si256(b.high, kept.high), factors.high)));
}

/// `hk_ipv4` with the digits of each part moved into a lane of its own.
HK_AVX2_INLINE int64_t avx2_ipv4(const uint8_t *text, size_t count) {
    if (count - 7 > 8) return -1;
    __m128i v = _mm_loadu_si128((const __m128i *)text);
    unsigned dots = (unsigned)_mm_movemask_epi8(_mm_cmpeq_epi8(v, _mm_set1_epi8('.')));
    dots = (dots & ((1u << count) - 1)) | 1u << count;
    unsigned second = _blsr_u32(dots), third = _blsr_u32(second), last = _blsr_u32(third);
    // Where each part ends, and 255 behind the last.
    __m128i ends = _mm_or_si128(
        _mm_cvtsi32_si128((int)(_tzcnt_u32(dots) | _tzcnt_u32(second) << 8 | _tzcnt_u32(third) << 16 | (unsigned)count << 24)),
        _mm_setr_epi32(0, -1, -1, -1));
    __m128i before = _mm_shuffle_epi8(ends, _mm_setr_epi8(15, 15, 15, 15, 0, 0, 0, 0, 1, 1, 1, 1, 2, 2, 2, 2));
    __m128i place = _mm_sub_epi8(
        _mm_shuffle_epi8(ends, _mm_setr_epi8(0, 0, 0, 0, 1, 1, 1, 1, 2, 2, 2, 2, 3, 3, 3, 3)),
        _mm_setr_epi8(4, 3, 2, 1, 4, 3, 2, 1, 4, 3, 2, 1, 4, 3, 2, 1));
    // Of the four places before the end of each part, the last must be a digit of it and the first none.
    __m128i held = _mm_cmpgt_epi8(place, before);
    __m128i digits = _mm_and_si128(held, _mm_sub_epi8(_mm_shuffle_epi8(v, place), _mm_set1_epi8('0')));
    __m128i parts = _mm_madd_epi16(
        _mm_maddubs_epi16(digits, _mm_setr_epi8(0, 100, 10, 1, 0, 100, 10, 1, 0, 100, 10, 1, 0, 100, 10, 1)),
        _mm_set1_epi16(1));
    __m128i most = _mm_or_si128(
        _mm_subs_epu8(digits, _mm_set1_epi8(9)), _mm_cmpgt_epi32(parts, _mm_set1_epi32(255)));
    unsigned wrong = (((unsigned)_mm_movemask_epi8(held) & 0x9999u) ^ 0x8888u) | (last ^ 1u << count)
        | (unsigned)!_mm_testz_si128(most, most);
    uint32_t value = (uint32_t)_mm_cvtsi128_si32(
        _mm_shuffle_epi8(parts, _mm_setr_epi8(12, 8, 4, 0, 12, 8, 4, 0, 12, 8, 4, 0, 12, 8, 4, 0)));
    return wrong ? -1 : (int64_t)value;
}

#define HK_TARGET HK_AVX2
#define same avx2_same
#define digest avx2_digest
#define ipv4 avx2_ipv4
#define row_sample row_sample_any
#define places avx2_places
#define HK_NAME(name) name##_avx2
#define block avx2_block
#define load avx2_load
#define equal avx2_equal
#define equal_folded avx2_equal_folded
#define letters avx2_letters
#define words avx2_words
#define digits avx2_digits
#define fits avx2_fits
#define prefix_xor avx2_prefix_xor
#define write_bits avx2_write_bits
#define write_near avx2_write_near
#define among avx2_among
#define none_of(a, b) (((a) | (b)) == 0)
#define half __m256i
#define differs avx2_differs
#define strays avx2_strays
#define either avx2_either
#define is_none avx2_is_none
#include "vector_body.h"
#include "vector_undefine.h"

// MARK: AVX-512

#define HK_AVX512 __attribute__((target("avx512f,avx512bw,avx512vl,avx512vbmi,avx512vbmi2,gfni,avx2,bmi,bmi2,popcnt,pclmul")))
#define HK_AVX512_INLINE static inline __attribute__((always_inline)) HK_AVX512

HK_AVX512_INLINE __m512i avx512_load(const uint8_t *p) { return _mm512_loadu_si512(p); }
HK_AVX512_INLINE uint64_t avx512_range(__m512i v, uint8_t low, uint8_t high) {
    return _mm512_cmple_epu8_mask(
        _mm512_sub_epi8(v, _mm512_set1_epi8((char)low)), _mm512_set1_epi8((char)(high - low)));
}
HK_AVX512_INLINE __m512i avx512_folded(__m512i v) { return _mm512_or_si512(v, _mm512_set1_epi8(0x20)); }
HK_AVX512_INLINE uint64_t avx512_equal(__m512i b, uint8_t c) {
    return _mm512_cmpeq_epi8_mask(b, _mm512_set1_epi8((char)c));
}
HK_AVX512_INLINE uint64_t avx512_equal_folded(__m512i b, uint8_t c) {
    return _mm512_cmpeq_epi8_mask(avx512_folded(b), _mm512_set1_epi8((char)c));
}
HK_AVX512_INLINE uint64_t avx512_letters(__m512i b) { return avx512_range(avx512_folded(b), 'a', 'z'); }
HK_AVX512_INLINE uint64_t avx512_words(__m512i b) {
    return avx512_letters(b) | (avx512_range(b, '+', '9') & ~avx512_equal(b, ',') & ~avx512_equal(b, '/'));
}
HK_AVX512_INLINE uint64_t avx512_digits(__m512i b) { return avx512_range(b, '0', '9'); }
HK_AVX512_INLINE int avx512_fits(const uint8_t *p, const uint8_t *form, const uint8_t *limit) {
    __m256i v = _mm256_xor_si256(
        _mm256_loadu_si256((const __m256i *)p), _mm256_loadu_si256((const __m256i *)form));
    return !_mm256_cmpgt_epu8_mask(v, _mm256_loadu_si256((const __m256i *)limit));
}
HK_AVX512_INLINE uint64_t avx512_prefix_xor(uint64_t m) {
    return (uint64_t)_mm_cvtsi128_si64(
        _mm_clmulepi64_si128(_mm_set_epi64x(0, (long long)m), _mm_set1_epi8((char)0xFF), 0));
}

/// The numbers 0…63 are compressed to those whose bit is set, and widened sixteen at a time.
HK_AVX512_INLINE void avx512_write_bits(uint64_t m, uint32_t base, uint32_t *out) {
    const __m512i numbers = _mm512_set_epi8(
        63, 62, 61, 60, 59, 58, 57, 56, 55, 54, 53, 52, 51, 50, 49, 48, 47, 46, 45, 44, 43, 42, 41, 40, 39, 38, 37, 36,
        35, 34, 33, 32, 31, 30, 29, 28, 27, 26, 25, 24, 23, 22, 21, 20, 19, 18, 17, 16, 15, 14, 13, 12, 11, 10, 9, 8, 7,
        6, 5, 4, 3, 2, 1, 0);
    __m512i found = _mm512_maskz_compress_epi8(m, numbers), start = _mm512_set1_epi32((int)base);
    _mm512_storeu_si512(out, _mm512_add_epi32(start, _mm512_cvtepu8_epi32(_mm512_castsi512_si128(found))));
    if (__builtin_expect(_mm_popcnt_u64(m) > 16, 0)) {
        _mm512_storeu_si512(
            out + 16, _mm512_add_epi32(start, _mm512_cvtepu8_epi32(_mm512_extracti32x4_epi32(found, 1))));
        _mm512_storeu_si512(
            out + 32, _mm512_add_epi32(start, _mm512_cvtepu8_epi32(_mm512_extracti32x4_epi32(found, 2))));
        _mm512_storeu_si512(
            out + 48, _mm512_add_epi32(start, _mm512_cvtepu8_epi32(_mm512_extracti32x4_epi32(found, 3))));
    }
}

HK_AVX512_INLINE void avx512_write_near(uint64_t m, uint16_t base, uint16_t *out) {
    const __m512i numbers = _mm512_set_epi8(
        63, 62, 61, 60, 59, 58, 57, 56, 55, 54, 53, 52, 51, 50, 49, 48, 47, 46, 45, 44, 43, 42, 41, 40, 39, 38, 37, 36,
        35, 34, 33, 32, 31, 30, 29, 28, 27, 26, 25, 24, 23, 22, 21, 20, 19, 18, 17, 16, 15, 14, 13, 12, 11, 10, 9, 8, 7,
        6, 5, 4, 3, 2, 1, 0);
    __m512i found = _mm512_maskz_compress_epi8(m, numbers), start = _mm512_set1_epi16((short)base);
    _mm256_storeu_si256(
        (__m256i *)out,
        _mm256_add_epi16(_mm512_castsi512_si256(start), _mm256_cvtepu8_epi16(_mm512_castsi512_si128(found))));
    if (__builtin_expect(_mm_popcnt_u64(m) > 16, 0)) {
        _mm512_storeu_si512(out, _mm512_add_epi16(start, _mm512_cvtepu8_epi16(_mm512_castsi512_si256(found))));
        _mm512_storeu_si512(
            out + 32, _mm512_add_epi16(start, _mm512_cvtepu8_epi16(_mm512_extracti64x4_epi64(found, 1))));
    }
}
HK_AVX512_INLINE uint64_t avx512_among(__m512i b, const uint8_t *set) {
    __m512i all = _mm512_broadcast_i32x4(_mm_loadu_si128((const __m128i *)set));
    return _mm512_cmpeq_epi8_mask(b, _mm512_shuffle_epi8(all, b));
}

/// The look-up takes the low six bits of each byte: the sixth is made the seventh (`literal_classes.folded`). What passes for
/// another by the bits left out is told apart by the comparison.
HK_AVX512_INLINE uint64_t avx512_places(const hk_literals *set, const uint8_t *p) {
    // Bits 0 to 4 stay, 6 becomes 5.
    const __m512i bits = _mm512_set1_epi64(0x0102040810400000);
    __m512i all[HK_BUCKETS / 8];
#pragma clang loop unroll(full)
    for (int k = 0; k < HK_WINDOW; k++) {
        __m512i v = _mm512_loadu_si512(p + k);
        __m512i index = _mm512_gf2p8affine_epi64_epi8(v, bits, 0);
        for (int group = 0; group < HK_BUCKETS / 8; group++) {
            __m512i buckets = _mm512_permutexvar_epi8(index, _mm512_load_si512(set->classes[group][k].folded));
            all[group] = k ? _mm512_and_si512(all[group], buckets) : buckets;
        }
    }
    __m512i any = _mm512_or_si512(all[0], all[1]);
    return _mm512_test_epi8_mask(any, any);
}

HK_AVX512_INLINE uint64_t avx512_same(__m512i b, const uint8_t *p) {
    return _mm512_cmpeq_epi8_mask(b, _mm512_loadu_si512(p));
}
HK_AVX512_INLINE uint64_t avx512_digest(__m512i b, size_t count) {
    __m512i kept = _mm512_maskz_mov_epi8(_bzhi_u64(~0ULL, (unsigned)count), b);
    __m512i sum = _mm512_madd_epi16(kept, _mm512_loadu_si512(digest_factors));
    return avx2_fold(_mm256_add_epi32(_mm512_castsi512_si256(sum), _mm512_extracti64x4_epi64(sum, 1)));
}

/// `hk_ipv4` with the digits of each part moved into a lane of its own.
HK_AVX512_INLINE int64_t avx512_ipv4(const uint8_t *text, size_t count) {
    if (count - 7 > 8) return -1;
    const __m128i numbers = _mm_setr_epi8(0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15);
    __m128i v = _mm_loadu_si128((const __m128i *)text);
    unsigned dots = _bzhi_u32(_mm_cmpeq_epi8_mask(v, _mm_set1_epi8('.')), (unsigned)count) | 1u << count;
    // Where each part ends, and 255 behind the last.
    __m128i ends = _mm_mask_compress_epi8(_mm_set1_epi8(-1), (__mmask16)dots, numbers);
    __m128i before = _mm_shuffle_epi8(ends, _mm_setr_epi8(15, 15, 15, 15, 0, 0, 0, 0, 1, 1, 1, 1, 2, 2, 2, 2));
    __m128i place = _mm_sub_epi8(
        _mm_shuffle_epi8(ends, _mm_setr_epi8(0, 0, 0, 0, 1, 1, 1, 1, 2, 2, 2, 2, 3, 3, 3, 3)),
        _mm_setr_epi8(4, 3, 2, 1, 4, 3, 2, 1, 4, 3, 2, 1, 4, 3, 2, 1));
    // Of the four places before the end of each part, the last must be a digit of it and the first none.
    __mmask16 held = _mm_cmpgt_epi8_mask(place, before);
    __m128i digits = _mm_maskz_sub_epi8(held, _mm_shuffle_epi8(v, place), _mm_set1_epi8('0'));
    __m128i parts = _mm_madd_epi16(
        _mm_maddubs_epi16(digits, _mm_setr_epi8(0, 100, 10, 1, 0, 100, 10, 1, 0, 100, 10, 1, 0, 100, 10, 1)),
        _mm_set1_epi16(1));
    unsigned wrong = ((held & 0x9999u) ^ 0x8888u) | _mm_cmpgt_epu8_mask(digits, _mm_set1_epi8(9))
        | _mm_cmpgt_epi32_mask(parts, _mm_set1_epi32(255)) | (_mm_popcnt_u32(dots) ^ 4);
    uint32_t value = __builtin_bswap32((uint32_t)_mm_cvtsi128_si32(_mm_cvtepi32_epi8(parts)));
    return wrong ? -1 : (int64_t)value;
}

/// `row_sample_any` for all groups at once.
HK_AVX512_INLINE uint64_t avx512_row_sample(
    const hk_rows *rows, const uint32_t *fields, size_t end, const uint8_t *tails, uint32_t *from, uint64_t *counts
) {
    if (rows->columns.count >= 32 || rows->group_count > 4) return row_sample_any(rows, fields, end, tails, from, counts);
    // Behind the fields lies as much that may be read.
    __m512i low = _mm512_loadu_si512(fields), high = _mm512_loadu_si512(fields + 16);
    __m128i first = _mm512_castsi512_si128(
        _mm512_permutex2var_epi32(low, _mm512_loadu_si512(rows->spans.first), high));
    __m128i behind = _mm512_castsi512_si128(
        _mm512_permutex2var_epi32(low, _mm512_loadu_si512(rows->spans.behind), high));
    behind = _mm_sub_epi32(
        behind, _mm_loadu_si128((const __m128i *)rows->spans.less[fields[rows->columns.count] - 1 - end]));
    __m128i length = _mm_sub_epi32(behind, first);
    _mm_storeu_si128((__m128i *)from, first);
    *counts = (uint32_t)_mm_cvtsi128_si32(_mm_cvtusepi32_epi8(length));
    uint32_t to[4];
    _mm_storeu_si128((__m128i *)to, behind);
    __m256i words = _mm256_set_epi64x(
        (long long)word_at(tails + to[3] - 8), (long long)word_at(tails + to[2] - 8),
        (long long)word_at(tails + to[1] - 8), (long long)word_at(tails + to[0] - 8));
    // Of a group that is not there nothing is left.
    __m128i none = _mm_max_epi32(_mm_sub_epi32(_mm_set1_epi32(64), _mm_slli_epi32(length, 3)), _mm_setzero_si128());
    words = _mm256_rolv_epi64(
        _mm256_srlv_epi64(words, _mm256_cvtepu32_epi64(none)), _mm256_setr_epi64x(51, 34, 17, 0));
    __m128i half = _mm_xor_si128(_mm256_castsi256_si128(words), _mm256_extracti128_si256(words, 1));
    return (uint64_t)_mm_cvtsi128_si64(half) ^ (uint64_t)_mm_extract_epi64(half, 1);
}

#define HK_TARGET HK_AVX512
#define same avx512_same
#define digest avx512_digest
#define ipv4 avx512_ipv4
#define row_sample avx512_row_sample
#define places avx512_places
#define HK_NAME(name) name##_avx512
#define block __m512i
#define load avx512_load
#define equal avx512_equal
#define equal_folded avx512_equal_folded
#define letters avx512_letters
#define words avx512_words
#define digits avx512_digits
#define fits avx512_fits
#define prefix_xor avx512_prefix_xor
#define write_bits avx512_write_bits
#define write_near avx512_write_near
#define among avx512_among
#define none_of(a, b) _kortestz_mask64_u8(a, b)
#define half __m256i
#define differs avx2_differs
#define strays avx2_strays
#define either avx2_either
#define is_none avx2_is_none
#include "vector_body.h"
#include "vector_undefine.h"
#endif

#if defined(__aarch64__)
// MARK: NEON: part of every AArch64

typedef struct { uint8x16_t part[4]; } neon_block;

static inline __attribute__((always_inline)) neon_block neon_load(const uint8_t *p) {
    return (neon_block){{vld1q_u8(p), vld1q_u8(p + 16), vld1q_u8(p + 32), vld1q_u8(p + 48)}};
}

/// Each byte of the four is all ones or zero; one bit of each is kept, and pairs are added until eight make a byte.
static inline __attribute__((always_inline)) uint64_t neon_bits(
    uint8x16_t a, uint8x16_t b, uint8x16_t c, uint8x16_t d
) {
    const uint8x16_t weights = {1, 2, 4, 8, 16, 32, 64, 128, 1, 2, 4, 8, 16, 32, 64, 128};
    uint8x16_t first = vpaddq_u8(vandq_u8(a, weights), vandq_u8(b, weights));
    uint8x16_t second = vpaddq_u8(vandq_u8(c, weights), vandq_u8(d, weights));
    uint8x16_t both = vpaddq_u8(first, second);
    return vgetq_lane_u64(vreinterpretq_u64_u8(vpaddq_u8(both, both)), 0);
}

#define NEON_MASK(expression)                                        \
    uint8x16_t found[4];                                             \
    for (int i = 0; i < 4; i++) {                                    \
        uint8x16_t v = b.part[i];                                    \
        found[i] = (expression);                                     \
    }                                                                \
    return neon_bits(found[0], found[1], found[2], found[3])

static inline __attribute__((always_inline)) uint8x16_t neon_range(uint8x16_t v, uint8_t low, uint8_t high) {
    return vcleq_u8(vsubq_u8(v, vdupq_n_u8(low)), vdupq_n_u8((uint8_t)(high - low)));
}
static inline __attribute__((always_inline)) uint64_t neon_equal(neon_block b, uint8_t c) {
    NEON_MASK(vceqq_u8(v, vdupq_n_u8(c)));
}
static inline __attribute__((always_inline)) uint64_t neon_equal_folded(neon_block b, uint8_t c) {
    NEON_MASK(vceqq_u8(vorrq_u8(v, vdupq_n_u8(0x20)), vdupq_n_u8(c)));
}
static inline __attribute__((always_inline)) uint64_t neon_letters(neon_block b) {
    NEON_MASK(neon_range(vorrq_u8(v, vdupq_n_u8(0x20)), 'a', 'z'));
}
static inline __attribute__((always_inline)) uint64_t neon_words(neon_block b) {
    NEON_MASK(vorrq_u8(
        vorrq_u8(neon_range(vorrq_u8(v, vdupq_n_u8(0x20)), 'a', 'z'), neon_range(v, '0', '9')),
        vorrq_u8(neon_range(v, '-', '.'), vceqq_u8(v, vdupq_n_u8('+')))));
}

static inline __attribute__((always_inline)) uint64_t neon_digits(neon_block b) { NEON_MASK(neon_range(v, '0', '9')); }
static inline __attribute__((always_inline)) int neon_fits(const uint8_t *p, const uint8_t *form, const uint8_t *limit) {
    uint8x16_t first = vcleq_u8(veorq_u8(vld1q_u8(p), vld1q_u8(form)), vld1q_u8(limit));
    uint8x16_t second = vcleq_u8(veorq_u8(vld1q_u8(p + 16), vld1q_u8(form + 16)), vld1q_u8(limit + 16));
    return vminvq_u8(vandq_u8(first, second)) == 0xFF;
}

static inline __attribute__((always_inline)) uint64_t neon_places(const hk_literals *set, const uint8_t *p) {
    neon_block b;
    for (int i = 0; i < 4; i++) b.part[i] = vdupq_n_u8(0);
    for (size_t group = 0; group < set->group_count; group++) {
        neon_block buckets;
        for (int i = 0; i < 4; i++) buckets.part[i] = vdupq_n_u8(0xFF);
        for (int k = 0; k < HK_WINDOW; k++) {
            const literal_classes *classes = &set->classes[group][k];
            uint8x16_t low = vld1q_u8(classes->low), high = vld1q_u8(classes->high);
            for (int i = 0; i < 4; i++) {
                uint8x16_t v = vld1q_u8(p + 16 * i + k);
                uint8x16_t of =
                    vandq_u8(vqtbl1q_u8(low, vandq_u8(v, vdupq_n_u8(15))), vqtbl1q_u8(high, vshrq_n_u8(v, 4)));
                buckets.part[i] = vandq_u8(buckets.part[i], of);
            }
        }
        for (int i = 0; i < 4; i++) b.part[i] = vorrq_u8(b.part[i], buckets.part[i]);
    }
    NEON_MASK(vtstq_u8(v, v));
}

static inline __attribute__((always_inline)) uint64_t neon_same(neon_block b, const uint8_t *p) {
    neon_block other = neon_load(p);
    return neon_bits(
        vceqq_u8(b.part[0], other.part[0]), vceqq_u8(b.part[1], other.part[1]), vceqq_u8(b.part[2], other.part[2]),
        vceqq_u8(b.part[3], other.part[3]));
}
static inline __attribute__((always_inline)) uint64_t neon_digest(neon_block b, size_t count) {
    uint32x4_t sum = vdupq_n_u32(0);
    for (int i = 0; i < 4; i++) {
        uint16x8_t v = vreinterpretq_u16_u8(vandq_u8(b.part[i], vld1q_u8(first_bytes + 64 - count + 16 * i)));
        uint16x8_t factors = vld1q_u16(digest_factors + 8 * i);
        sum = vmlal_u16(sum, vget_low_u16(v), vget_low_u16(factors));
        sum = vmlal_high_u16(sum, v, factors);
    }
    uint64x2_t both = vreinterpretq_u64_u32(sum);
    uint64_t high = vgetq_lane_u64(both, 1);
    return vgetq_lane_u64(both, 0) ^ (high << 23 | high >> 41);
}

#define HK_TARGET
#define same neon_same
#define digest neon_digest
#define ipv4 hk_ipv4
#define row_sample row_sample_any
#define places neon_places
#define HK_NAME(name) name##_neon
#define block neon_block
#define load neon_load
#define equal neon_equal
#define equal_folded neon_equal_folded
#define letters neon_letters
#define words neon_words
#define digits neon_digits
#define fits neon_fits
#define prefix_xor portable_prefix_xor
#define write_bits portable_write_bits
#define write_near portable_write_near
#define among(b, set) HK_AMONG(b, set)
#define none_of(a, b) (((a) | (b)) == 0)
#define half portable_half
#define differs portable_differs
#define strays portable_strays
#define either portable_either
#define is_none portable_is_none
#include "vector_body.h"
#include "vector_undefine.h"
#endif

// MARK: Shapes

/// Whether a byte is an ASCII letter, a digit or one of `+ - .`.
static inline int is_word(uint8_t c) {
    return (uint8_t)((c | 0x20) - 'a') < 26 || (uint8_t)(c - '0') < 10 || c == '+' || c == '-' || c == '.';
}

size_t hk_json_match(
    const uint8_t *bytes, size_t count, const uint8_t *literals, const uint32_t *pieces, size_t piece_count,
    uint32_t *bounds
) {
    const uint8_t *p = bytes, *end = bytes + count;
    for (size_t i = 0; i < piece_count; i++) {
        size_t length = pieces[i] >> 2;
        if ((size_t)(end - p) < length || memcmp(p, literals, length) != 0) return 0;
        p += length;
        literals += length;
        const uint8_t *start = p;
        if ((pieces[i] & 3) == 1) {
            // A zero byte shows where a quote or a backslash is: the first of them is found exactly.
            for (;;) {
                while (end - p >= 8) {
                    uint64_t word;
                    memcpy(&word, p, 8);
#if __BYTE_ORDER__ != __ORDER_LITTLE_ENDIAN__
                    word = __builtin_bswap64(word);
#endif
                    uint64_t quote = word ^ EACH * '"', backslash = word ^ EACH * '\\';
                    uint64_t hits = (((quote - EACH) & ~quote) | ((backslash - EACH) & ~backslash)) & HIGH;
                    if (hits) {
                        p += __builtin_ctzll(hits) >> 3;
                        break;
                    }
                    p += 8;
                }
                while (p < end && *p != '"' && *p != '\\') p++;
                if (p < end && *p == '"') break;
                if (end - p < 2) return 0;
                p += 2;
            }
        } else if ((pieces[i] & 3) == 2) {
            while (p < end && is_word(*p)) p++;
            if (p == start) return 0;
        } else {
            continue;
        }
        if (bounds) {
            *bounds++ = (uint32_t)(start - bytes);
            *bounds++ = (uint32_t)(p - bytes);
        }
    }
    return (size_t)(p - bytes);
}

// MARK: The choice between them

typedef struct {
    const char *level;
    size_t (*json_object)(const uint8_t *, size_t, size_t);
    size_t (*xml_event)(const uint8_t *, size_t, size_t);
    size_t (*json_string_stop)(const uint8_t *, size_t);
    size_t (*xml_tag_stop)(const uint8_t *, size_t);
    size_t (*positions)(const uint8_t *, size_t, uint8_t, uint32_t *, size_t, size_t *);
    size_t (*count)(const uint8_t *, size_t, uint8_t);
    size_t (*marks)(const uint8_t *, size_t, size_t, uint32_t *const *, size_t *, size_t);
    size_t (*literals_find)(
        const hk_literals *, const uint8_t *, size_t, const uint32_t *, size_t, size_t, hk_literals_cursor *, uint64_t *,
        size_t);
    size_t (*cmtrace_run)(
        const uint8_t *, size_t, const uint32_t *, size_t, hk_plain_run *, hk_record *, size_t);
    size_t (*simple_run)(const uint8_t *, size_t, const uint32_t *, size_t, hk_plain_run *, hk_record *, size_t);
    size_t (*headed_run)(
        hk_heads *, const uint8_t *, size_t, const uint32_t *, size_t, size_t, size_t, hk_headed_run_out *);
    size_t (*mixed_run)(
        const uint8_t *, size_t, const uint32_t *, size_t, size_t *, hk_mixed_lines *, size_t, hk_mixed_record *, size_t);
    hk_rows_stop (*rows_run)(
        hk_rows *, const uint8_t *, const uint32_t *, size_t, hk_rows_place *, hk_row_sightings *);
    int (*rows_learn)(row_group *, const uint8_t *, size_t, size_t, size_t);
    size_t (*dated_lines)(const uint8_t *, const uint32_t *, size_t, size_t);
    size_t (*event_lines)(
        const hk_event_layouts *, const uint8_t *, size_t, size_t, size_t, uint16_t *, size_t, size_t *, uint32_t *,
        hk_event_line *, size_t);
    void (*triples_filter)(const uint8_t *, size_t, uint32_t *, size_t, const uint8_t *, size_t);
    size_t (*text_memo_run)(
        hk_text_memo *, const uint8_t *, const hk_record *, const hk_candidate *, size_t, size_t *, hk_text_hit *, size_t,
        hk_text_place *);
} vector_kernels;

#define LEVEL(name)                                                                                                   \
    {#name,                                                                                                           \
     json_object_##name,                                                                                              \
     xml_event_##name,                                                                                                \
     json_string_stop_##name,                                                                                         \
     xml_tag_stop_##name,                                                                                             \
     positions_##name,                                                                                                \
     count_##name,                                                                                                    \
     marks_##name,                                                                                                    \
     literals_find_##name,                                                                                            \
     cmtrace_run_##name,                                                                                              \
     simple_run_##name,                                                                                                \
     headed_run_##name,                                                                                                \
     mixed_run_##name,                                                                                                 \
     rows_run_##name,                                                                                                  \
     rows_learn_##name,                                                                                                \
     dated_lines_##name,                                                                                               \
     event_lines_##name,                                                                                               \
     triples_filter_##name,                                                                                           \
     text_memo_run_##name}
/// Slowest first.
static const vector_kernels all[] = {
    LEVEL(portable),
#if defined(__x86_64__)
    LEVEL(sse2),
    LEVEL(avx2),
    LEVEL(avx512),
#elif defined(__aarch64__)
    LEVEL(neon),
#endif
};
static const vector_kernels *chosen = &all[0];

static int is_available(const char *level) {
#if defined(__x86_64__)
    if (!strcmp(level, "avx2") || !strcmp(level, "avx512")) {
        int has = __builtin_cpu_supports("avx2") && __builtin_cpu_supports("bmi") && __builtin_cpu_supports("bmi2")
            && __builtin_cpu_supports("popcnt") && __builtin_cpu_supports("pclmul");
        if (!strcmp(level, "avx2")) return has;
        return has && __builtin_cpu_supports("avx512f") && __builtin_cpu_supports("avx512bw")
            && __builtin_cpu_supports("avx512vl") && __builtin_cpu_supports("avx512vbmi")
            && __builtin_cpu_supports("avx512vbmi2") && __builtin_cpu_supports("gfni");
    }
#endif
    (void)level;
    return 1;
}

/// Before `main`: the level that HANDSHAKED_SIMD names, where this processor has it, else the best there is.
static __attribute__((constructor)) void choose(void) {
    const char *wanted = getenv("HANDSHAKED_SIMD");
    for (size_t i = 0; i < sizeof all / sizeof all[0]; i++) {
        if (!is_available(all[i].level)) continue;
        chosen = &all[i];
        if (wanted && !strcmp(wanted, all[i].level)) return;
    }
}

size_t hk_level_count(void) { return sizeof all / sizeof all[0]; }

const char *hk_level(size_t index) { return is_available(all[index].level) ? all[index].level : NULL; }

size_t hk_json_object_at(size_t level, const uint8_t *bytes, size_t count, size_t readable) {
    return all[level].json_object(bytes, count, readable);
}
size_t hk_xml_event_at(size_t level, const uint8_t *bytes, size_t count, size_t readable) {
    return all[level].xml_event(bytes, count, readable);
}
size_t hk_json_string_stop_at(size_t level, const uint8_t *bytes, size_t count) {
    return all[level].json_string_stop(bytes, count);
}
size_t hk_xml_tag_stop_at(size_t level, const uint8_t *bytes, size_t count) {
    return all[level].xml_tag_stop(bytes, count);
}

size_t hk_json_object(const uint8_t *bytes, size_t count, size_t readable) {
    return chosen->json_object(bytes, count, readable);
}
size_t hk_xml_event(const uint8_t *bytes, size_t count, size_t readable) {
    return chosen->xml_event(bytes, count, readable);
}
size_t hk_json_string_stop(const uint8_t *bytes, size_t count) { return chosen->json_string_stop(bytes, count); }
size_t hk_xml_tag_stop(const uint8_t *bytes, size_t count) { return chosen->xml_tag_stop(bytes, count); }

size_t hk_positions(const uint8_t *bytes, size_t count, uint8_t c, uint32_t *out, size_t capacity, size_t *done) {
    return chosen->positions(bytes, count, c, out, capacity, done);
}
size_t hk_positions_at(
    size_t level, const uint8_t *bytes, size_t count, uint8_t c, uint32_t *out, size_t capacity, size_t *done
) {
    return all[level].positions(bytes, count, c, out, capacity, done);
}
size_t hk_count(const uint8_t *bytes, size_t count, uint8_t c) { return chosen->count(bytes, count, c); }
size_t hk_count_at(size_t level, const uint8_t *bytes, size_t count, uint8_t c) {
    return all[level].count(bytes, count, c);
}

size_t hk_marks(
    const uint8_t *bytes, size_t from, size_t count, uint32_t *const out[HK_MARK_KINDS], size_t found[HK_MARK_KINDS],
    size_t capacity
) {
    return chosen->marks(bytes, from, count, out, found, capacity);
}
size_t hk_marks_at(
    size_t level, const uint8_t *bytes, size_t from, size_t count, uint32_t *const out[HK_MARK_KINDS],
    size_t found[HK_MARK_KINDS], size_t capacity
) {
    return all[level].marks(bytes, from, count, out, found, capacity);
}
size_t hk_literals_find(
    const hk_literals *set, const uint8_t *bytes, size_t readable, const uint32_t *ranges, size_t stride, size_t range_count,
    hk_literals_cursor *cursor, uint64_t *out, size_t capacity
) {
    return chosen->literals_find(set, bytes, readable, ranges, stride, range_count, cursor, out, capacity);
}
size_t hk_literals_find_at(
    size_t level, const hk_literals *set, const uint8_t *bytes, size_t readable, const uint32_t *ranges,
    size_t stride, size_t range_count, hk_literals_cursor *cursor, uint64_t *out, size_t capacity
) {
    return all[level].literals_find(set, bytes, readable, ranges, stride, range_count, cursor, out, capacity);
}
size_t hk_cmtrace_run(
    const uint8_t *bytes, size_t readable, const uint32_t *line_ends, size_t line_count, hk_plain_run *run,
    hk_record *out, size_t capacity
) {
    return chosen->cmtrace_run(bytes, readable, line_ends, line_count, run, out, capacity);
}
size_t hk_cmtrace_run_at(
    size_t level, const uint8_t *bytes, size_t readable, const uint32_t *line_ends, size_t line_count, hk_plain_run *run,
    hk_record *out, size_t capacity
) {
    return all[level].cmtrace_run(bytes, readable, line_ends, line_count, run, out, capacity);
}
size_t hk_simple_run(
    const uint8_t *bytes, size_t readable, const uint32_t *line_ends, size_t line_count, hk_plain_run *run,
    hk_record *out, size_t capacity
) {
    return chosen->simple_run(bytes, readable, line_ends, line_count, run, out, capacity);
}
size_t hk_simple_run_at(
    size_t level, const uint8_t *bytes, size_t readable, const uint32_t *line_ends, size_t line_count, hk_plain_run *run,
    hk_record *out, size_t capacity
) {
    return all[level].simple_run(bytes, readable, line_ends, line_count, run, out, capacity);
}
size_t hk_headed_run(
    hk_heads *heads, const uint8_t *bytes, size_t readable, const uint32_t *line_ends, size_t line_count, size_t line,
    size_t start, hk_headed_run_out *out
) {
    const vector_kernels *kernels = out->level < hk_level_count() ? &all[out->level] : chosen;
    return kernels->headed_run(heads, bytes, readable, line_ends, line_count, line, start, out);
}
size_t hk_mixed_run(
    const uint8_t *bytes, size_t readable, const uint32_t *line_ends, size_t line_count, size_t *first,
    hk_mixed_lines *lines, size_t limit, hk_mixed_record *out, size_t capacity
) {
    return chosen->mixed_run(bytes, readable, line_ends, line_count, first, lines, limit, out, capacity);
}
size_t hk_head_length(
    hk_heads *heads, const uint8_t *line, size_t count, size_t readable, size_t *start, unsigned *form
) {
    int64_t received;
    return head_portable(heads, line, count, readable, start, form, &received);
}
uint64_t hk_head_hash(uint64_t seed, const uint8_t *head, size_t count, unsigned form) {
    return head_hash(seed, head, count, form);
}

static const vector_kernels *rows_kernels(const hk_rows *rows) {
    return rows->level < hk_level_count() ? &all[rows->level] : chosen;
}
hk_rows_stop hk_rows_run(
    hk_rows *rows, const uint8_t *bytes, const uint32_t *line_ends, size_t last_line, hk_rows_place *place,
    hk_row_sightings *out
) {
    return rows_kernels(rows)->rows_run(rows, bytes, line_ends, last_line, place, out);
}
int hk_rows_learn(hk_rows *rows, const uint8_t *bytes, const hk_rows_place *place, size_t class_number) {
    row_group *group = &rows->groups[place->group];
    // Its values are about to be forgotten.
    if (group->value_count == ROW_VALUES) row_forget_combinations(rows);
    return rows_kernels(rows)->rows_learn(
        group, bytes, place->value, place->value_end, class_number);
}
size_t hk_dated_lines(const uint8_t *bytes, const uint32_t *line_ends, size_t line, size_t last_line) {
    return chosen->dated_lines(bytes, line_ends, line, last_line);
}
size_t hk_event_lines(
    const hk_event_layouts *layouts, const uint8_t *bytes, size_t readable, size_t line, size_t start, uint16_t *marks,
    size_t mark_capacity, size_t *mark_count, uint32_t *line_ends, hk_event_line *out, size_t capacity
) {
    return chosen->event_lines(
        layouts, bytes, readable, line, start, marks, mark_capacity, mark_count, line_ends, out, capacity);
}
size_t hk_event_lines_at(
    size_t level, const hk_event_layouts *layouts, const uint8_t *bytes, size_t readable, size_t line, size_t start,
    uint16_t *marks, size_t mark_capacity, size_t *mark_count, uint32_t *line_ends, hk_event_line *out,
    size_t capacity
) {
    return all[level].event_lines(
        layouts, bytes, readable, line, start, marks, mark_capacity, mark_count, line_ends, out, capacity);
}
void hk_triples_filter(
    const uint8_t *bytes, size_t readable, uint32_t *ranges, size_t range_count, const uint8_t *triples,
    size_t triple_count
) {
    chosen->triples_filter(bytes, readable, ranges, range_count, triples, triple_count);
}
void hk_triples_filter_at(
    size_t level, const uint8_t *bytes, size_t readable, uint32_t *ranges, size_t range_count, const uint8_t *triples,
    size_t triple_count
) {
    all[level].triples_filter(bytes, readable, ranges, range_count, triples, triple_count);
}
size_t hk_text_memo_run(
    hk_text_memo *memo, const uint8_t *bytes, const hk_record *records, const hk_candidate *candidates, size_t count,
    size_t *index, hk_text_hit *hits, size_t capacity, hk_text_place *place
) {
    const vector_kernels *kernels = memo->level < hk_level_count() ? &all[memo->level] : chosen;
    return kernels->text_memo_run(memo, bytes, records, candidates, count, index, hits, capacity, place);
}
