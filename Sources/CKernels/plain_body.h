// One record of a plain form on one line, straight through: vector_body.h includes this for each level. What is not quite
// so is left to the loops behind, which take their time.

static inline __attribute__((always_inline)) HK_TARGET int HK_NAME(fits_whole)(
    const uint8_t *p, const uint8_t *form, const uint8_t *limit
) {
    return fits(p, form, limit) & fits(p + 32, form + 32, limit + 32);
}

/// `LOG` stands at p + i.
static inline __attribute__((always_inline)) HK_TARGET uint64_t HK_NAME(logs)(const uint8_t *p) {
    return equal(load(p), 'L') & equal(load(p + 1), 'O') & equal(load(p + 2), 'G');
}

/// Whether one record with the attributes of native code stands from `start`, where `<![LOG[` does, to the end of a line,
/// which becomes `*line`; it was the line of `start`. Lines up to `line_count` may belong to it. `*bias_bytes` is a guess at the
/// first call, 0 or 2 to 4.
static inline __attribute__((always_inline)) HK_TARGET int HK_NAME(cmtrace_record)(
    const uint8_t *bytes, size_t readable, const uint32_t *line_ends, size_t line_count, size_t *line, size_t start,
    size_t limit, size_t *bias_bytes, hk_plain_record *out
) {
    size_t from = start + 7, close = from, last_line = *line, line_end = line_ends[last_line];
    if (readable < from + 64 * 4 + 8) return 0;
    // The `!` of the mark that closes it; every mark has one. Nearly all messages end within four blocks; in which of them is
    // not worth a guess.
    uint64_t found = equal(load(bytes + from + 64 * 3), '!');
    size_t skip = 64 * 3;
    for (int i = 2; i >= 0; i--) {
        uint64_t earlier = equal(load(bytes + from + 64 * i), '!'), is_earlier = (uint64_t)!earlier - 1;
        // Both are chosen by masks: a branch would be wrong as often as not.
        found = earlier | (found & ~is_earlier);
        skip = ((size_t)(64 * i) & is_earlier) | (skip & ~is_earlier);
    }
    close += skip;
    while (!found) {
        close += 64;
        if (close > line_end || readable < close + 72) return 0;
        found = equal(load(bytes + close), '!');
    }
    close += (unsigned)__builtin_ctzll(found) - 5;
    while (line_end < close) {
        if (++last_line == line_count) return 0;
        line_end = line_ends[last_line];
    }
    // No place that is looked at lies behind the end of the line, and no load reaches further than this from there.
    if (close + 90 > line_end || line_end - start > limit || readable < line_end + 72) return 0;
    const uint8_t *clock = bytes + close + 14;
    uint64_t quotes;
    // The bias of a log changes twice a year: the bytes that it took last are tried first.
    if (!HK_NAME(fits_whole)(clock - 14, plain_close[*bias_bytes], plain_close_limit[*bias_bytes])) {
        quotes = equal(load(clock), '"');
        size_t count = (size_t)__builtin_ctzll(quotes | 1ULL << 63) - 12;
        if (count > 4 || count == 1) return 0;
        *bias_bytes = count;
        if (!HK_NAME(fits_whole)(clock - 14, plain_close[count], plain_close_limit[count])) return 0;
    }
    size_t bias_count = *bias_bytes;
    const uint8_t *component = clock + 12 + bias_count + plain_date_count;
    if ((clock[0] == '2' && clock[1] > '3') || (clock[6] == '6' && clock[7] != '0')) return 0;
    // Nothing within a value is a quote or `<`.
    block b = load(component);
    quotes = equal(b, '"');
    if (!quotes) return 0;
    uint64_t less = equal(b, '<') & (quotes ^ (quotes - 1));
    const uint8_t *context = component + (unsigned)__builtin_ctzll(quotes), *thread = context + plain_context_count;
    if (thread >= bytes + line_end || !fits(context, plain_context, plain_context_limit)) return 0;
    b = load(thread);
    quotes = equal(b, '"');
    uint64_t file_quotes = quotes & (quotes - 1), last = file_quotes & (file_quotes - 1);
    if (!last) return 0;
    unsigned thread_end = (unsigned)__builtin_ctzll(quotes), file_end = (unsigned)__builtin_ctzll(last);
    less |= equal(b, '<') & (last ^ (last - 1));
    const uint8_t *behind = thread + file_end + 1, *end = bytes + line_end;
    if (less || (unsigned)__builtin_ctzll(file_quotes) != thread_end + 7 || !is_file_name(thread + thread_end)
        || *behind != '>' || (behind + 1 != end && (behind + 2 != end || behind[1] != '\r')))
        return 0;
    // `.cpp:` and digits up to the quote; other names of sources are looked at byte by byte.
    uint64_t colons = equal(b, ':') & (last ^ (last - 1)), numbers = digits(b);
    unsigned colon = colons ? 63 - (unsigned)__builtin_clzll(colons) : 0;
    uint64_t line_number = (1ULL << file_end) - 1 & ~((2ULL << colon) - 1);
    int is_native = colon > thread_end + 12 && line_number && !(line_number & ~numbers) && is_cpp(thread + colon);
    if (!is_native) is_native = names_source(bytes, (size_t)(thread - bytes) + thread_end + 8, (size_t)(thread - bytes) + file_end);
    int32_t bias = HK_NO_BIAS;
    if (bias_count) {
        int32_t told = bias_of(clock + 12, bias_count);
        if (told == HK_NO_BIAS) return 0;
        if (is_native) bias = told;
    }
    out->line = (uint32_t)*line;
    *line = last_line;
    out->start = (uint32_t)start;
    out->message_end = (uint32_t)close;
    out->end = (uint32_t)(behind + 1 - bytes);
    out->bias = bias;
    out->is_line = 0;
    return 1;
}

/// Whether the line [start, line_end), which begins plainly, is one record of the simple format.
static inline __attribute__((always_inline)) HK_TARGET int HK_NAME(simple_line)(
    const uint8_t *bytes, size_t readable, size_t start, size_t line_end, hk_plain_record *out
) {
    if (readable < line_end + 72 || readable < start + 136) return 0;
    // Three quarters of the lines are no longer than two blocks and the trailer's end.
    uint64_t logs = 0;
    size_t mark = 0;
    for (size_t i = start; i < line_end; i += 128) {
        if (readable < i + 136) return 0;
        uint64_t found[2];
        for (int half = 0; half < 2; half++) {
            const uint8_t *p = bytes + i + 64 * half;
            block next = load(p + 1), third = load(p + 2);
            logs |= equal(load(p), 'L') & equal(next, 'O') & equal(third, 'G');
            found[half] = equal(load(p), '$') & equal(next, '$') & equal(third, '<');
        }
        if (!mark && (found[0] | found[1]))
            mark = i + (found[0] ? (unsigned)__builtin_ctzll(found[0]) : 64 + (unsigned)__builtin_ctzll(found[1]));
    }
    // A mark of another record, if it is one, may lie on the next line as well.
    if (logs || !mark || mark + 3 + 50 > line_end) return 0;
    const uint8_t *component = bytes + mark + 3, *end = bytes + line_end;
    block b = load(component);
    uint64_t greater = equal(b, '>');
    if (!greater) return 0;
    uint64_t less = equal(b, '<') & (greater ^ (greater - 1));
    const uint8_t *time = component + (unsigned)__builtin_ctzll(greater), *bias_at = time + plain_time_count;
    if (bias_at >= end || less || !fits(time, plain_time, plain_time_limit)) return 0;
    const uint8_t *clock = bias_at - 12;
    if ((clock[0] == '2' && clock[1] > '3') || (clock[6] == '6' && clock[7] != '0')) return 0;
    b = load(bias_at);
    greater = equal(b, '>');
    uint64_t last = greater & (greater - 1);
    if (!last) return 0;
    size_t bias_count = (size_t)__builtin_ctzll(greater);
    unsigned close = (unsigned)__builtin_ctzll(last);
    less = equal(b, '<') & (last ^ (last - 1));
    if (bias_count > 4 || bias_count == 1 || less != 2ULL << bias_count || close < bias_count + 10
        || close > bias_count + 61 || !is_thread(bias_at + bias_count))
        return 0;
    const uint8_t *behind = bias_at + close + 1;
    if (behind != end && (behind + 1 != end || *behind != '\r')) return 0;
    int32_t bias = HK_NO_BIAS;
    if (bias_count) {
        bias = bias_of(bias_at, bias_count);
        if (bias == HK_NO_BIAS) return 0;
    }
    size_t message_end = mark;
    while (message_end > start
           && (bytes[message_end - 1] == ' ' || bytes[message_end - 1] == '\t' || bytes[message_end - 1] == '~'))
        message_end--;
    out->start = (uint32_t)start;
    out->message_end = (uint32_t)message_end;
    out->end = (uint32_t)(behind - bytes);
    out->bias = bias;
    out->is_line = 0;
    return 1;
}
