#define _GNU_SOURCE
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
