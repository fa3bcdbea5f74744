// Proofs that a whole event stands on one line, from bit masks of 64 bytes at a time.
//
// Each answers for the plain case alone and says 0 for everything else: the reader in Swift, byte by byte, decides
// then. What they accept that reader accepts with the same end; the tests hold one against the other.
#ifndef HANDSHAKED_EVENTS_H
#define HANDSHAKED_EVENTS_H
#include <stddef.h>
#include <stdint.h>

/// The byte after the JSON object that begins at `bytes`, where it ends within [bytes, bytes + count), holds no white
/// space outside of its strings and nests 63 levels at most; else 0. `readable` ≥ `count` bytes may be loaded.
size_t hk_json_object(const uint8_t *bytes, size_t count, size_t readable);

/// The byte after `</Event>`, where [bytes, bytes + count) begins with `<Event` and a blank or `>`, holds 64 start tags
/// at most, no comment, CDATA or other declaration before that end, no `<` or `>` but those of tags, and no quote of one
/// kind within a value quoted with the other; else 0. `readable` ≥ `count` bytes may be loaded.
size_t hk_xml_event(const uint8_t *bytes, size_t count, size_t readable);

/// The position of the first `"`, `\` or '\n' in [bytes, bytes + count), or `count`.
size_t hk_json_string_stop(const uint8_t *bytes, size_t count);

/// The position of the first `"`, `'`, `<` or `>` in [bytes, bytes + count), or `count`.
size_t hk_xml_tag_stop(const uint8_t *bytes, size_t count);

/// Compares [bytes, bytes + count) with the shape of a piece of JSON: its literals, one behind the other at `literals`, and
/// between them values. A piece is a literal's byte count times 4 plus what follows it: 0 nothing (the last), 1 the rest of
/// a string up to its quote, 2 a word of letters, digits and `+ - .`.
///
/// Returns the bytes that matched, 0 when they do not. Where `bounds` is not NULL it receives the position and the end of
/// every value, one pair a piece but the last.
size_t hk_json_match(
    const uint8_t *bytes, size_t count, const uint8_t *literals, const uint32_t *pieces, size_t piece_count,
    uint32_t *bounds);

// The same at one level (kernels.h), for tests.
size_t hk_json_object_at(size_t level, const uint8_t *bytes, size_t count, size_t readable);
size_t hk_xml_event_at(size_t level, const uint8_t *bytes, size_t count, size_t readable);
size_t hk_json_string_stop_at(size_t level, const uint8_t *bytes, size_t count);
size_t hk_xml_tag_stop_at(size_t level, const uint8_t *bytes, size_t count);
#endif
