// The loops of event_lines.h over one vector level, with the definitions of vector_body.h and
//
//   differ(a, b)           bit i: byte i of the 32 at a is another than that at b
//   write_near(m, b, o)    as write_bits, to 16-bit entries

/// The places of all quotes of the line that no backslash escapes; 0 when there are too many.
static inline __attribute__((always_inline)) HK_TARGET size_t HK_NAME(json_marks)(
    const uint8_t *bytes, size_t count, uint16_t *out
) {
    uint64_t escape_carry = 0;
    size_t n = 0;
    for (size_t i = 0; i < count; i += 64) {
        block b = load(bytes + i);
        uint64_t quote = equal(b, '"'), backslash = equal(b, '\\');
        if (backslash | escape_carry) quote &= ~HK_NAME(escaped)(backslash, &escape_carry);
        if (count - i < 64) quote &= (1ULL << (count - i)) - 1;
        write_near(quote, (uint16_t)i, out + n);
        n += (unsigned)__builtin_popcountll(quote);
        if (n > HK_EVENT_MARKS) return 0;
    }
    return n;
}

/// The places of every `<` and of the quotes within tags; 0 when there are too many, or when `<` and `>` do not take turns.
static inline __attribute__((always_inline)) HK_TARGET size_t HK_NAME(xml_marks)(
    const uint8_t *bytes, size_t count, uint16_t *out
) {
    uint64_t tag_carry = 0;
    size_t n = 0;
    for (size_t i = 0; i < count; i += 64) {
        block b = load(bytes + i);
        uint64_t less = equal(b, '<'), greater = equal(b, '>');
        uint64_t tag = prefix_xor(less | greater) ^ tag_carry;
        tag_carry = (uint64_t)((int64_t)tag >> 63);
        uint64_t marks = less | ((equal(b, '"') | equal(b, '\'')) & tag);
        uint64_t wrong = (less & ~tag) | (greater & tag);
        if (count - i < 64) {
            uint64_t valid = (1ULL << (count - i)) - 1;
            marks &= valid;
            wrong &= valid;
        }
        if (wrong) return 0;
        write_near(marks, (uint16_t)i, out + n);
        n += (unsigned)__builtin_popcountll(marks);
        if (n > HK_EVENT_MARKS) return 0;
    }
    return n;
}

/// Whether the literals of a layout stand at their marks, and words between them where it wants words.
static inline __attribute__((always_inline)) HK_TARGET int HK_NAME(is_layout)(
    const uint8_t *bytes, const uint16_t *marks, size_t count, size_t behind, const uint32_t *layout,
    const uint8_t *literals
) {
    const uint32_t *check = layout + HK_LAYOUT_HEAD;
    size_t checks = layout[HK_LAYOUT_CHECKS], words_left = layout[HK_LAYOUT_WORDS], probe = layout[HK_LAYOUT_PROBE];
    literals += 32 * (size_t)layout[HK_LAYOUT_LITERALS];
    if (behind < layout[HK_LAYOUT_REACH] + 64) return 0;
    // The check that tells it from the others first.
    ptrdiff_t at = marks[check[2 * probe] & 0xFFFF] + (ptrdiff_t)(int16_t)(check[2 * probe] >> 16);
    if (differ(bytes + at, literals + 32 * probe) & check[2 * probe + 1]) return 0;
    if ((size_t)marks[layout[HK_LAYOUT_TAIL]] + layout[HK_LAYOUT_TAIL + 1] != count) return 0;
    uint32_t wrong = 0;
    for (size_t k = 0; k < checks; k++, check += 2, literals += 32) {
        at = marks[check[0] & 0xFFFF] + (ptrdiff_t)(int16_t)(check[0] >> 16);
        wrong |= differ(bytes + at, literals) & check[1];
    }
    if (wrong) return 0;
    for (; words_left; words_left--, check += 2) {
        size_t start = (size_t)marks[check[0] & 0xFFFF] + (check[1] & 0xFFFF);
        size_t stop = (size_t)marks[check[0] >> 16] - (check[1] >> 16), length = stop - start;
        // Backwards is a large number.
        if (start > count || length - 1 >= 63) return 0;
        if (~words(load(bytes + start)) & ((1ULL << length) - 1)) return 0;
    }
    return 1;
}

static HK_TARGET size_t HK_NAME(event_lines)(
    const hk_event_layouts *layouts, const uint8_t *bytes, size_t readable, const uint32_t *line_ends,
    size_t line_count, size_t line, size_t start, uint16_t *marks, size_t mark_capacity, size_t *mark_count,
    hk_event_line *out, size_t capacity
) {
    size_t n = 0;
    for (; n < capacity && line < line_count; line++, n++) {
        size_t end = line_ends[line];
        if (end < start + 16 || readable - end < 64 || mark_capacity - *mark_count < HK_EVENT_MARKS + 128) break;
        const uint8_t *p = bytes + start;
        int is_xml = p[0] == '<';
        if (!is_xml && p[0] != '{') break;
        while (bytes[end - 1] == '\r' || bytes[end - 1] == ' ' || bytes[end - 1] == '\t') end--;
        size_t count = end - start, behind = readable - end;
        if (end <= start || count > HK_EVENT_BYTES) break;
        uint16_t *found = marks + *mark_count;
        size_t found_count =
            is_xml ? HK_NAME(xml_marks)(p, count, found + 1) : HK_NAME(json_marks)(p, count, found + 1);
        if (!found_count) break;
        // The start is the first mark, the end the last.
        found[0] = 0;
        found[found_count + 1] = (uint16_t)count;
        uint32_t key = (uint32_t)found_count << 1 | (uint32_t)is_xml, at = layouts->heads[key % HK_LAYOUT_HEADS];
        for (; at; at = layouts->numbers[at]) {
            const uint32_t *layout = layouts->numbers + at;
            if (layout[HK_LAYOUT_KEY] == key
                && HK_NAME(is_layout)(p, found, count, behind, layout, layouts->literals)) break;
        }
        if (!at) break;
        out[n] = (hk_event_line){
            (uint32_t)line, (uint32_t)start, (uint32_t)end, layouts->numbers[at + HK_LAYOUT_NUMBER],
            (uint32_t)*mark_count};
        *mark_count += found_count + 2;
        start = line_ends[line] + 1;
    }
    return n;
}

static HK_TARGET void HK_NAME(triples_filter)(
    const uint8_t *bytes, size_t readable, uint32_t *ranges, size_t range_count, const uint8_t *triples,
    size_t triple_count
) {
    for (size_t r = 0; r < range_count; r++) {
        size_t from = ranges[2 * r], end = ranges[2 * r + 1];
        // What stands at the very end of the text is kept.
        if (readable < end + 66) continue;
        uint64_t any = 0;
        for (size_t i = from; i < end; i += 64) {
            block first = load(bytes + i), second = load(bytes + i + 1), third = load(bytes + i + 2);
            for (size_t t = 0; t < triple_count; t++)
                any |= equal_folded(first, triples[3 * t]) & equal_folded(second, triples[3 * t + 1])
                    & equal_folded(third, triples[3 * t + 2]);
        }
        if (!any) ranges[2 * r + 1] = (uint32_t)from;
    }
}
