#define _GNU_SOURCE
#include "envelopes.h"
#include "kernels.h"
#include <string.h>

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

size_t hk_closed_lines(
    const uint8_t *bytes, const uint32_t *line_ends, size_t line, size_t last_line, size_t start, size_t least_byte_count
) {
    // 1: never, 2: unless a digit or `E` follows, 3: unless it is the front of `Mar  2 06:00:00`; else it may be.
    static const uint8_t kinds[256] = {
        [0 ... '/'] = 1, [':' ... ';'] = 1, ['='...'@'] = 1, ['B' ... 'C'] = 1, ['E'] = 1, ['G' ... 'I'] = 1, ['K' ... 'L'] = 1,
        ['P' ... 'R'] = 1, ['T' ... 'z'] = 1, ['|' ... 0xEE] = 1, [0xF0 ... 0xFF] = 1, ['<'] = 2, ['A'] = 3, ['D'] = 3,
        ['F'] = 3, ['J'] = 3, ['M' ... 'O'] = 3, ['S'] = 3,
    };
    size_t first = line;
    for (; line < last_line; line++) {
        size_t end = line_ends[line];
        const uint8_t *p = bytes + start;
        uint8_t kind = kinds[*p];
        // No branch for each: lines begin as they like.
        int may_open = (kind == 0) | ((kind == 2) & (((uint8_t)(p[1] - '0') < 10) | (p[1] == 'E')))
            | ((kind == 3) & (p[3] == ' ') & (p[6] == ' ') & (p[9] == ':'));
        if (may_open & (end - start >= least_byte_count)) break;
        start = end + 1;
    }
    return line - first;
}
