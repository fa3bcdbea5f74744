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

/// What is to be done with the payload [from, end), which is not empty.
static inline __attribute__((always_inline)) HK_TARGET uint32_t HK_NAME(payload_kind)(
    const uint8_t *bytes, size_t readable, size_t from, size_t end
) {
    const uint8_t *p = bytes + from;
    size_t count = end - from;
    // A record of the client is whole when its message is closed and no other begins.
    int is_record = p[0] == '<', is_closed = 0;
    if (is_record && (count < 16 || memcmp(p, "<![LOG[", 7))) is_record = 0, is_closed = -1;
    for (size_t i = 0; i < count; i += 64) {
        block b = load(p + i);
        uint64_t valid = count - i < 64 ? (1ULL << (count - i)) - 1 : ~0ULL;
        if (equal(b, '#') & valid) return HK_PAYLOAD_HAS_ESCAPES;
        if (!is_record) continue;
        uint64_t marks = equal(load(p + i + 1), '!') & (equal(b, '<') | equal(b, ']')) & valid;
        if (i == 0) marks &= ~1ULL;
        for (; marks; marks &= marks - 1) {
            size_t at = i + (size_t)__builtin_ctzll(marks);
            if (count - at < 3) continue;
            if (p[at] == '<' && !(count - at < 7) && !memcmp(p + at, "<![LOG[", 7)) return HK_PAYLOAD_IS_OPEN;
            if (p[at] == ']' && p[at + 2] == '>' && at >= 11 && !memcmp(p + at - 4, "]LOG", 4)) is_closed = 1;
        }
    }
    if (is_record) return is_closed ? HK_PAYLOAD_IS_LINE : HK_PAYLOAD_IS_OPEN;
    if (is_closed) return HK_PAYLOAD_IS_OPEN;
    uint8_t first = p[0], folded = first | 0x20;
    if (first == '{') {
        size_t whole = HK_NAME(json_object)(p, count, readable - from);
        return whole && (whole == count || (whole + 1 == count && p[whole] == '\r')) ? HK_PAYLOAD_IS_OBJECT
                                                                                      : HK_PAYLOAD_IS_OPEN;
    }
    // The row of an IIS log; every other digit may be a date before a record of several lines, a count or an envelope.
    if (is_digit(first))
        return count > 20 && p[4] == '-' && p[10] == ' ' && p[19] != '.' && p[19] != ':' ? HK_PAYLOAD_IS_LINE
                                                                                         : HK_PAYLOAD_IS_OPEN;
    if (folded >= 'a' && folded <= 'z') {
        if (first == 'L') return HK_PAYLOAD_IS_OPEN;
        // `Jan  2 03:04:05`.
        return count >= 12 && p[3] == ' ' && p[6] == ' ' && p[9] == ':' ? HK_PAYLOAD_IS_OPEN : HK_PAYLOAD_IS_LINE;
    }
    return first == '~' || first == '*' ? HK_PAYLOAD_IS_LINE : HK_PAYLOAD_IS_OPEN;
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

static HK_TARGET size_t HK_NAME(headed_run)(
    hk_heads *heads, const uint8_t *bytes, size_t readable, const uint32_t *line_ends, size_t line_count, size_t line,
    size_t start, hk_headed_line *out, size_t capacity
) {
    size_t n = 0;
    for (; n < capacity && line < line_count; line++) {
        size_t end = line_ends[line], head;
        // What stands at the very end of the text is left to the slow path.
        if (readable < end + 72) break;
        unsigned form;
        int64_t received;
        size_t count = HK_NAME(head)(heads, bytes + start, end - start, readable - start, &head, &form, &received);
        if (!count) break;
        ptrdiff_t slot = head_slot(heads, bytes + start + head, count, form);
        if (slot < 0) break;
        size_t payload = start + head + count;
        out[n++] = (hk_headed_line){
            .payload = (uint32_t)payload, .slot = (uint32_t)slot,
            .kind = HK_NAME(payload_kind)(bytes, readable, payload, end), .received = received};
        start = end + 1;
    }
    return n;
}
