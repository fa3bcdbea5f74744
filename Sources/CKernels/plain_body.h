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
/// which becomes `*line`; it was the line of `start`. Lines up to `line_count` may belong to it.
static inline __attribute__((always_inline)) HK_TARGET int HK_NAME(cmtrace_record)(
    const uint8_t *bytes, size_t readable, const uint32_t *line_ends, size_t line_count, size_t *line, size_t start,
    plain_memory *memory, hk_plain_run *run, hk_record *out
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
        if (close - start > run->limit || readable < close + 72) return 0;
        found = equal(load(bytes + close), '!');
    }
    close += (unsigned)__builtin_ctzll(found) - 5;
    while (line_end < close) {
        if (++last_line == line_count) return 0;
        line_end = line_ends[last_line];
    }
    // No place that is looked at lies behind the end of the line, and no load reaches further than this from there.
    if (close + 90 > line_end || line_end - start > run->limit || readable < line_end + 72) return 0;
    const uint8_t *clock = bytes + close + 14;
    uint64_t quotes;
    // The bias of a log changes twice a year: the bytes that it took last are tried first.
    if (!HK_NAME(fits_whole)(clock - 14, plain_close[memory->bias_count], plain_close_limit[memory->bias_count])) {
        quotes = equal(load(clock), '"');
        size_t count = (size_t)__builtin_ctzll(quotes | 1ULL << 63) - 12;
        if (count > 4 || count == 1) return 0;
        memory->bias_count = count;
        if (!HK_NAME(fits_whole)(clock - 14, plain_close[count], plain_close_limit[count])) return 0;
    }
    size_t bias_count = memory->bias_count;
    const uint8_t *component = clock + 12 + bias_count + plain_date_count;
    if (!is_time_of_day(clock)) return 0;
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
    // The bias that was believed last says nothing new, whoever tells it.
    int32_t bias = HK_NO_BIAS;
    if (bias_count && bias_text(clock + 12, bias_count) != memory->bias_text) {
        // `.cpp:` and digits up to the quote; other names of sources are looked at byte by byte.
        uint64_t colons = equal(b, ':') & (last ^ (last - 1)), numbers = digits(b);
        unsigned colon = colons ? 63 - (unsigned)__builtin_clzll(colons) : 0;
        uint64_t line_number = (1ULL << file_end) - 1 & ~((2ULL << colon) - 1);
        int is_native = colon > thread_end + 12 && line_number && !(line_number & ~numbers) && is_cpp(thread + colon);
        if (!is_native) is_native = names_source(bytes, (size_t)(thread - bytes) + thread_end + 8, (size_t)(thread - bytes) + file_end);
        int32_t told = bias_of(clock + 12, bias_count);
        if (told == HK_NO_BIAS) return 0;
        if (is_native) {
            bias = told;
            memory->bias_text = bias_text(clock + 12, bias_count);
        }
    }
    write_record(
        run, out, HK_FORMAT_CMTRACE, *line, start, start + 7, close, (size_t)(behind + 1 - bytes), bias);
    *line = last_line;
    return 1;
}

/// Whether the line [start, line_end), which begins plainly, is one record of the simple format.
static inline __attribute__((always_inline)) HK_TARGET int HK_NAME(simple_line)(
    const uint8_t *bytes, size_t readable, size_t line, size_t start, size_t line_end, plain_memory *memory,
    hk_plain_run *run, hk_record *out
) {
    if (line_end - start < 64 || line_end < 192 || readable < line_end + 72) return 0;
    // The mark lies in the last 128 bytes; before them there must be no `$$`, and nowhere a `!`, which every mark of another
    // record has.
    const uint8_t *tail = bytes + line_end - 128;
    block b = load(bytes + start), first = load(tail), second = load(tail + 64);
    size_t count = line_end - start, front = count > 128 ? count - 128 : 0;
    uint64_t dollar = equal(b, '$'), other = equal(b, '!');
    uint64_t pairs = dollar & dollar << 1 & (front < 64 ? (1ULL << front) - 1 : ~0ULL);
    for (size_t i = start + 64; __builtin_expect(i + 128 < line_end, 0); i += 64) {
        b = load(bytes + i);
        uint64_t here = equal(b, '$'), rest = line_end - 128 - i;
        pairs |= here & (here << 1 | dollar >> 63) & (rest < 64 ? (1ULL << rest) - 1 : ~0ULL);
        dollar = here;
        other |= equal(b, '!');
    }
    size_t before = count < 128 ? 128 - count : 0;
    uint64_t own = before < 64 ? ~0ULL << before : 0;
    uint64_t first_dollar = equal(first, '$') & own, second_dollar = equal(second, '$');
    uint64_t first_pairs = first_dollar & (first_dollar << 1 | (uint64_t)((tail[-1] == '$') & !before));
    uint64_t second_pairs = second_dollar & (second_dollar << 1 | first_dollar >> 63);
    other |= (equal(first, '!') & own) | equal(second, '!');
    if (other || pairs || !(first_pairs | second_pairs)) return 0;
    size_t mark = line_end - 129
        + (first_pairs ? (unsigned)__builtin_ctzll(first_pairs) : 64 + (unsigned)__builtin_ctzll(second_pairs));
    if (bytes[mark + 2] != '<') return 0;
    const uint8_t *component = bytes + mark + 3, *end = bytes + line_end;
    b = load(component);
    uint64_t greater = equal(b, '>');
    if (!greater) return 0;
    uint64_t less = equal(b, '<') & (greater ^ (greater - 1));
    const uint8_t *time = component + (unsigned)__builtin_ctzll(greater), *bias_at = time + plain_time_count;
    if (bias_at >= end || less || !fits(time, plain_time, plain_time_limit)) return 0;
    const uint8_t *clock = bias_at - 12;
    if (!is_time_of_day(clock)) return 0;
    b = load(bias_at);
    greater = equal(b, '>');
    uint64_t last = greater & (greater - 1);
    if (!last) return 0;
    size_t bias_count = (size_t)__builtin_ctzll(greater);
    unsigned close = (unsigned)__builtin_ctzll(last);
    less = equal(b, '<') & (last ^ (last - 1));
    if (bias_count > 4 || bias_count == 1 || less != 2ULL << bias_count || close - (unsigned)bias_count - 10 > 51
        || !is_thread(bias_at + bias_count))
        return 0;
    const uint8_t *behind = bias_at + close + 1;
    if (behind != end && (behind + 1 != end || *behind != '\r')) return 0;
    int32_t bias = HK_NO_BIAS;
    if (bias_count && bias_text(bias_at, bias_count) != memory->bias_text) {
        bias = bias_of(bias_at, bias_count);
        if (bias == HK_NO_BIAS) return 0;
        memory->bias_text = bias_text(bias_at, bias_count);
    }
    // `text~~  $$<`, `text~ $$<`, `text  $$<`
    b = load(bytes + mark - 64);
    uint64_t text = ~(equal(b, ' ') | equal(b, '\t') | equal(b, '~'));
    if (!text) return 0;
    size_t message_end = mark - (unsigned)__builtin_clzll(text);
    if (message_end < start) message_end = start;
    write_record(run, out, HK_FORMAT_SIMPLE, line, start, start, message_end, (size_t)(behind - bytes), bias);
    return 1;
}
