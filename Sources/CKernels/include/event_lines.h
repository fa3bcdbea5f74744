// Whole events on one line, known by the layout of lines met before: what is the same in all lines of a layout stands at
// the same marks, one behind the other, and values between them.
//
//     {"EventTime":"2026-03-02 06:00:00","EventID":36887,"Channel":"System"}
//      1         2 3                   4 5       6       7       8 9      10     marks: quotes that are not escaped
//     {"EventTime":"                   ","EventID":     ,"Channel":"      "}      the layout's literals
//
//     <Event xmlns="…"><System><EventID>36887</EventID></System></Event>
//     1            2 3 45     67      8     9        …                         marks: `<`, `>`, and quotes within tags
//
// Mark 0 is the byte before the line, the line end before it; the one behind the last is the line end.
//
// A line that matches holds the tokens of the line that was learnt, with other values: no value can hold a mark.
#ifndef HANDSHAKED_EVENT_LINES_H
#define HANDSHAKED_EVENT_LINES_H
#include <stddef.h>
#include <stdint.h>
#include <string.h>

/// Most marks and bytes of a line.
#define HK_EVENT_MARKS 1024
#define HK_EVENT_BYTES 65000
/// For so many marks there must be room.
#define HK_EVENT_MARK_ROOM (HK_EVENT_BYTES + 192)
#define HK_LAYOUT_HEADS 256

/// A layout is a run of numbers: this head, then one for each check and two for each word.
///
///     check   mark | what to add to its place << 16 (signed; never leads before the start)
///     word    mark | added to its place << 16, mark | taken from its place << 16: between them letters, digits, + - .
#define HK_LAYOUT_NEXT 0      // the next layout of as many marks; 0: none
#define HK_LAYOUT_KEY 1       // marks << 1 | 1 for XML
#define HK_LAYOUT_NUMBER 2
#define HK_LAYOUT_CHECKS 3    // a multiple of HK_CHECK_STEP
#define HK_LAYOUT_WORDS 4
#define HK_LAYOUT_PROBE 5     // the check to begin with
#define HK_LAYOUT_TAIL 6      // a mark, and what to add to it for the line end
#define HK_LAYOUT_LITERALS 8  // where its literals begin, 32 bytes for each check, with zeros behind shorter ones
#define HK_LAYOUT_REACH 9     // the most that a check adds
#define HK_LAYOUT_TRAIL 10    // blanks before the line end
#define HK_LAYOUT_HEAD 11
#define HK_CHECK_STEP 4

typedef struct {
    /// By key modulo HK_LAYOUT_HEADS: where in `numbers` the first layout is; 0: none. `numbers` begins with an unused one.
    const uint32_t *heads;
    const uint32_t *numbers;
    const uint8_t *literals;
} hk_event_layouts;

typedef struct {
    uint32_t line, start, end;
    /// The number of its layout, and where its marks begin; their places are relative to `base`.
    uint32_t layout, marks;
    int32_t base;
    /// Set by hk_event_kinds_mark.
    uint32_t is_unasked;
} hk_event_line;

/// Lines of known layouts, one behind the other, from `start`, the start of `line`, on, up to the first that has none, lies
/// at the very end of the text, or for whose marks there may be no room. `readable` bytes may be loaded. Where each ends is
/// written to `line_ends`, unless that is NULL. Adds to `*mark_count`; returns how many lines were written.
size_t hk_event_lines(
    const hk_event_layouts *layouts, const uint8_t *bytes, size_t readable, size_t line, size_t start, uint16_t *marks,
    size_t mark_capacity, size_t *mark_count, uint32_t *line_ends, hk_event_line *out, size_t capacity);
/// The same at one level (kernels.h), for tests.
size_t hk_event_lines_at(
    size_t level, const hk_event_layouts *layouts, const uint8_t *bytes, size_t readable, size_t line, size_t start,
    uint16_t *marks, size_t mark_capacity, size_t *mark_count, uint32_t *line_ends, hk_event_line *out,
    size_t capacity);

/// The first line from `line` on that may be an event by its first bytes, as `EventLayouts.mayBegin` has it; `line_count` when there
/// is none.
static inline size_t hk_next_event(const uint8_t *bytes, const uint32_t *line_ends, size_t line_count, size_t line) {
    size_t start = line ? (size_t)line_ends[line - 1] + 1 : 0;
    for (; line < line_count; line++) {
        size_t end = line_ends[line];
        if (end >= start + 16 && (bytes[start] == '{' || (bytes[start] == '<' && bytes[start + 1] == 'E'))) break;
        start = end + 1;
    }
    return line;
}

/// Empties the ranges of [bytes, bytes + readable) ([start, end), two numbers each) in which none of the triples stands:
/// three bytes each, with 0x20 set, whether it is set in the text or not. Others may stay too.
void hk_triples_filter(
    const uint8_t *bytes, size_t readable, uint32_t *ranges, size_t range_count, const uint8_t *triples,
    size_t triple_count);
void hk_triples_filter_at(
    size_t level, const uint8_t *bytes, size_t readable, uint32_t *ranges, size_t range_count, const uint8_t *triples,
    size_t triple_count);

/// What was found out about events of one provider and id, by the bytes in which both stand.
typedef struct {
    /// Zeros stand behind both.
    uint8_t provider[48], id[8];
    uint8_t provider_count, id_count;
    /// 0: nothing; 1: no signature can hold; 2: one may.
    uint8_t verdict;
    uint8_t unused[5];
} hk_event_kind;

/// Whether `kind` is of these bytes.
static inline int hk_event_kind_is(
    const hk_event_kind *kind, const uint8_t *provider, size_t provider_count, const uint8_t *id, size_t id_count
) {
    return kind->provider_count == provider_count && kind->id_count == id_count
        && !memcmp(kind->provider, provider, provider_count) && !memcmp(kind->id, id, id_count);
}

/// The place of a kind in a table of `mask` + 1 (a power of two, 4 or more): the one it has, else one of four that it may
/// take. The ends of the provider and the id decide which. NULL when either is empty or too long.
static inline const hk_event_kind *hk_event_kind_place(
    const hk_event_kind *table, size_t mask, uint64_t seed, const uint8_t *provider, size_t provider_count, const uint8_t *id,
    size_t id_count
) {
    if (provider_count - 1 >= sizeof table->provider || id_count - 1 >= sizeof table->id) return NULL;
    uint64_t head = 0, tail = 0, number = 0;
    if (provider_count >= 8) {
        memcpy(&head, provider, 8);
        memcpy(&tail, provider + provider_count - 8, 8);
    } else {
        for (size_t i = 0; i < provider_count; i++) head = head << 8 | provider[i];
    }
    for (size_t i = 0; i < id_count; i++) number = number << 8 | id[i];
    uint64_t hash = (head ^ seed) * 0x9E3779B97F4A7C15ULL;
    hash = ((hash ^ hash >> 29) + tail) * 0xBF58476D1CE4E5B9ULL;
    hash = ((hash ^ hash >> 32) + number) * 0x94D049BB133111EBULL;
    hash ^= hash >> 31;
    const hk_event_kind *four = &table[hash & mask & ~(size_t)3], *place = &four[hash >> 60 & 3];
    for (int i = 0; i < 4; i++) {
        if (!four[i].verdict) place = &four[i];
        else if (hk_event_kind_is(&four[i], provider, provider_count, id, id_count)) return &four[i];
    }
    return place;
}

static inline void hk_event_kind_set(
    hk_event_kind *kind, const uint8_t *provider, size_t provider_count, const uint8_t *id, size_t id_count,
    uint8_t verdict
) {
    memset(kind, 0, sizeof *kind);
    memcpy(kind->provider, provider, provider_count);
    memcpy(kind->id, id, id_count);
    kind->provider_count = (uint8_t)provider_count;
    kind->id_count = (uint8_t)id_count;
    kind->verdict = verdict;
}

/// Where in the lines of a layout a value stands: [place of `first` + `lead`, place of `last` - `trail`).
typedef struct {
    uint16_t first, lead, last, trail;
} hk_event_value;

/// Copies values, each behind its length, to `out`: how many bytes; 0 when there may be no room. Behind each value 16 bytes may
/// be loaded.
size_t hk_event_values(
    const hk_event_value *values, size_t count, const uint16_t *marks, const uint8_t *base, uint8_t *out,
    size_t capacity);

/// Where in the lines of one layout provider and id stand.
typedef struct {
    uint64_t serial;
    hk_event_value provider, id;
    /// 0: not known yet; 1: nowhere, or in more than one place; 2: there, and nowhere else.
    uint8_t state;
    uint8_t is_xml;
    /// The kind met last, by its place in `kinds`.
    uint16_t latest;
} hk_event_gate;

/// Half of the kinds are for JSON, the other half for XML: the same bytes may mean another name there.
#define HK_EVENT_KINDS 512

/// Marks events from `index` on that no definition asks for, up to the first of which nothing is known yet: the result. Behind
/// each event 64 bytes may be loaded; there is a gate for each layout, and 2 * HK_EVENT_KINDS kinds.
size_t hk_event_kinds_mark(
    hk_event_gate *gates, const hk_event_kind *kinds, uint64_t seed, const uint8_t *bytes, const uint16_t *marks,
    hk_event_line *events, size_t count, size_t index);
#endif
