#include "text_memo_set.h"
#include <stdlib.h>

hk_text_memo *hk_text_memo_new(size_t level, uint64_t seed) {
    // Zeros: only pages that are used take memory.
    hk_text_memo *memo = calloc(1, sizeof *memo);
    if (!memo) return NULL;
    memo->level = level;
    memo->seed = seed;
    memo->stream = 1;
    memo->date = UINT32_MAX;
    return memo;
}

void hk_text_memo_free(hk_text_memo *memo) { free(memo); }

void hk_text_memo_begin(hk_text_memo *memo) {
    if (++memo->stream) return;
    memset(memo->slots, 0, sizeof memo->slots);
    memo->stream = 1;
}

uint64_t hk_text_memo_shape_hits(const hk_text_memo *memo) { return memo->shape_hits; }

/// Takes the way that is free, of another stream, or next in turn; the text is still to be written.
static text_slot *take(
    hk_text_memo *memo, const uint8_t *bytes, const hk_record *record, const hk_candidate *candidates,
    const hk_text_place *at, uint64_t hash, uint8_t kind
) {
    text_slot *ways = memo->slots + text_ways(hash, kind == TEXT_BY_BYTES);
    text_slot *place = ways + memo->turn++ % HK_TEXT_WAYS;
    for (size_t way = 0; way < HK_TEXT_WAYS; way++)
        if (ways[way].kind == TEXT_FREE || ways[way].stream != memo->stream) place = ways + way;
    size_t component_count = at->trailer.component_end - at->trailer.component_start;
    memo->hashes[place - memo->slots] = hash;
    *place = (text_slot){
        .stream = memo->stream, .origin = record->origin, .component_count = (uint16_t)component_count,
        .message_count = (uint16_t)at->count, .format = record->format, .kind = kind,
        .candidate_count = (uint8_t)(at->end - at->first)};
    for (size_t k = 0; k < place->candidate_count; k++) place->candidates[k] = candidates[at->first + k].signature;
    memcpy(memo->texts[place - memo->slots], bytes + at->trailer.component_start, component_count);
    return place;
}

size_t hk_text_memo_note(
    hk_text_memo *memo, const uint8_t *bytes, const hk_record *record, const hk_candidate *candidates,
    const hk_text_place *at, const uint16_t *literals, size_t literal_count
) {
    const uint8_t *message = bytes + record->message_start;
    if (!literals && at->has_symbols) {
        if (!at->is_known_to_vary) {
            text_slot *marker = take(memo, bytes, record, candidates, at, at->shape_hash, TEXT_VARIES);
            memcpy(memo->texts[marker - memo->slots] + marker->component_count, at->shape, at->count);
        }
        text_slot *place = take(
            memo, bytes, record, candidates, at, text_hash(message, at->count, ~memo->seed), TEXT_BY_BYTES);
        memcpy(memo->texts[place - memo->slots] + place->component_count, message, at->count);
        return (size_t)(place - memo->slots);
    }
    if (!literals) literal_count = 0;
    text_slot *place = take(memo, bytes, record, candidates, at, at->shape_hash, TEXT_BY_SHAPE);
    uint8_t *known = memo->texts[place - memo->slots] + place->component_count;
    memcpy(known, at->shape, at->count);
    place->literal_count = (uint8_t)literal_count;
    for (size_t k = 0; k < literal_count; k++) {
        size_t from = place->literals[2 * k] = literals[2 * k], to = place->literals[2 * k + 1] = literals[2 * k + 1];
        memcpy(known + from, message + from, to - from);
    }
    return (size_t)(place - memo->slots);
}
