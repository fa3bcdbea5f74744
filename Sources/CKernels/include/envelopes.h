// Runs of lines in syslog envelopes whose heads were met before.
#ifndef HANDSHAKED_ENVELOPES_H
#define HANDSHAKED_ENVELOPES_H
#include "event_lines.h"
#include <stddef.h>
#include <stdint.h>

// What stands between the time and the payload of a syslog line repeats with its origin, to the byte:
//
//     <134>1 2026-03-02T00:55:51.057031+00:00 MP03 - - - [file@32473 path="/srv/MP03/ex.log"] 2026-03-02 00:55:51 …
//                                             └─────────────────── head ────────────────────┘└── payload
//
// A head is read from its first byte on, and what it says is settled at its last: a line that goes on behind the time with
// the bytes of a known head has that head, whatever follows.

/// The ways in which heads are read; the same bytes may say another thing in another.
#define HK_FORM_RFC5424 0
/// `HOST TAG: ` behind a priority, and without one.
#define HK_FORM_RELAYED 1
#define HK_FORM_WRITTEN 2

/// Longer heads are read anew each time, and shorter ones.
#define HK_HEAD_LIMIT 320
#define HK_HEAD_LEAST 8
/// Slots that a head may be in, from the one its hash tells on.
#define HK_HEAD_PROBES 8

typedef struct {
    uint64_t hash;
    /// In `texts`; a count of 0 is a free slot.
    uint32_t offset;
    uint16_t count;
    uint16_t form;
    /// HK_NO_ORIGIN until one is told.
    uint32_t origin;
} hk_head;
#define HK_NO_ORIGIN UINT32_MAX

typedef struct {
    const hk_head *slots;
    /// The number of slots less 1, a power of two less 1.
    size_t mask;
    /// 64 bytes behind the last may be read.
    const uint8_t *texts;
    uint64_t seed;
    /// The last time to the second, as written, and what it is in microseconds if it is UTC.
    uint8_t second[19];
    uint8_t has_second;
    int64_t microseconds;
} hk_heads;

/// What is to be done with a payload.
#define HK_PAYLOAD_IS_LINE 0
/// It may be an envelope itself, or begin a record of several lines.
#define HK_PAYLOAD_IS_OPEN 1
/// It holds a `#` and may hold escapes.
#define HK_PAYLOAD_HAS_ESCAPES 2
/// It is one whole object of JSON of no known layout, and may be an envelope.
#define HK_PAYLOAD_IS_OBJECT 3

typedef struct {
    /// Where the payload begins; it ends at the end of its line.
    uint32_t payload;
    /// The slot of the head, and the origin that it has there.
    uint32_t slot, origin;
    uint32_t kind;
    /// Microseconds since 1970.
    int64_t received;
} hk_headed_line;

/// What a run gives.
typedef struct {
    /// One of kernels.h, or `hk_level_count()` for the one in use.
    size_t level;
    hk_headed_line *lines;
    size_t capacity;
    /// Payloads that are lines or objects, each with a '\n'. Room for all lines of the text from the first of the run on, and
    /// 128 bytes.
    uint8_t *text;
    size_t text_count;
    /// Payloads that are events of known layouts, which are lines; NULL where that is not worth a try. Room for one a line. Their
    /// lines count from `first_line`, their places from `first_byte` on.
    const hk_event_layouts *layouts;
    uint16_t *marks;
    size_t mark_capacity, mark_count;
    hk_event_line *events;
    size_t event_count, first_line, first_byte;
} hk_headed_run_out;

/// The head of a line of `count` bytes: its length, where it begins and its form; 0 when the line does not begin as described
/// above, or when that is not found in a first look. A length is a guess: reading the head tells.
size_t hk_head_length(
    hk_heads *heads, const uint8_t *line, size_t count, size_t readable, size_t *start, unsigned *form);
uint64_t hk_head_hash(uint64_t seed, const uint8_t *head, size_t count, unsigned form);

/// Lines with known heads, one behind the other from `line` on, which begins at `start`, up to the first that is none, or with the
/// first that is no line as it stands: of these only an object is in `text`. `line_ends` are the positions of '\n'. Returns how
/// many were written.
size_t hk_headed_run(
    hk_heads *heads, const uint8_t *bytes, size_t readable, const uint32_t *line_ends, size_t line_count, size_t line,
    size_t start, hk_headed_run_out *out);
/// How many of the lines [line, last_line), the first of which begins at `start`, cannot be an envelope or an event by their
/// first bytes (`Envelope.gate`), or have less than `least_byte_count` of them. Nine bytes behind
/// the last line end may be read.
size_t hk_closed_lines(
    const uint8_t *bytes, const uint32_t *line_ends, size_t line, size_t last_line, size_t start, size_t least_byte_count);
#endif
