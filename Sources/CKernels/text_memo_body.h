// text_memo.h over one vector level: vector_body.h includes this.

/// The shape of a message, written in whole blocks: 0 where it cannot have one, 1 where it is the message itself, else 2.
static inline __attribute__((always_inline)) HK_TARGET int HK_NAME(text_shape)(
    const uint8_t *p, size_t count, uint8_t *shape
) {
    // Eight hexadecimal digits, three times four and twelve, with dashes between.
    const uint64_t guid_digits = 0xFFULL | 0xFULL << 9 | 0xFULL << 14 | 0xFULL << 19 | 0xFFFULL << 24;
    static const uint8_t guid[37] = "\1\1\1\1\1\1\1\1-\1\1\1\1-\1\1\1\1-\1\1\1\1-\1\1\1\1\1\1\1\1\1\1\1\1";
    uint16_t guids[HK_TEXT_BYTES / 36 + 1];
    size_t guid_count = 0, behind = 0;
    uint64_t any_digit = 0;
    for (size_t i = 0; i < count; i += 64) {
        block b = load(p + i);
        uint64_t valid = count - i < 64 ? (1ULL << (count - i)) - 1 : ~0ULL;
        if (equal(b, HK_TEXT_HEX) & valid) return 0;
        any_digit |= digits(b) & valid;
        for (size_t k = 0; k < 64; k++) {
            uint8_t c = p[i + k];
            shape[i + k] = (uint8_t)(c - '0') < 10 ? HK_TEXT_DIGIT : c;
        }
        for (uint64_t dashes = equal(b, '-') & valid; dashes; dashes &= dashes - 1) {
            size_t at = i + (unsigned)__builtin_ctzll(dashes);
            if (at < behind + 8 || at + 28 > count || p[at + 5] != '-' || p[at + 10] != '-' || p[at + 15] != '-')
                continue;
            block g = load(p + at - 8);
            uint64_t hex = digits(g) | equal_folded(g, 'a') | equal_folded(g, 'b') | equal_folded(g, 'c')
                | equal_folded(g, 'd') | equal_folded(g, 'e') | equal_folded(g, 'f');
            if (~hex & guid_digits) continue;
            guids[guid_count++] = (uint16_t)(at - 8);
            behind = at + 28;
        }
    }
    for (size_t k = 0; k < guid_count; k++) memcpy(shape + guids[k], guid, 36);
    return any_digit || guid_count ? 2 : 1;
}

static HK_TARGET size_t HK_NAME(text_memo_run)(
    hk_text_memo *memo, const uint8_t *bytes, const hk_record *records, const hk_candidate *candidates, size_t count,
    size_t *index, hk_text_hit *hits, size_t capacity, hk_text_place *at
) {
    size_t n = 0, next = *index;
    while (next < count && n < capacity) {
        const hk_record *record = records + candidates[next].record;
        at->first = next;
        at->end = next + 1;
        while (at->end < count && candidates[at->end].record == candidates[next].record) at->end++;
        at->has_key = at->is_known_to_vary = 0;
        at->is_plain = text_trailer(bytes, record, &at->trailer) && text_time(memo, record, at);
        if (!at->is_plain || at->end - next > HK_TEXT_CANDIDATES) break;
        at->count = record->message_end - record->message_start;
        if (at->count < 8 || at->count + at->trailer.component_end - at->trailer.component_start > HK_TEXT_BYTES) break;
        const uint8_t *message = bytes + record->message_start;
        int kind = HK_NAME(text_shape)(message, at->count, at->shape);
        if (!kind) break;
        at->has_key = 1;
        at->has_symbols = kind == 2;
        at->shape_hash = text_hash(at->shape, at->count, memo->seed);
        size_t place = text_find(memo, bytes, record, candidates, at, at->shape_hash, at->shape, 0);
        if (place < HK_TEXT_PLACES && memo->slots[place].kind == TEXT_VARIES) {
            at->is_known_to_vary = 1;
            place = text_find(
                memo, bytes, record, candidates, at, text_hash(message, at->count, ~memo->seed), message, 1);
        } else {
            memo->shape_hits += place < HK_TEXT_PLACES && at->has_symbols;
        }
        if (place == HK_TEXT_PLACES) break;
        hits[n++] = (hk_text_hit){.time = at->time, .place = (uint16_t)place, .is_local = (uint8_t)at->is_local};
        next = at->end;
    }
    *index = next;
    return n;
}
