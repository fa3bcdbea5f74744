// The loops of envelopes.h over one vector level; part of vector_body.h.

/// The length of the head at `p`, as far as a first look tells; `count` bytes up to the end of the line, HK_HEAD_LIMIT + 65 may
/// be loaded. A wrong one does no harm: a head is known only by the length that reading it gave.
static inline __attribute__((always_inline)) HK_TARGET size_t HK_NAME(head_length)(
    const uint8_t *p, size_t count, unsigned form
) {
    uint64_t blanks = equal(load(p), ' ');
    size_t from;
    uint8_t last;
    if (form == HK_FORM_RFC5424) {
        // HOST APP PROCID MSGID, and what stands behind them.
        for (int i = 0; i < 3; i++) blanks &= blanks - 1;
        if (!blanks) return 0;
        from = (size_t)__builtin_ctzll(blanks) + 1;
        if (p[from] == '-') return p[from + 1] == ' ' && from + 2 < count ? from + 2 : 0;
        if (p[from] != '[') return 0;
        last = ']';
    } else {
        if (!blanks) return 0;
        from = (size_t)__builtin_ctzll(blanks) + 1;
        last = ':';
    }
    for (size_t i = from; i < HK_HEAD_LIMIT; i += 64) {
        uint64_t ends = equal(load(p + i), last) & equal(load(p + i + 1), ' ');
        if (ends) {
            size_t length = i + (size_t)__builtin_ctzll(ends) + 2;
            return length < count && length <= HK_HEAD_LIMIT ? length : 0;
        }
    }
    return 0;
}

/// What is to be done with a payload of `count` bytes, one at least. On the way it is copied to `out`; up to 64 bytes behind it
/// may be written.
static inline __attribute__((always_inline)) HK_TARGET uint32_t HK_NAME(payload_kind)(
    const uint8_t *p, size_t count, uint8_t *out
) {
    uint8_t first = p[0], letter = first | 0x20;
    uint64_t escapes = 0;
    // A record of the client is whole when its message is closed and no other begins.
    if (first == '<' && count >= 16 && !memcmp(p, "<![LOG[", 7)) {
        int is_closed = 0, is_open = 0;
        for (size_t i = 0; i < count; i += 64) {
            block b = load(p + i);
            uint64_t valid = count - i < 64 ? (1ULL << (count - i)) - 1 : ~0ULL;
            memcpy(out + i, p + i, 64);
            escapes |= equal(b, '#') & valid;
            uint64_t marks = equal(load(p + i + 1), '!') & (equal(b, '<') | equal(b, ']')) & valid;
            if (i == 0) marks &= ~1ULL;
            for (; marks; marks &= marks - 1) {
                size_t at = i + (size_t)__builtin_ctzll(marks);
                if (count - at < 3) continue;
                if (p[at] == '<' && !(count - at < 7) && !memcmp(p + at, "<![LOG[", 7)) is_open = 1;
                if (p[at] == ']' && p[at + 2] == '>' && at >= 11 && !memcmp(p + at - 4, "]LOG", 4)) is_closed = 1;
            }
        }
        return escapes ? HK_PAYLOAD_HAS_ESCAPES : is_closed && !is_open ? HK_PAYLOAD_IS_LINE : HK_PAYLOAD_IS_OPEN;
    }
    size_t i = 0;
    for (; i + 64 < count; i += 64) {
        escapes |= equal(load(p + i), '#');
        memcpy(out + i, p + i, 64);
    }
    escapes |= equal(load(p + i), '#') & ~0ULL >> (64 - (count - i));
    memcpy(out + i, p + i, 64);
    if (escapes) return HK_PAYLOAD_HAS_ESCAPES;
    if (first == '{') return HK_PAYLOAD_IS_OBJECT;
    // The row of an IIS log; every other digit may be a date before a record of several lines, a count or an envelope.
    if (is_digit(first))
        return count > 20 && p[4] == '-' && p[10] == ' ' && p[19] != '.' && p[19] != ':' ? HK_PAYLOAD_IS_LINE
                                                                                         : HK_PAYLOAD_IS_OPEN;
    if (letter >= 'a' && letter <= 'z') {
        if (first == 'L') return HK_PAYLOAD_IS_OPEN;
        // `Jan  2 03:04:05`.
        return count >= 12 && p[3] == ' ' && p[6] == ' ' && p[9] == ':' ? HK_PAYLOAD_IS_OPEN : HK_PAYLOAD_IS_LINE;
    }
    return first == '~' || first == '*' ? HK_PAYLOAD_IS_LINE : HK_PAYLOAD_IS_OPEN;
}

/// Whether the head of a slot is this one. Up to 64 bytes behind the head are read.
static inline __attribute__((always_inline)) HK_TARGET int HK_NAME(is_head)(
    const hk_heads *heads, const hk_head *known, const uint8_t *head
) {
    const uint8_t *text = heads->texts + known->offset;
    size_t count = known->count, i = 0;
    for (; i + 64 < count; i += 64)
        if (~same(load(head + i), text + i)) return 0;
    return !(~same(load(head + i), text + i) & ~0ULL >> (64 - (count - i)));
}

/// Where the head of a line ends, as far as a first look tells: its length, and where it begins.
static inline __attribute__((always_inline)) HK_TARGET size_t HK_NAME(head)(
    hk_heads *heads, const uint8_t *line, size_t count, size_t readable, size_t *start, unsigned *form, int64_t *received
) {
    if (readable < HK_HEAD_LIMIT + 160) return 0;
    *start = head_start(heads, line, form, received);
    // The last byte may be a `\r`, which is no payload.
    if (!*start || *start + HK_HEAD_LEAST + 2 > count) return 0;
    size_t length = HK_NAME(head_length)(line + *start, count - *start - 1, *form);
    // A byte order mark is no payload.
    return length < HK_HEAD_LEAST || line[*start + length] == 0xEF ? 0 : length;
}

/// A line on its way through the run: its head is hashed, then looked up, then compared. Slots and texts of many hosts lie further
/// away than the first cache: they are asked for while the lines before are opened.
typedef struct {
    size_t start, head, count;
    unsigned form;
    int64_t received;
    uint64_t hash;
    /// The first slot of this hash.
    size_t slot;
    int is_found;
} HK_NAME(headed);

static inline __attribute__((always_inline)) HK_TARGET void HK_NAME(headed_hash)(
    hk_heads *heads, const uint8_t *bytes, size_t readable, size_t start, size_t end, HK_NAME(headed) *out
) {
    out->count = 0;
    out->start = start;
    // What stands at the very end of the text is left to the slow path.
    if (readable < end + 72) return;
    out->count = HK_NAME(head)(
        heads, bytes + start, end - start, readable - start, &out->head, &out->form, &out->received);
    if (!out->count) return;
    out->head += start;
    out->hash = head_hash(heads->seed, bytes + out->head, out->count, out->form);
    __builtin_prefetch(&heads->slots[out->hash & heads->mask]);
}

static inline __attribute__((always_inline)) HK_TARGET void HK_NAME(headed_find)(
    const hk_heads *heads, HK_NAME(headed) *out
) {
    out->is_found = 0;
    if (!out->count) return;
    for (size_t i = 0; i < HK_HEAD_PROBES; i++) {
        size_t slot = (out->hash + i) & heads->mask;
        const hk_head *known = &heads->slots[slot];
        if (!known->count) return;
        if (known->hash != out->hash || known->count != out->count || known->form != out->form) continue;
        out->slot = slot;
        out->is_found = 1;
        __builtin_prefetch(heads->texts + known->offset);
        __builtin_prefetch(heads->texts + known->offset + known->count);
        return;
    }
}

static HK_TARGET size_t HK_NAME(headed_run)(
    hk_heads *heads, const uint8_t *bytes, size_t readable, const uint32_t *line_ends, size_t line_count, size_t line,
    size_t start, hk_headed_run_out *out
) {
    size_t n = 0, text_count = 0;
    size_t count = line_count - line < out->capacity ? line_count - line : out->capacity;
    const uint32_t *ends = line_ends + line;
    HK_NAME(headed) ahead[4];
    ahead[0].count = ahead[1].count = 0;
    if (count) HK_NAME(headed_hash)(heads, bytes, readable, start, ends[0], &ahead[0]);
    if (!count || !ahead[0].count) count = 0;
    if (count > 1) HK_NAME(headed_hash)(heads, bytes, readable, (size_t)ends[0] + 1, ends[1], &ahead[1]);
    if (count) HK_NAME(headed_find)(heads, &ahead[0]);
    while (n < count) {
        if (n + 2 < count)
            HK_NAME(headed_hash)(heads, bytes, readable, (size_t)ends[n + 1] + 1, ends[n + 2], &ahead[(n + 2) % 4]);
        if (n + 1 < count) HK_NAME(headed_find)(heads, &ahead[(n + 1) % 4]);
        const HK_NAME(headed) *this = &ahead[n % 4];
        if (!this->count || !this->is_found) break;
        const hk_head *known = &heads->slots[this->slot];
        if (!HK_NAME(is_head)(heads, known, bytes + this->head)) break;
        size_t end = ends[n], payload = this->head + this->count;
        uint32_t kind = HK_NAME(payload_kind)(bytes + payload, end - payload, out->text + text_count);
        if (kind == HK_PAYLOAD_IS_OBJECT) {
            hk_event_line *event = out->events + out->event_count;
            uint32_t event_end;
            if (out->layouts
                && HK_NAME(event_lines)(
                    out->layouts, bytes, readable, out->first_line + n, payload, out->marks, out->mark_capacity,
                    &out->mark_count, &event_end, event, 1)
                && event_end == end)
            {
                kind = HK_PAYLOAD_IS_LINE;
                // Where its copy stands.
                uint32_t moved = (uint32_t)(out->first_byte + text_count - payload);
                event->start += moved;
                event->end += moved;
                event->base += (int32_t)moved;
                out->event_count++;
            } else {
                size_t whole = HK_NAME(json_object)(bytes + payload, end - payload, readable - payload);
                if (!whole || (whole != end - payload && (whole + 1 != end - payload || bytes[end - 1] != '\r')))
                    kind = HK_PAYLOAD_IS_OPEN;
            }
        }
        out->lines[n++] = (hk_headed_line){
            .payload = (uint32_t)payload, .slot = (uint32_t)this->slot, .origin = known->origin, .kind = kind,
            .received = this->received};
        if (kind != HK_PAYLOAD_IS_LINE && kind != HK_PAYLOAD_IS_OBJECT) break;
        text_count += end - payload;
        out->text[text_count++] = '\n';
        if (kind == HK_PAYLOAD_IS_OBJECT) break;
    }
    out->text_count = text_count;
    return n;
}
