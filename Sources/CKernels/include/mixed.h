// Lines of many origins one behind the other, as envelopes bring them: records in their plain forms, events that are known and
// rows, in one walk.
#ifndef HANDSHAKED_MIXED_H
#define HANDSHAKED_MIXED_H
#include "event_lines.h"
#include "trailers.h"

/// What an origin told: its log has columns that a definition names, or rows, or rows that begin with a date.
#define HK_ORIGIN_IS_OTHER 1
#define HK_ORIGIN_HAS_ROWS 2
#define HK_ORIGIN_HAS_DATED_ROWS 4

/// Lines by number: a table of `stride` bytes each, in which stand, so many bytes from the start, a number of four bytes or a
/// truth of one byte.
typedef struct {
    const uint8_t *slots;
    size_t stride, origin, chunk_start, chunk_end, is_plain, joins;
    /// By origin.
    const uint8_t *kinds;
    /// By origin: the bias of its clock, which records change.
    int16_t *biases;
    /// Lines that are events, ascending, of which the first `next_event` lie behind.
    const hk_event_line *events;
    size_t event_count, next_event;
    /// The end of the lines that join, found last; 0 at first. It holds for all calls over these lines.
    size_t joined;
} hk_mixed_lines;

static inline uint32_t hk_number_at(const uint8_t *p) {
    uint32_t number;
    memcpy(&number, p, sizeof number);
    return number;
}

typedef enum { HK_MIXED_CMTRACE, HK_MIXED_SIMPLE, HK_MIXED_LINE, HK_MIXED_EVENT, HK_MIXED_ROWS } hk_mixed_kind;

typedef struct {
    /// With the bias that its origin has behind it. Of rows, the lines [line, end); of an event, its layout in the place of
    /// `message_end`.
    hk_record record;
    hk_mixed_kind kind;
} hk_mixed_record;

/// Takes lines from `*first` on up to one that has none of these forms, and moves it there. `limit`: see `hk_cmtrace_run`. Returns
/// how many records were written.
size_t hk_mixed_run(
    const uint8_t *bytes, size_t readable, const uint32_t *line_ends, size_t line_count, size_t *first,
    hk_mixed_lines *lines, size_t limit, hk_mixed_record *out, size_t capacity);
#endif
