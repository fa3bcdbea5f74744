// Where any of many literals stands in a text, whatever the case of its ASCII letters.
//
// Six bytes of each literal, its window, are looked for; where one may stand, the literals that hold it are compared
// whole. A place may hold a window when its six bytes are each among those that the windows of one of sixteen
// buckets have there: two table look-ups a byte and position, each for eight buckets.
#ifndef HANDSHAKED_LITERALS_H
#define HANDSHAKED_LITERALS_H
#include <stddef.h>
#include <stdint.h>

typedef struct hk_literals hk_literals;

/// Bytes of a window; a shorter literal is its own window.
#define HK_WINDOW 6
#define HK_BUCKETS 16

/// Literal i is the lower-case ASCII bytes [ends[i - 1], ends[i]) of `bytes`, 1 to 255 of them; its window begins at byte
/// `windows[i]` of it and belongs to bucket `buckets[i]`, below HK_BUCKETS. NULL when there is no memory. Free with
/// hk_literals_free.
hk_literals *hk_literals_make(
    const uint8_t *bytes, const uint32_t *ends, const uint8_t *windows, const uint8_t *buckets, size_t count);
void hk_literals_free(hk_literals *set);

/// Where a search goes on; zeros to begin with.
typedef struct {
    size_t range;
    /// 0: at the start of the range.
    size_t position;
} hk_literals_cursor;

/// Finds every literal that lies within one of `range_count` ranges of `bytes`, each [ranges[stride i], ranges[stride i + 1]): writes
/// literal << 32 | range for every place, by ascending range, and returns how many were written. It is done when
/// `cursor->range` is `range_count`; until then call again, `capacity`, which must exceed the number of literals, did not
/// do. `readable` bytes may be loaded, no less than any range ends at.
size_t hk_literals_find(
    const hk_literals *set, const uint8_t *bytes, size_t readable, const uint32_t *ranges, size_t stride, size_t range_count,
    hk_literals_cursor *cursor, uint64_t *out, size_t capacity);
/// The same at one level (kernels.h), for tests.
size_t hk_literals_find_at(
    size_t level, const hk_literals *set, const uint8_t *bytes, size_t readable, const uint32_t *ranges,
    size_t stride, size_t range_count, hk_literals_cursor *cursor, uint64_t *out, size_t capacity);
#endif
