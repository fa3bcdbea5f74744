// text_memo.h over one vector level: vector_body.h includes this.

/// The shape of a message, written in whole blocks: 0 where it cannot have one, 1 where it is the message itself, else 2.
static inline __attribute__((always_inline)) HK_TARGET int HK_NAME(text_shape)(
    const uint8_t *p, size_t count, uint8_t *shape
) {
    // Eight hexadecimal digits, three times four and twelve, with dashes between.
    const uint64_t guid_digits = 0xFFULL | 0xFULL << 9 | 0xFULL << 14 | 0xFULL << 19 | 0xFFFULL << 24;
    static const uint8_t guid[37] = "\1\1\1\1\1\1\1\1-\1\1\1\1-\1\1\1\1-\1\1\1\1-\1\1\1\1\1\1\1\1\1\1\1\1";
    uint64_t any_digit = 0, wrong = 0, dashes[HK_TEXT_BYTES / 64 + 3] = {0};
    size_t blocks = 0, behind = 0, guid_count = 0;
    for (size_t i = 0; i < count; i += 64) {
        block b = load(p + i);
        uint64_t valid = count - i < 64 ? (1ULL << (count - i)) - 1 : ~0ULL;
        wrong |= equal(b, HK_TEXT_HEX) & valid;
        any_digit |= digits(b) & valid;
        dashes[blocks++] = equal(b, '-') & valid;
        for (size_t k = 0; k < 64; k++) {
            uint8_t c = p[i + k];
            shape[i + k] = (uint8_t)(c - '0') < 10 ? HK_TEXT_DIGIT : c;
        }
    }
    if (wrong) return 0;
    for (size_t k = 0; k < blocks; k++) {
        uint64_t d = dashes[k], next = dashes[k + 1];
        uint64_t first = d & (d >> 5 | next << 59) & (d >> 10 | next << 54) & (d >> 15 | next << 49);
        for (; first; first &= first - 1) {
            size_t at = 64 * k + (unsigned)__builtin_ctzll(first);
            if (at < behind + 8 || at + 28 > count) continue;
            block g = load(p + at - 8);
            uint64_t hex = digits(g) | equal_folded(g, 'a') | equal_folded(g, 'b') | equal_folded(g, 'c')
                | equal_folded(g, 'd') | equal_folded(g, 'e') | equal_folded(g, 'f');
            if (~hex & guid_digits) continue;
            memcpy(shape + at - 8, guid, 36);
            guid_count++;
            behind = at + 28;
        }
    }
    return any_digit || guid_count ? 2 : 1;
}

/// Whether [a, a + count) and [b, b + count) are the same; 64 bytes behind both may be loaded.
static inline __attribute__((always_inline)) HK_TARGET int HK_NAME(text_equal)(
    const uint8_t *a, const uint8_t *b, size_t count
) {
    for (size_t i = 0; i < count; i += 64) {
        uint64_t valid = count - i < 64 ? (1ULL << (count - i)) - 1 : ~0ULL;
        if (~same(load(a + i), b + i) & valid) return 0;
    }
    return 1;
}

static inline __attribute__((always_inline)) HK_TARGET uint64_t HK_NAME(text_digest)(
    const uint8_t *p, size_t count, uint64_t seed
) {
    uint64_t hash = seed ^ count;
    for (size_t i = 0; i < count; i += 64) {
        hash = (hash ^ digest(load(p + i), count - i < 64 ? count - i : 64)) * 0x9E3779B97F4A7C15ULL;
        hash ^= hash >> 32;
    }
    return hash * 0xD6E8FEB86659FD93ULL;
}

/// The clock and the date that `fits` let through, at these places; 0 for hours and seconds that there are not.
static inline __attribute__((always_inline)) int HK_NAME(text_clock)(
    const uint8_t *clock, const uint8_t *date, const uint8_t *bias, size_t bias_count, hk_trailer *out
) {
    out->hour = (uint8_t)pair(clock);
    out->minute = (uint8_t)pair(clock + 3);
    out->second = (uint8_t)pair(clock + 6);
    out->microsecond = (pair(clock + 9) * 10 + (clock[11] & 15)) * 1000;
    out->month = (uint8_t)pair(date);
    out->day = (uint8_t)pair(date + 3);
    out->year = (uint16_t)(pair(date + 6) * 100 + pair(date + 8));
    if (out->hour > 23 || out->second > 60) return 0;
    out->has_bias = bias_count != 0;
    out->bias = 0;
    if (bias_count) out->bias = bias_of(bias, bias_count);
    return out->bias != HK_NO_BIAS;
}

/// `hk_cmtrace_trailer` and `hk_simple_trailer` of what nearly all records have; 0 for what takes more. 64 bytes behind `end` may
/// be loaded.
static inline __attribute__((always_inline)) HK_TARGET int HK_NAME(text_cmtrace)(
    const uint8_t *bytes, size_t from, size_t end, hk_trailer *out
) {
    if (end < from + 100) return 0;
    const uint8_t *clock = bytes + from + 7, *stop = bytes + end;
    size_t bias_count = 0;
    if (clock[12] != '"') bias_count = clock[15] == '"' ? 3 : clock[16] == '"' ? 4 : 2;
    if (!HK_NAME(fits_whole)(clock - 14, plain_close[bias_count], plain_close_limit[bias_count])) return 0;
    if (!HK_NAME(text_clock)(clock, clock + 12 + bias_count + 8, clock + 12, bias_count, out)) return 0;
    const uint8_t *component = clock + 12 + bias_count + plain_date_count;
    uint64_t quotes = equal(load(component), '"');
    if (!quotes) return 0;
    const uint8_t *context = component + (unsigned)__builtin_ctzll(quotes), *thread = context + plain_context_count;
    if (thread >= stop || !fits(context, plain_context, plain_context_limit)) return 0;
    quotes = equal(load(thread), '"');
    uint64_t others = quotes & (quotes - 1), last = others & (others - 1);
    if (!last) return 0;
    const uint8_t *thread_end = thread + (unsigned)__builtin_ctzll(quotes), *file_end = thread + (unsigned)__builtin_ctzll(last);
    if (file_end + 2 > stop || file_end[1] != '>' || !is_file_name(thread_end) || thread_end[7] != '"') return 0;
    out->component_start = (uint32_t)(component - bytes);
    out->component_end = (uint32_t)(context - bytes);
    out->thread_start = (uint32_t)(thread - bytes);
    out->thread_end = (uint32_t)(thread_end - bytes);
    out->is_native = (uint8_t)names_source(bytes, (size_t)(thread_end + 8 - bytes), (size_t)(file_end - bytes));
    out->end = (uint32_t)(file_end + 2 - bytes);
    return 1;
}

static inline __attribute__((always_inline)) HK_TARGET int HK_NAME(text_simple)(
    const uint8_t *bytes, size_t from, size_t end, hk_trailer *out
) {
    const uint8_t *component = bytes + from + 3, *stop = bytes + end;
    if (end < from + 50 || component[-3] != '$' || component[-2] != '$' || component[-1] != '<') return 0;
    block b = load(component);
    uint64_t greater = equal(b, '>'), less = equal(b, '<');
    if (!greater || (less & (greater ^ (greater - 1)))) return 0;
    const uint8_t *time = component + (unsigned)__builtin_ctzll(greater), *bias = time + plain_time_count;
    if (bias >= stop || !fits(time, plain_time, plain_time_limit)) return 0;
    b = load(bias);
    greater = equal(b, '>');
    if (!greater) return 0;
    size_t bias_count = (unsigned)__builtin_ctzll(greater);
    if (bias_count > 4 || bias_count == 1 || bias + bias_count + 9 >= stop || !is_thread(bias + bias_count)) return 0;
    if (!HK_NAME(text_clock)(bias - 12, time + 2, bias, bias_count, out)) return 0;
    unsigned thread = (unsigned)bias_count + 9;
    uint64_t number = ~digits(b) >> thread, close = greater >> thread;
    if (!close) return 0;
    unsigned count = (unsigned)__builtin_ctzll(number | close);
    const uint8_t *thread_end = bias + thread + count, *last = bias + thread + (unsigned)__builtin_ctzll(close);
    if (last >= stop || last - (bias + thread) >= 60 || (*thread_end != ' ' && *thread_end != '>')) return 0;
    out->component_start = (uint32_t)(component - bytes);
    out->component_end = (uint32_t)(time - bytes);
    out->thread_start = (uint32_t)(bias + thread - bytes);
    out->thread_end = (uint32_t)(thread_end - bytes);
    out->is_native = 0;
    out->end = (uint32_t)(last + 1 - bytes);
    return 1;
}

static inline __attribute__((always_inline)) HK_TARGET int HK_NAME(text_trailer)(
    const uint8_t *bytes, const hk_record *record, hk_trailer *out
) {
    size_t from = record->message_end, end = record->end;
    if (record->format == HK_FORMAT_CMTRACE) {
        from += 7;
        return from < end && (HK_NAME(text_cmtrace)(bytes, from, end, out) || hk_cmtrace_trailer(bytes, from, end, out));
    }
    if (record->format != HK_FORMAT_SIMPLE) return 0;
    uint64_t dollars = equal(load(bytes + from), '$');
    if (dollars) from += (unsigned)__builtin_ctzll(dollars);
    else while (from < end && bytes[from] != '$') from++;
    if (from >= end) return 0;
    return HK_NAME(text_simple)(bytes, from, end, out) || hk_simple_trailer(bytes, from, end, out);
}

/// The place of a message whose hash is `hash`, or HK_TEXT_PLACES. `shape` is the message itself where it is sought by bytes.
static inline __attribute__((always_inline)) HK_TARGET size_t HK_NAME(text_find)(
    hk_text_memo *memo, const uint8_t *bytes, const hk_record *record, const hk_candidate *candidates,
    const hk_text_place *at, uint64_t hash, const uint8_t *shape, int by_bytes
) {
    size_t ways = text_ways(hash, by_bytes);
    size_t component_count = at->trailer.component_end - at->trailer.component_start;
    size_t candidate_count = at->end - at->first;
    unsigned alike = 0;
    for (unsigned way = 0; way < HK_TEXT_WAYS; way++) alike |= (unsigned)(memo->hashes[ways + way] == hash) << way;
    for (; alike; alike &= alike - 1) {
        size_t number = ways + (unsigned)__builtin_ctz(alike);
        const text_slot *place = memo->slots + number;
        if (place->kind == TEXT_FREE || place->stream != memo->stream || place->origin != record->origin
            || place->format != record->format || place->message_count != at->count
            || place->component_count != component_count || place->candidate_count != candidate_count
            || (place->kind == TEXT_BY_BYTES) != by_bytes)
            continue;
        uint32_t others = 0;
        for (size_t k = 0; k < candidate_count; k++) others |= place->candidates[k] ^ candidates[at->first + k].signature;
        if (others) continue;
        const uint8_t *known = memo->texts[number];
        if (!HK_NAME(text_equal)(known, bytes + at->trailer.component_start, component_count)) continue;
        known += component_count;
        int is_same = place->literal_count
            ? text_is_same(known, shape, bytes + record->message_start, at->count, place->literals, place->literal_count)
            : HK_NAME(text_equal)(known, shape, at->count);
        if (!is_same) continue;
        return number;
    }
    return HK_TEXT_PLACES;
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
        at->is_plain = HK_NAME(text_trailer)(bytes, record, &at->trailer) && text_time(memo, record, at);
        if (!at->is_plain || at->end - next > HK_TEXT_CANDIDATES) break;
        at->count = record->message_end - record->message_start;
        if (at->count < 8 || at->count + at->trailer.component_end - at->trailer.component_start > HK_TEXT_BYTES) break;
        const uint8_t *message = bytes + record->message_start;
        int kind = HK_NAME(text_shape)(message, at->count, at->shape);
        if (!kind) break;
        at->has_key = 1;
        at->has_symbols = kind == 2;
        at->shape_hash = HK_NAME(text_digest)(at->shape, at->count, memo->seed);
        size_t place = HK_NAME(text_find)(memo, bytes, record, candidates, at, at->shape_hash, at->shape, 0);
        if (place < HK_TEXT_PLACES && memo->slots[place].kind == TEXT_VARIES) {
            at->is_known_to_vary = 1;
            place = HK_NAME(text_find)(
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
