// The loops over every byte. Portable C now; the SIMD levels replace the bodies behind the same declarations.
//
// Every function reads [bytes, bytes + count) and nothing outside it.
#ifndef HANDSHAKED_KERNELS_H
#define HANDSHAKED_KERNELS_H
#include <stddef.h>
#include <stdint.h>

/// Writes the positions of every '\n' in order to `out` (room for `capacity`) and returns how many there are;
/// when the return value is larger than `capacity`, the rest was counted and not written.
size_t hk_line_ends(const uint8_t *bytes, size_t count, uint32_t *out, size_t capacity);

/// Writes the positions of every ' ' in [0, count) to `out` (room for `capacity`); returns how many were written.
/// Stops when `out` is full.
size_t hk_spaces(const uint8_t *bytes, size_t count, uint32_t *out, size_t capacity);

/// The position of `needle` in `bytes`, or -1. `needle_count` ≥ 1.
ptrdiff_t hk_find(const uint8_t *bytes, size_t count, const uint8_t *needle, size_t needle_count);


/// The position of the first '\n' in `bytes`, or -1.
ptrdiff_t hk_first_line_end(const uint8_t *bytes, size_t count);

/// The position of the last '\n' in `bytes`, or -1; reads backwards from the end.
ptrdiff_t hk_last_line_end(const uint8_t *bytes, size_t count);

/// How many '\n' there are.
size_t hk_count_line_ends(const uint8_t *bytes, size_t count);
/// Asks for the cache line of `address` before it is needed; any address will do.
static inline void hk_prefetch(const void *address) { __builtin_prefetch(address); }

#endif
