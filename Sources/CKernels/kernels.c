#define _GNU_SOURCE
#include "kernels.h"
#include <string.h>

size_t hk_line_ends(const uint8_t *bytes, size_t count, uint32_t *out, size_t capacity) {
    size_t n = 0;
    const uint8_t *p = bytes, *end = bytes + count;
    while (p < end) {
        const uint8_t *hit = memchr(p, '\n', (size_t)(end - p));
        if (!hit) break;
        if (n < capacity) out[n] = (uint32_t)(hit - bytes);
        n++;
        p = hit + 1;
    }
    return n;
}

size_t hk_spaces(const uint8_t *bytes, size_t count, uint32_t *out, size_t capacity) {
    // Eight bytes at a time: a byte equals 0x20 where (x ^ 0x2020…) has a zero byte; each zero is found exactly
    // (no carry into the next byte), so no position is checked twice.
    size_t n = 0, i = 0;
    for (; i + 8 <= count; i += 8) {
        uint64_t word;
        memcpy(&word, bytes + i, 8);
        uint64_t x = word ^ 0x2020202020202020ULL;
        uint64_t zero = ~(((x & 0x7F7F7F7F7F7F7F7FULL) + 0x7F7F7F7F7F7F7F7FULL) | x | 0x7F7F7F7F7F7F7F7FULL);
        while (zero) {
            if (n == capacity) return n;
#if __BYTE_ORDER__ == __ORDER_LITTLE_ENDIAN__
            out[n++] = (uint32_t)(i + (size_t)(__builtin_ctzll(zero) >> 3));
            zero &= zero - 1;
#else
            unsigned lead = (unsigned)__builtin_clzll(zero);
            out[n++] = (uint32_t)(i + (lead >> 3));
            zero &= ~(0x8000000000000000ULL >> lead);
#endif
        }
    }
    for (; i < count; i++) {
        if (bytes[i] == ' ') {
            if (n == capacity) return n;
            out[n++] = (uint32_t)i;
        }
    }
    return n;
}

ptrdiff_t hk_find(const uint8_t *bytes, size_t count, const uint8_t *needle, size_t needle_count) {
    const uint8_t *hit = memmem(bytes, count, needle, needle_count);
    return hit ? hit - bytes : -1;
}


ptrdiff_t hk_first_line_end(const uint8_t *bytes, size_t count) {
    const uint8_t *hit = count ? memchr(bytes, '\n', count) : NULL;
    return hit ? hit - bytes : -1;
}

ptrdiff_t hk_last_line_end(const uint8_t *bytes, size_t count) {
    const uint8_t *hit = count ? memrchr(bytes, '\n', count) : NULL;
    return hit ? hit - bytes : -1;
}

size_t hk_count_line_ends(const uint8_t *bytes, size_t count) {
    // 32 byte-wide counters side by side are one or two vector registers; each may take 255 steps before it is full.
    size_t n = 0;
    while (count >= 32) {
        size_t steps = count / 32 < 255 ? count / 32 : 255;
        uint8_t lanes[32] = {0};
        for (size_t s = 0; s < steps; s++, bytes += 32)
            for (int k = 0; k < 32; k++) lanes[k] += bytes[k] == '\n';
        for (int k = 0; k < 32; k++) n += lanes[k];
        count -= steps * 32;
    }
    for (size_t i = 0; i < count; i++) n += bytes[i] == '\n';
    return n;
}
