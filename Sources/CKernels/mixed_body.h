// The loop of mixed.h over one vector level; part of vector_body.h.

/// Whether what began on line `line` may go on in the next one.
static inline __attribute__((always_inline)) int HK_NAME(line_joins)(const hk_mixed_lines *lines, size_t line) {
    const uint8_t *this = lines->slots + line * lines->stride, *next = this + lines->stride;
    if (next[lines->joins]) return 1;
    if (this[lines->is_plain] != next[lines->is_plain]
        || hk_number_at(this + lines->origin) != hk_number_at(next + lines->origin))
        return 0;
    return this[lines->is_plain]
        ? hk_number_at(this + lines->chunk_end) + 1 == hk_number_at(next + lines->chunk_start)
        : hk_number_at(this + lines->chunk_start) == hk_number_at(next + lines->chunk_start);
}

static HK_TARGET size_t HK_NAME(mixed_run)(
    const uint8_t *bytes, size_t readable, const uint32_t *line_ends, size_t line_count, size_t *first,
    hk_mixed_lines *lines, size_t limit, hk_mixed_record *out, size_t capacity
) {
    size_t n = 0, line = *first, event = lines->next_event, bias_count = 3;
    size_t start = line ? (size_t)line_ends[line - 1] + 1 : 0;
    while (n < capacity && line < line_count) {
        size_t end = line_ends[line];
        uint32_t origin = hk_number_at(lines->slots + line * lines->stride + lines->origin);
        unsigned kind = lines->kinds[origin];
        if (kind & HK_ORIGIN_IS_OTHER) break;
        hk_mixed_record *o = &out[n];
        hk_plain_run run = {.line = line, .joins = 1, .limit = limit, .origin = origin, .bias = lines->biases[origin]};
        while (event < lines->event_count && lines->events[event].line < line) event++;
        if (event < lines->event_count && lines->events[event].line == line) {
            const hk_event_line *known = &lines->events[event];
            o->kind = HK_MIXED_EVENT;
            o->record = (hk_record){
                .origin = origin, .start = known->start, .end = known->end, .message_start = known->start,
                .message_end = known->layout, .known_bias = run.bias, .line = (uint32_t)line, .event = (uint32_t)event,
                .is_unasked = known->is_unasked != 0};
            event++;
            n++;
            line++;
            start = end + 1;
            continue;
        }
        if (start >= end) break;
        const uint8_t *p = bytes + start;
        uint8_t c = p[0];
        if (c == '<') {
            if (end < start + 14 || memcmp(p, "<![LOG[", 7)) break;
            // The lines that join are the same for each of them: they are looked through once.
            size_t last = line, count = lines->joined > line ? lines->joined : line + 1;
            while (count < line_count && HK_NAME(line_joins)(lines, count - 1)) count++;
            lines->joined = count;
            plain_memory memory = {.bias_count = bias_count};
            if (!HK_NAME(cmtrace_record)(bytes, readable, line_ends, count, &last, start, &memory, &run, &o->record)
                && !HK_NAME(cmtrace_other)(bytes, readable, line_ends, count, &last, start, &run, &o->record))
                break;
            bias_count = memory.bias_count;
            o->kind = HK_MIXED_CMTRACE;
            lines->biases[origin] = run.bias;
            n++;
            line = last + 1;
            start = (size_t)line_ends[last] + 1;
            continue;
        }
        if (is_digit(c)) {
            if (!(kind & HK_ORIGIN_HAS_DATED_ROWS) || end < start + 11 || p[4] != '-' || p[7] != '-'
                || (p[10] != ' ' && p[10] != '\t'))
                break;
            hk_mixed_record *before = n ? o - 1 : o;
            if (n && before->kind == HK_MIXED_ROWS && before->record.origin == origin && before->record.end == line) {
                before->record.end++;
            } else {
                o->kind = HK_MIXED_ROWS;
                o->record = (hk_record){.origin = origin, .line = (uint32_t)line, .end = (uint32_t)line + 1};
                n++;
            }
            line++;
            start = end + 1;
            continue;
        }
        if (kind & HK_ORIGIN_HAS_ROWS) break;
        if (!HK_NAME(simple_run)(bytes, readable, line_ends, line + 1, &run, &o->record, 1)) break;
        lines->biases[origin] = run.bias;
        o->kind = run.unframed_count ? HK_MIXED_LINE : HK_MIXED_SIMPLE;
        n++;
        line++;
        start = end + 1;
    }
    *first = line;
    return n;
}
