// What stands around the message of a text record, read where it has the plain form that Microsoft's own code writes.
// Every other form is left to the readers in Swift, byte by byte; the tests hold one against the other.
#ifndef HANDSHAKED_TRAILERS_H
#define HANDSHAKED_TRAILERS_H
#include "records.h"
#include <stddef.h>
#include <stdint.h>

/// Positions are relative to the text; ranges are [start, end).
typedef struct {
    /// Behind the trailer's last `>`.
    uint32_t end;
    uint32_t component_start, component_end;
    uint32_t thread_start, thread_end;
    /// As written: local time and, where there is one, what makes it UTC when added, in minutes.
    uint16_t year;
    uint8_t month, day, hour, minute, second;
    uint8_t has_bias;
    /// The file attribute names a line of C++ source.
    uint8_t is_native;
    int32_t bias;
    uint32_t microsecond;
} hk_trailer;

/// `<time="08:53:25.468+240" date="07-14-2021" component="…" context="…" type="1" thread="…" file="…">` from `from` on,
/// ending at or before `end`: 1, and 0 for every other form. Times are read as they stand: their ranges are checked but
/// for the day of the month.
int hk_cmtrace_trailer(const uint8_t *text, size_t from, size_t end, hk_trailer *out);

/// `$$<COMPONENT><03-02-2026 06:00:01.123-60><thread=4840 (0x12E8)>`, where `$$<` stands at `from`: as above. The thread
/// is the number before the blank.
int hk_simple_trailer(const uint8_t *text, size_t from, size_t end, hk_trailer *out);

/// No bias, where one is told in minutes.
static const int32_t HK_NO_BIAS = INT32_MIN;

/// A run of records of a plain form.
typedef struct {
    /// Where it begins, at the start of this line; then the line behind the last record.
    size_t line;
    /// A record may span several lines, of no more than so many bytes.
    int joins;
    size_t limit;
    /// Of all its records.
    uint32_t origin;
    /// As `hk_record.known_bias`, before the run; then behind it.
    int16_t bias;
    /// Lines without a frame among the records.
    size_t unframed_count;
} hk_plain_run;

/// CMTrace records as native code writes them, one behind the other, each from the start of a line to the end of the same
/// or, where `joins`, a later one: up to the first that has another form or lies at the very end of the text. `line_ends` are
/// the positions of '\n'; `readable` bytes may be loaded. Returns how many were written.
size_t hk_cmtrace_run(
    const uint8_t *bytes, size_t readable, const uint32_t *line_ends, size_t line_count, hk_plain_run *run,
    hk_record *out, size_t capacity);
/// The same for records of the simple format, a line each, and lines without any frame.
size_t hk_simple_run(
    const uint8_t *bytes, size_t readable, const uint32_t *line_ends, size_t line_count, hk_plain_run *run,
    hk_record *out, size_t capacity);
// The same at one level (kernels.h), for tests.
size_t hk_cmtrace_run_at(
    size_t level, const uint8_t *bytes, size_t readable, const uint32_t *line_ends, size_t line_count, hk_plain_run *run,
    hk_record *out, size_t capacity);
size_t hk_simple_run_at(
    size_t level, const uint8_t *bytes, size_t readable, const uint32_t *line_ends, size_t line_count, hk_plain_run *run,
    hk_record *out, size_t capacity);
#endif
