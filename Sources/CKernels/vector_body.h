// The loops of kernels.h and events.h over one vector level: vector.c includes this once for each, with these defined before:
//
//   HK_TARGET            attribute of every function
//   HK_NAME(name)        the name with the level behind it
//   block                64 bytes
//   load(p)              the block at p
//   equal(b, c)          bit i: byte i of b is c
//   equal_folded(b, c)   bit i: byte i of b is c once 0x20 is set in it
//   letters(b)           bit i: byte i of b is an ASCII letter
//   words(b)             bit i: byte i of b may stand in a JSON number or word: letters, digits, + - .
//   prefix_xor(m)        bit i: parity of the bits 0...i of m
//   digits(b)            bit i: byte i of b is a digit
//   fits(p, f, l)        whether each of the 32 bytes at p, exclusive or that of f, is no more than that of l
//   places(set, p)       bit i: a window of the literals may begin at p + i; reads 64 + HK_WINDOW - 1 bytes
//   write_bits(m, b, o)  b + i for every bit i of m in order, from o on; up to 64 entries are written
//   same, digest         see rows_body.h

/// The bytes that a backslash escapes: each that is not escaped itself escapes the next. Few blocks hold any.
static inline __attribute__((always_inline)) HK_TARGET uint64_t HK_NAME(escaped)(uint64_t backslash, uint64_t *carry) {
    uint64_t escaped = *carry;
    backslash &= ~*carry;
    *carry = 0;
    while (backslash) {
        uint64_t next = (backslash & -backslash) << 1;
        if (!next) *carry = 1;
        escaped |= next;
        backslash &= backslash - 1;
        backslash &= ~next;
    }
    return escaped;
}

/// Every byte outside of strings must be one that may follow the byte before it; then no more is to be checked than
/// that brackets close what they opened. `R` is where the innermost open bracket is `[`: a comma there comes before a
/// value, elsewhere before a key.
static HK_TARGET size_t HK_NAME(json_object)(const uint8_t *bytes, size_t count, size_t readable) {
    if (count < 2 || bytes[0] != '{') return 0;
    uint64_t escape_carry = 0, string_carry = 0, key_carry = 0;
    // The last byte of the block before, by what may follow it; the object itself stands where a value may.
    uint64_t value_carry = 1, key_place_carry = 0, end_carry = 0, key_end_carry = 0, word_carry = 0, open_carry = 0;
    uint64_t objects = 0;
    int depth = 0;
    for (size_t offset = 0; offset < count; offset += 64) {
        uint8_t copy[64];
        const uint8_t *p = bytes + offset;
        if (readable - offset < 64) {
            memset(copy, 0, sizeof copy);
            memcpy(copy, p, readable - offset);
            p = copy;
        }
        block b = load(p);
        uint64_t valid = count - offset < 64 ? (1ULL << (count - offset)) - 1 : ~0ULL;
        uint64_t quote = equal(b, '"');
        uint64_t backslash = equal(b, '\\');
        if (backslash | escape_carry) quote &= ~HK_NAME(escaped)(backslash, &escape_carry);
        uint64_t string = prefix_xor(quote) ^ string_carry;
        string_carry = (uint64_t)((int64_t)string >> 63);
        uint64_t opening = quote & string, closing = quote & ~string;
        uint64_t outside = ~(string | quote);
        uint64_t open = equal_folded(b, '{') & outside, close = equal_folded(b, '}') & outside;
        uint64_t colon = equal(b, ':') & outside, comma = equal(b, ',') & outside;
        uint64_t word = words(b) & outside;
        uint64_t wrong = outside & ~(colon | comma | word | open | close);
        uint64_t array = 0, open_object = 0, open_array = 0;
        size_t end = 0;
        if ((open | close) | (depth > 0 && !(objects >> (depth - 1) & 1))) {
            array = depth > 0 && !(objects >> (depth - 1) & 1) ? ~0ULL : 0;
            uint64_t brackets = (open | close) & valid;
            while (brackets) {
                unsigned bit = (unsigned)__builtin_ctzll(brackets);
                brackets &= brackets - 1;
                int is_object = (p[bit] & 0x20) != 0;
                if (open >> bit & 1) {
                    if (depth == 63) return 0;
                    objects = is_object ? objects | 1ULL << depth : objects & ~(1ULL << depth);
                    depth++;
                    if (is_object) open_object |= 1ULL << bit; else open_array |= 1ULL << bit;
                } else {
                    if (depth == 0 || (int)(objects >> (depth - 1) & 1) != is_object) return 0;
                    depth--;
                    if (depth == 0) {
                        end = offset + bit + 1;
                        valid &= (2ULL << bit) - 1;
                        break;
                    }
                }
                // From here on another bracket is the innermost.
                uint64_t behind = ~((2ULL << bit) - 1);
                array = objects >> (depth - 1) & 1 ? array & ~behind : array | behind;
            }
        }
        // A byte after which a key begins, a value begins, or what follows a bracket that was just opened.
        uint64_t key_lead = open_object | (comma & ~array);
        uint64_t value_lead = colon | open_array | (comma & array);
        uint64_t value_place = value_lead << 1 | value_carry;
        uint64_t key_place = key_lead << 1 | key_place_carry;
        // Strings are runs of ones in `string`; those that begin as keys are carried into the bit behind them.
        uint64_t sum;
        uint64_t first_carry = __builtin_add_overflow(string, opening & key_place, &sum);
        uint64_t second_carry = __builtin_add_overflow(sum, key_carry, &sum);
        key_carry = first_carry | second_carry;
        uint64_t key_end = sum & closing;
        uint64_t value_end = (closing ^ key_end) | word | close;
        wrong |= opening & ~(value_place | key_place);
        wrong |= word & ~(word << 1 | word_carry | value_place);
        wrong |= open & ~value_place;
        wrong |= colon ^ (key_end << 1 | key_end_carry);
        uint64_t after_value = value_end << 1 | end_carry;
        uint64_t after_open = (open_object | open_array) << 1 | open_carry;
        wrong |= (comma & ~after_value) | (close & ~(after_value | after_open));
        if (wrong & valid) return 0;
        if (end) return end;
        value_carry = value_lead >> 63;
        key_place_carry = key_lead >> 63;
        end_carry = value_end >> 63;
        key_end_carry = key_end >> 63;
        word_carry = word >> 63;
        open_carry = (open_object | open_array) >> 63;
    }
    return 0;
}

/// `<` and `>` must take turns and quotes between them must pair: then the reader's walk meets these tags and no
/// others, and it ends at the first `</Event>`.
static HK_TARGET size_t HK_NAME(xml_event)(const uint8_t *bytes, size_t count, size_t readable) {
    if (count < 15 || memcmp(bytes, "<Event", 6) != 0 || (bytes[6] != ' ' && bytes[6] != '>')) return 0;
    uint64_t tag_carry = 0, double_carry = 0, single_carry = 0;
    unsigned start_count = 0;
    int is_open = 0;
    for (size_t offset = 0; offset < count; offset += 64) {
        uint8_t copy[64 + 8];
        const uint8_t *p = bytes + offset;
        if (readable - offset < 64 + 8) {
            memset(copy, 0, sizeof copy);
            memcpy(copy, p, readable - offset);
            p = copy;
        }
        block b = load(p), next = load(p + 1);
        uint64_t valid = count - offset < 64 ? (1ULL << (count - offset)) - 1 : ~0ULL;
        uint64_t less = equal(b, '<'), greater = equal(b, '>');
        uint64_t start = less & letters(next);
        size_t end = 0;
        // `Event`, the first of them but for the start itself.
        uint64_t hits = equal(b, 'E') & equal(load(p + 4), 't') & valid;
        if (offset == 0) hits &= ~2ULL;
        while (hits) {
            unsigned bit = (unsigned)__builtin_ctzll(hits);
            hits &= hits - 1;
            size_t at = offset + bit;
            if (at + 5 >= count) return 0;
            uint8_t lead = bytes[at - 1];
            if ((lead != '<' && lead != '/' && lead != ':') || memcmp(bytes + at, "Event", 5) != 0) continue;
            uint8_t behind = bytes[at + 5];
            if (behind == '>' && lead == '/' && bytes[at - 2] == '<') {
                end = at + 6;
                valid &= (1ULL << bit) - 1;
                break;
            }
            // `<EventID>` and the like; a letter or digit goes on with the name, but `Events` is the wrapper.
            uint8_t folded = behind | 0x20;
            if (behind != 's' && ((folded >= 'a' && folded <= 'z') || (behind >= '0' && behind <= '9'))) continue;
            return 0;
        }
        uint64_t tag = prefix_xor(less | greater) ^ tag_carry;
        tag_carry = (uint64_t)((int64_t)tag >> 63);
        uint64_t doubled = prefix_xor(equal(b, '"') & tag) ^ double_carry;
        double_carry = (uint64_t)((int64_t)doubled >> 63);
        uint64_t single = prefix_xor(equal(b, '\'') & tag) ^ single_carry;
        single_carry = (uint64_t)((int64_t)single >> 63);
        uint64_t wrong = (less & ~tag) | (greater & tag) | (doubled & single) | ((doubled | single) & greater);
        wrong |= less & ~(start | equal(next, '/'));
        if (wrong & valid) return 0;
        if (!is_open && (greater & valid)) {
            // `<Event … />` is whole already.
            size_t first = offset + (unsigned)__builtin_ctzll(greater & valid);
            if (bytes[first - 1] == '/') return 0;
            is_open = 1;
        }
        start_count += (unsigned)__builtin_popcountll(start & valid);
        if (start_count > 64) return 0;
        if (end) return end;
    }
    return 0;
}

static HK_TARGET size_t HK_NAME(json_string_stop)(const uint8_t *bytes, size_t count) {
    size_t offset = 0;
    for (; offset + 64 <= count; offset += 64) {
        block b = load(bytes + offset);
        uint64_t hits = equal(b, '"') | equal(b, '\\') | equal(b, '\n');
        if (hits) return offset + (unsigned)__builtin_ctzll(hits);
    }
    while (offset < count && bytes[offset] != '"' && bytes[offset] != '\\' && bytes[offset] != '\n') offset++;
    return offset;
}

static HK_TARGET size_t HK_NAME(xml_tag_stop)(const uint8_t *bytes, size_t count) {
    size_t offset = 0;
    for (; offset + 64 <= count; offset += 64) {
        block b = load(bytes + offset);
        uint64_t hits = equal(b, '"') | equal(b, '\'') | equal(b, '<') | equal(b, '>');
        if (hits) return offset + (unsigned)__builtin_ctzll(hits);
    }
    while (offset < count && bytes[offset] != '"' && bytes[offset] != '\'' && bytes[offset] != '<'
           && bytes[offset] != '>') offset++;
    return offset;
}

/// Writes the places of `c` in [0, count), ascending; up to 64 entries behind the last may be overwritten. Stops before a
/// block of 64 bytes for which `capacity` might not do, and leaves where in `*done`.
static HK_TARGET size_t HK_NAME(positions)(
    const uint8_t *bytes, size_t count, uint8_t c, uint32_t *out, size_t capacity, size_t *done
) {
    size_t n = 0, i = 0;
    for (; i + 64 <= count && n + 64 <= capacity; i += 64) {
        uint64_t mask = equal(load(bytes + i), c);
        // Of lines, most blocks hold one end or none.
        out[n] = (uint32_t)i + (unsigned)__builtin_ctzll(mask | 1ULL << 63);
        unsigned found = (unsigned)__builtin_popcountll(mask);
        if (__builtin_expect(found > 1, 0)) write_bits(mask, (uint32_t)i, out + n);
        n += found;
    }
    for (; count - i < 64 && i < count && n < capacity; i++)
        if (bytes[i] == c) out[n++] = (uint32_t)i;
    *done = i;
    return n;
}

static HK_TARGET size_t HK_NAME(count)(const uint8_t *bytes, size_t count, uint8_t c) {
    size_t n = 0, i = 0;
    for (; i + 64 <= count; i += 64) n += (unsigned)__builtin_popcountll(equal(load(bytes + i), c));
    for (; i < count; i++) n += bytes[i] == c;
    return n;
}

/// In five loops over some hundred blocks, none of which has a branch that text decides: the ranges are cut into blocks, those
/// that hold places are kept and become places, these are sifted by the bytes that stand there, and what is left is compared.
static HK_TARGET size_t HK_NAME(literals_find)(
    const hk_literals *set, const uint8_t *bytes, size_t readable, const uint32_t *ranges, size_t stride,
    size_t range_count, hk_literals_cursor *cursor, uint64_t *out, size_t capacity
) {
    enum { block_limit = 128, row = 4 };
    uint32_t starts[block_limit + row], ends[block_limit + row], numbers[block_limit + row], kept[block_limit];
    uint32_t found_places[block_limit * 64 + 64];
    uint64_t masks[block_limit];
    size_t found = 0, range = cursor->range, position = cursor->position;
    while (range < range_count) {
        size_t block_count = 0, kept_count = 0, place_count = 0, sifted_count = 0;
        while (range < range_count && block_count < block_limit) {
            size_t from = ranges[stride * range], end = ranges[stride * range + 1], i = position ? position : from;
            for (size_t k = 0; k < row; k++) {
                starts[block_count + k] = (uint32_t)(i + 64 * k);
                ends[block_count + k] = (uint32_t)end;
                numbers[block_count + k] = (uint32_t)range;
            }
            size_t count = end - from < set->shortest ? 0 : (end - i + 63) / 64;
            if (__builtin_expect(count > row || block_count + count > block_limit, 0)) {
                size_t room = block_limit - block_count;
                count = count < row ? count : row;
                if (count > room) count = room;
                position = i + 64 * count;
                block_count += count;
                continue;
            }
            block_count += count;
            position = 0;
            range++;
        }
        for (size_t k = 0; k < block_count; k++) {
            uint8_t copy[64 + HK_WINDOW - 1];
            const uint8_t *p = bytes + starts[k];
            if (__builtin_expect(readable - starts[k] < sizeof copy, 0)) {
                // Behind the text stand zeros.
                memset(copy, 0, sizeof copy);
                memcpy(copy, p, readable - starts[k]);
                p = copy;
            }
            size_t rest = ends[k] - starts[k];
            uint64_t mask = places(set, p) & ~0ULL >> (rest < 64 ? 64 - rest : 0);
            masks[kept_count] = mask;
            kept[kept_count] = (uint32_t)k;
            kept_count += mask != 0;
        }
        for (size_t k = 0; k < kept_count; k++) {
            write_bits(masks[k], 64 * kept[k], found_places + place_count);
            place_count += (unsigned)__builtin_popcountll(masks[k]);
        }
        for (size_t k = 0; k < place_count; k++) {
            uint32_t place = found_places[k];
            found_places[sifted_count] = place;
            sifted_count += literal_may_stand(set, bytes, readable, starts[place / 64] + place % 64);
        }
        for (size_t k = 0; k < sifted_count; k++) {
            uint32_t place = found_places[k];
            size_t in = numbers[place / 64], at = starts[place / 64] + place % 64;
            if (capacity - found < set->count) {
                *cursor = (hk_literals_cursor){in, at};
                return found;
            }
            found += literal_confirm(
                set, bytes, readable, ranges[stride * in], at, ends[place / 64], (uint32_t)in, out + found);
        }
    }
    *cursor = (hk_literals_cursor){range_count, 0};
    return found;
}

/// `L` with `OG` behind it, or two `$`: what either belongs to is looked at byte by byte.
static HK_TARGET size_t HK_NAME(marks)(
    const uint8_t *bytes, size_t from, size_t count, uint32_t *const out[HK_MARK_KINDS], size_t found[HK_MARK_KINDS],
    size_t capacity
) {
    size_t i = from;
    for (; i < count; i += 64) {
        for (int kind = 0; kind < HK_MARK_KINDS; kind++)
            if (capacity - found[kind] < 64) return i;
        uint8_t copy[64 + 2];
        const uint8_t *p = bytes + i;
        if (count - i < sizeof copy) {
            memset(copy, 0, sizeof copy);
            memcpy(copy, p, count - i);
            p = copy;
        }
        block first = load(p), second = load(p + 1);
        uint64_t mask = (equal(first, 'L') & equal(second, 'O') & equal(load(p + 2), 'G'))
            | (equal(first, '$') & equal(second, '$'));
        for (; mask; mask &= mask - 1) mark_at(bytes, i + (unsigned)__builtin_ctzll(mask), count, out, found);
    }
    return count;
}

/// The mark of a message that `LOG` at `at` belongs to, sought in [from, …): 1 `]LOG]!>`, 2 `<![LOG[`, else 0.
static inline __attribute__((always_inline)) HK_TARGET int HK_NAME(log_mark)(
    const uint8_t *bytes, size_t from, size_t at
) {
    if (at > from && !memcmp(bytes + at - 1, "]LOG]!>", 7)) return 1;
    return at >= from + 3 && !memcmp(bytes + at - 3, "<![LOG[", 7) ? 2 : 0;
}

#include "plain_body.h"

/// `cmtrace_record` with other clocks, longer values and blocks, step by step.
static __attribute__((noinline)) HK_TARGET int HK_NAME(cmtrace_other)(
    const uint8_t *bytes, size_t readable, const uint32_t *line_ends, size_t line_count, size_t *line, size_t start,
    hk_plain_run *run, hk_record *out
) {
    const size_t limit = run->limit;
    size_t from = start + 7, close = 0, first = *line, last = first, stop = line_ends[line_count - 1];
    for (size_t i = from;; i += 64) {
        // What stands at the very end of the text is left to the slow path.
        if (i >= stop || readable < i + 72 || i - start > limit) return 0;
        int mark = 0;
        for (uint64_t mask = HK_NAME(logs)(bytes + i); mask && !mark; mask &= mask - 1) {
            close = i + (unsigned)__builtin_ctzll(mask) - 1;
            mark = HK_NAME(log_mark)(bytes, from, close + 1);
        }
        if (mark == 1 && close < stop) break;
        if (mark) return 0;
    }
    while (line_ends[last] < close) last++;
    if (last > first && line_ends[last - 1] + 1 - start >= limit) return 0;
    size_t line_end = line_ends[last], trailer = close + 7;
    if (close + 7 > line_end || line_end - trailer > 192 || readable < trailer + 192) return 0;
    // Fourteen quotes around seven values, and no `<` but the first.
    uint32_t quotes[3 * 64 + 64];
    size_t quote_count = 0, less_count = 0;
    for (size_t i = 0; i < line_end - trailer; i += 64) {
        block b = load(bytes + trailer + i);
        size_t rest = line_end - trailer - i;
        uint64_t valid = rest < 64 ? (1ULL << rest) - 1 : ~0ULL, quote = equal(b, '"') & valid;
        write_bits(quote, (uint32_t)(trailer + i), quotes + quote_count);
        quote_count += (unsigned)__builtin_popcountll(quote);
        less_count += (unsigned)__builtin_popcountll(equal(b, '<') & valid);
    }
    if (quote_count != 14 || less_count != 1 || !plain_attributes(bytes, trailer, line_end, quotes)) return 0;
    // The bias of native code is believed; a clock of another form is left to those who know all forms.
    int32_t bias = HK_NO_BIAS;
    if (names_source(bytes, quotes[12] + 1, quotes[13])) {
        const uint8_t *clock = bytes + quotes[0] + 1;
        size_t count = quotes[1] - quotes[0] - 1;
        bias = plain_bias(clock, count);
        if (bias == HK_NO_BIAS && (count != 12 || !is_clock(clock))) return 0;
    }
    write_record(run, out, HK_FORMAT_CMTRACE, first, start, start + 7, close, quotes[13] + 2, bias);
    *line = last;
    return 1;
}

static HK_TARGET size_t HK_NAME(cmtrace_run)(
    const uint8_t *bytes, size_t readable, const uint32_t *line_ends, size_t line_count, hk_plain_run *run,
    hk_record *out, size_t capacity
) {
    plain_memory memory = {.bias_count = 3};
    size_t n = 0, line = run->line, start = line ? line_ends[line - 1] + 1 : 0;
    while (n < capacity && line < line_count) {
        if (line_ends[line] < start + 14 || memcmp(bytes + start, "<![LOG[", 7)) break;
        size_t last = line, count = run->joins ? line_count : line + 1;
        if (!HK_NAME(cmtrace_record)(bytes, readable, line_ends, count, &last, start, &memory, run, out + n)) {
            if (!HK_NAME(cmtrace_other)(bytes, readable, line_ends, count, &last, start, run, out + n)) break;
            memory.bias_text = 0;
        }
        n++;
        line = last + 1;
        start = line_ends[last] + 1;
    }
    run->line = line;
    return n;
}

static HK_TARGET size_t HK_NAME(simple_run)(
    const uint8_t *bytes, size_t readable, const uint32_t *line_ends, size_t line_count, hk_plain_run *run,
    hk_record *out, size_t capacity
) {
    plain_memory memory = {0};
    size_t n = 0, line = run->line, start = line ? line_ends[line - 1] + 1 : 0;
    for (; n < capacity && line < line_count; line++) {
        run->line = line;
        size_t line_end = line_ends[line], mark = 0;
        if (start >= line_end || !begins_plainly(bytes + start, line_end - start)) break;
        if (readable < line_end + 72) break;
        // A shorter line has no trailer.
        if (line_end - start > 53 && HK_NAME(simple_line)(bytes, readable, line, start, line_end, &memory, run, out + n)) {
            n++;
            start = line_end + 1;
            continue;
        }
        uint64_t found = 0;
        // No mark has less than three bytes.
        for (size_t i = line_end - start < 3 ? line_end : start; i < line_end; i += 64) {
            block b = load(bytes + i), next = load(bytes + i + 1);
            uint64_t valid = line_end - i < 64 ? (1ULL << (line_end - i)) - 1 : ~0ULL;
            // Of another record there is nothing on the line.
            uint64_t logs = equal(b, 'L') & equal(next, 'O') & equal(load(bytes + i + 2), 'G') & valid;
            for (; logs; logs &= logs - 1)
                if (HK_NAME(log_mark)(bytes, start, i + (unsigned)__builtin_ctzll(logs))) return n;
            if (mark) continue;
            found = equal(b, '$') & equal(next, '$') & equal(load(bytes + i + 2), '<') & valid;
            if (found) mark = i + (unsigned)__builtin_ctzll(found);
        }
        if (!mark) {
            // A line of text without a frame.
            size_t end = line_end;
            while (bytes[end - 1] == ' ' || bytes[end - 1] == '\t' || bytes[end - 1] == '\r') end--;
            if (bytes[end - 1] < ' ') break;
            write_record(run, out + n++, HK_FORMAT_LINE, line, start, start, end, end, HK_NO_BIAS);
            run->unframed_count++;
            start = line_end + 1;
            continue;
        }
        if (line_end - mark > 128 || readable < mark + 128) break;
        // Three pairs of `<` and `>`, one behind the other, up to the end of the line.
        uint64_t less[2], greater[2];
        for (int half = 0; half < 2; half++) {
            block b = load(bytes + mark + 64 * half);
            size_t rest = line_end - mark <= 64u * half ? 0 : line_end - mark - 64u * half;
            uint64_t valid = rest < 64 ? (1ULL << rest) - 1 : ~0ULL;
            less[half] = equal(b, '<') & valid;
            greater[half] = equal(b, '>') & valid;
        }
        uint32_t end;
        int32_t bias;
        if (!plain_simple(bytes, mark, line_end, less, greater, &end, &bias)) break;
        // `text~~  $$<`, `text~ $$<`, `text  $$<`
        size_t message_end = mark - blanks_before(bytes + mark, mark - start);
        write_record(run, out + n++, HK_FORMAT_SIMPLE, line, start, start, message_end, end, bias);
        memory.bias_text = 0;
        start = line_end + 1;
    }
    run->line = line;
    return n;
}

#include "text_memo_body.h"
#include "rows_body.h"
#include "event_lines_body.h"
#include "headed_run.h"
#include "mixed_body.h"
