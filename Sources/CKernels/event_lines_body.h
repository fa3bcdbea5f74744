// The loops of event_lines.h over one vector level, with the definitions of vector_body.h and
//
//   write_near(m, b, o)    as write_bits, to 16-bit entries
//   among(b, set)          bit i: byte i of b is the one of the 16 of `set` that has its low half
//   none_of(a, b)          whether no bit of a or b is set
//   half                   what came of some 32 bytes
//   differs(p, l)          not zero where a byte at p is another than that of l, which is not 0
//   strays(p, n)           not zero when one of the first n (1 to 32) bytes at p may not stand in a word (words of vector_body.h);
//                          64 bytes may be loaded
//   either(a, b)           or
//   is_none(a)             whether all of it is zero

/// The marks of the lines of a window, one line behind the other, each from the line end before it on.
typedef struct {
    size_t count;
    /// Which of the marks are line ends.
    uint16_t ends[HK_EVENT_WINDOW_LINES + 64];
} HK_NAME(event_window);

/// Marks whole lines, from `bytes`, the start of a line, on: until `least` bytes have gone by, or as many lines as there is
/// room for, but no more than `most` bytes. In XML all quotes are marks. Places are relative to the byte before.
static inline __attribute__((always_inline)) HK_TARGET void HK_NAME(mark_window)(
    const uint8_t *bytes, size_t least, size_t most, int is_xml, uint16_t *out, HK_NAME(event_window) *window
) {
    uint64_t carry = 0;
    size_t n = 1, lines = 0, i = 0;
    out[0] = 0;
    while (i < most) {
        block b = load(bytes + i);
        uint64_t marks = is_xml ? among(b, hk_xml_marks) : among(b, hk_json_marks);
        uint64_t end = equal(b, '\n'), backslash = is_xml ? end : equal(b, '\\');
        size_t at = n;
        int is_last = 0;
        if (!none_of(end, backslash) || (!is_xml && carry)) {
            if (!is_xml && (backslash | carry)) marks &= ~HK_NAME(escaped)(backslash, &carry) | end;
            for (uint64_t rest = end; rest; rest &= rest - 1)
                window->ends[lines++] = (uint16_t)(n + (unsigned)__builtin_popcountll(marks & ((rest & -rest) - 1)));
            is_last = end && (i + 64 >= least || lines > HK_EVENT_WINDOW_LINES);
        }
        n += (unsigned)__builtin_popcountll(marks);
        write_near(marks, (uint16_t)(i + 1), out + at);
        i += 64;
        if (is_last) break;
    }
    window->count = lines;
}

/// Whether the literals of a layout stand at their marks, and words between them where it wants words. `marks` are relative
/// to `base`, `stop` is the mark at the line end.
static inline __attribute__((always_inline)) HK_TARGET int HK_NAME(is_layout)(
    const uint8_t *base, const uint16_t *marks, size_t stop, size_t behind, const uint32_t *layout,
    const uint8_t *literals
) {
    const uint32_t *check = layout + HK_LAYOUT_HEAD;
    size_t checks = layout[HK_LAYOUT_CHECKS], words_left = layout[HK_LAYOUT_WORDS], probe = layout[HK_LAYOUT_PROBE];
    literals += 32 * (size_t)layout[HK_LAYOUT_LITERALS];
    if (behind < layout[HK_LAYOUT_REACH] + 64) return 0;
#define HK_AT(check) (base + marks[(check) & 0xFFFF] + ((int32_t)(check) >> 16))
    // The check that tells it from the others first.
    if (!is_none(differs(HK_AT(check[probe]), literals + 32 * probe))) return 0;
    if ((size_t)marks[layout[HK_LAYOUT_TAIL]] + layout[HK_LAYOUT_TAIL + 1] != marks[stop]) return 0;
    half wrong = differs(HK_AT(check[0]), literals), others = wrong;
    for (size_t k = 0; k < checks; k += HK_CHECK_STEP, literals += 32 * HK_CHECK_STEP) {
        wrong = either(wrong, differs(HK_AT(check[k]), literals));
        others = either(others, differs(HK_AT(check[k + 1]), literals + 32));
        wrong = either(wrong, differs(HK_AT(check[k + 2]), literals + 64));
        others = either(others, differs(HK_AT(check[k + 3]), literals + 96));
    }
    wrong = either(wrong, others);
    // Words begin within the line only where the literals before them stand.
    if (!is_none(wrong)) return 0;
    size_t misfits = 0;
    for (check += checks; words_left; words_left--, check += 2) {
        size_t from = marks[check[0] & 0xFFFF] + (check[0] >> 16);
        size_t more = marks[check[1] & 0xFFFF] - (size_t)(check[1] >> 16) - from - 1;
        // None and backwards are large numbers.
        misfits |= more >> 5;
        wrong = either(wrong, strays(base + from, (more & 31) + 1));
    }
    return !misfits && is_none(wrong);
#undef HK_AT
}

/// The layout of a line by its marks; 0: none.
static inline __attribute__((always_inline)) HK_TARGET size_t HK_NAME(find_layout)(
    const hk_event_layouts *layouts, const uint8_t *base, const uint16_t *marks, size_t stop, size_t behind, int is_xml
) {
    uint32_t key = (uint32_t)(stop - 1) << 1 | (uint32_t)is_xml, at = layouts->heads[key % HK_LAYOUT_HEADS];
    for (; at; at = layouts->numbers[at]) {
        const uint32_t *layout = layouts->numbers + at;
        if (layout[HK_LAYOUT_KEY] == key
            && HK_NAME(is_layout)(base, marks, stop, behind, layout, layouts->literals)) break;
    }
    return at;
}

static inline __attribute__((always_inline)) HK_TARGET size_t HK_NAME(event_lines_of)(
    int is_xml, const hk_event_layouts *layouts, const uint8_t *bytes, size_t readable, size_t line, size_t start,
    uint16_t *marks, size_t mark_capacity, size_t *mark_count, uint32_t *line_ends, hk_event_line *out, size_t capacity
) {
    HK_NAME(event_window) window;
    size_t n = 0, least = 1;
    while (n < capacity && readable - start > 64 && mark_capacity - *mark_count >= HK_EVENT_MARK_ROOM) {
        size_t most = readable - 64 - start;
        if (most > HK_EVENT_BYTES) most = HK_EVENT_BYTES;
        uint16_t *found = marks + *mark_count;
        HK_NAME(mark_window)(bytes + start, least, most, is_xml, found, &window);
        ptrdiff_t base = (ptrdiff_t)start - 1;
        size_t before = 0, k = 0;
        for (; k < window.count && n < capacity; k++) {
            size_t last = window.ends[k], stop = last - before, line_end = (size_t)(base + found[last]);
            uint16_t *own = found + before;
            size_t at = HK_NAME(find_layout)(layouts, bytes + base, own, stop, readable - line_end, is_xml);
            // Quotes in a text are no marks.
            if (!at && is_xml && (stop = hk_xml_marks_in_tags(bytes + base, own, stop)))
                at = HK_NAME(find_layout)(layouts, bytes + base, own, stop, readable - line_end, is_xml);
            if (!at) break;
            const uint32_t *layout = layouts->numbers + at;
            if (line_ends) line_ends[n] = (uint32_t)line_end;
            out[n++] = (hk_event_line){
                (uint32_t)line++, (uint32_t)start, (uint32_t)(line_end - layout[HK_LAYOUT_TRAIL]),
                layout[HK_LAYOUT_NUMBER], (uint32_t)(*mark_count + before), (int32_t)base, 0};
            before = last;
            start = line_end + 1;
        }
        *mark_count += before + 1;
        if (!k || k < window.count) break;
        // Where one line was known the next ones may be.
        least = least < HK_EVENT_WINDOW_BYTES / 4 ? 4 * (start - (size_t)(base + 1)) : HK_EVENT_WINDOW_BYTES;
    }
    return n;
}

static HK_TARGET size_t HK_NAME(event_lines)(
    const hk_event_layouts *layouts, const uint8_t *bytes, size_t readable, size_t line, size_t start, uint16_t *marks,
    size_t mark_capacity, size_t *mark_count, uint32_t *line_ends, hk_event_line *out, size_t capacity
) {
    if (start >= readable) return 0;
    if (bytes[start] == '{')
        return HK_NAME(event_lines_of)(
            0, layouts, bytes, readable, line, start, marks, mark_capacity, mark_count, line_ends, out, capacity);
    if (bytes[start] == '<')
        return HK_NAME(event_lines_of)(
            1, layouts, bytes, readable, line, start, marks, mark_capacity, mark_count, line_ends, out, capacity);
    return 0;
}

/// Whether one of the triples begins in [from, end), which is not empty.
static inline __attribute__((always_inline)) HK_TARGET int HK_NAME(holds_triple)(
    const uint8_t *bytes, size_t from, size_t end, const uint8_t *triples, size_t triple_count
) {
    uint64_t any = 0;
    for (size_t i = from; i < end; i += 64) {
        block first = load(bytes + i), second = load(bytes + i + 1);
        for (size_t t = 0; t < triple_count; t++) {
            uint64_t pairs = equal_folded(first, triples[3 * t]) & equal_folded(second, triples[3 * t + 1]);
            if (pairs) any |= pairs & equal_folded(load(bytes + i + 2), triples[3 * t + 2]);
        }
    }
    return any != 0;
}

/// Few ranges hold any: those that follow one another are looked at as one, and by themselves where that has one.
static HK_TARGET void HK_NAME(triples_filter)(
    const uint8_t *bytes, size_t readable, uint32_t *ranges, size_t range_count, const uint8_t *triples,
    size_t triple_count
) {
    for (size_t r = 0; r < range_count;) {
        size_t from = ranges[2 * r], end = ranges[2 * r + 1], last = r + 1;
        // What stands at the very end of the text is kept.
        if (readable < end + 66) {
            r++;
            continue;
        }
        while (last < range_count && ranges[2 * last] >= end && ranges[2 * last] - end < 2048
               && ranges[2 * last + 1] >= ranges[2 * last] && ranges[2 * last + 1] - from < 16384
               && readable >= ranges[2 * last + 1] + (size_t)66) {
            end = ranges[2 * last + 1];
            last++;
        }
        int may_hold = end > from
            && (triple_count == 1 ? HK_NAME(holds_triple)(bytes, from, end, triples, 1)
                                  : HK_NAME(holds_triple)(bytes, from, end, triples, triple_count));
        for (; r < last; r++) {
            from = ranges[2 * r], end = ranges[2 * r + 1];
            if (!may_hold || end <= from || !HK_NAME(holds_triple)(bytes, from, end, triples, triple_count))
                ranges[2 * r + 1] = (uint32_t)from;
        }
    }
}
