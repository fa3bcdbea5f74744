// What text records came to, by their bytes, so that the same message in the same log need not be judged again.
//
// Numbers and GUIDs make most messages of a program different, and few patterns ask what is in them. So a message is
// remembered by its shape: each digit and each hexadecimal digit of a GUID stands for any. Who notes a message says which
// parts of it decided by their very bytes (`literals`); all of it, where that is not known.
#ifndef HANDSHAKED_TEXT_MEMO_H
#define HANDSHAKED_TEXT_MEMO_H
#include "records.h"
#include "trailers.h"
#include <stddef.h>
#include <stdint.h>

typedef struct hk_text_memo hk_text_memo;

/// Component and message; longer ones are not remembered.
#define HK_TEXT_BYTES 480
/// Signatures that one record may be a candidate of, to be remembered.
#define HK_TEXT_CANDIDATES 6
#define HK_TEXT_LITERALS 4
/// Places of the memo; a record has one of HK_TEXT_WAYS by its hash.
#define HK_TEXT_PLACES 1024
#define HK_TEXT_WAYS 4
/// In a shape: any hexadecimal digit of a GUID, and any digit.
#define HK_TEXT_HEX 1
#define HK_TEXT_DIGIT 48

/// NULL when there is no memory. `level` is one of kernels.h, or `hk_level_count()` for the one in use.
hk_text_memo *hk_text_memo_new(size_t level, uint64_t seed);
void hk_text_memo_free(hk_text_memo *memo);
/// Begins a stream: origins are numbered anew, what is known of others is none of its.
void hk_text_memo_begin(hk_text_memo *memo);

/// A record that is known.
typedef struct {
    /// Microseconds since 1970; of a local clock where `is_local`.
    int64_t time;
    /// Its place in the memo.
    uint16_t place;
    uint8_t is_local;
} hk_text_hit;

/// The record at which a run stopped.
typedef struct {
    /// Its candidates are [first, end).
    size_t first, end;
    /// A plain CMTrace or simple record: `trailer` and `time` are known.
    int is_plain;
    /// It can be noted: `shape` is its message, of `count` bytes.
    int has_key;
    hk_trailer trailer;
    int64_t time;
    int is_local;
    uint64_t shape_hash;
    /// The shape is remembered, and that it does not decide.
    int is_known_to_vary;
    /// The shape is not the message itself.
    int has_symbols;
    size_t count;
    uint8_t shape[HK_TEXT_BYTES + 64];
} hk_text_place;

/// Takes records that are known, from candidate `*index` on, and moves it behind them: up to `count`, to `capacity` hits or to a
/// record that is not known, of which `*place` tells. Candidates of one record stand side by side. Returns how many hits were
/// written. 64 bytes behind the text may be read.
size_t hk_text_memo_run(
    hk_text_memo *memo, const uint8_t *bytes, const hk_record *records, const hk_candidate *candidates, size_t count,
    size_t *index, hk_text_hit *hits, size_t capacity, hk_text_place *place);

/// Remembers the record of `place`: the result is its place in the memo, where what it came to is to be kept. `literals` are
/// ranges of the message, ascending and apart, two numbers each, that decided by their bytes. NULL: all of it did.
size_t hk_text_memo_note(
    hk_text_memo *memo, const uint8_t *bytes, const hk_record *record, const hk_candidate *candidates,
    const hk_text_place *place, const uint16_t *literals, size_t literal_count);

/// For tests: how many records were taken as known by a shape that is not their message.
uint64_t hk_text_memo_shape_hits(const hk_text_memo *memo);
#endif
