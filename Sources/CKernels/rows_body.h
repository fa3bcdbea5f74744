// The loop of rows.h over one vector level; the definitions of vector_body.h hold, which includes this, and three more:
//
//   same(b, p)           bit i: byte i of b is p[i]
//   digest(b, n)         64 bits that the first n bytes of b make, 1 ≤ n ≤ 64
//   ipv4(p, n)           hk_ipv4

static inline __attribute__((always_inline)) HK_TARGET uint64_t HK_NAME(row_first)(size_t count) {
    return ~0ULL >> (64 - count);
}

/// The slot in `sure`.
static __attribute__((noinline)) HK_TARGET size_t HK_NAME(row_sure)(const uint8_t *value, size_t count) {
    uint64_t hash = 0;
    for (; count > 64; count -= 64, value += 64) hash = (hash ^ digest(load(value), 64)) * 0xA0761D6478BD642FULL;
    hash = ((hash ^ digest(load(value), count)) + count) * 0x9E3779B97F4A7C15ULL;
    return hash >> 54;
}

static inline __attribute__((always_inline)) HK_TARGET int HK_NAME(row_is_value)(
    const row_value *known, const uint8_t *value, size_t count
) {
    if (known->count != count) return 0;
    const uint8_t *kept = known->bytes;
    for (; count > 64; count -= 64, value += 64, kept += 64)
        if (~same(load(value), kept)) return 0;
    return !(~same(load(value), kept) & HK_NAME(row_first)(count));
}

/// Where no value of its length and ends stands, or another one; the number of the value, or 0.
static __attribute__((noinline)) HK_TARGET size_t HK_NAME(row_search)(
    const row_group *group, const uint8_t *value, size_t count
) {
    if (count - 1 >= HK_ROW_VALUE_LIMIT) return 0;
    size_t slot = HK_NAME(row_sure)(value, count);
    if (HK_NAME(row_is_value)(&group->values[group->sure[slot]], value, count)) return group->sure[slot];
    if (HK_NAME(row_is_value)(&group->values[group->sure[slot ^ 1]], value, count)) return group->sure[slot ^ 1];
    return 0;
}

static HK_TARGET int HK_NAME(rows_learn)(
    row_group *group, const uint8_t *bytes, size_t from, size_t to, size_t class_number
) {
    size_t count = to - from;
    if (count - 1 >= HK_ROW_VALUE_LIMIT) return 0;
    if (group->value_count == ROW_VALUES) {
        memset(group->near, 0, sizeof group->near);
        memset(group->sure, 0, sizeof group->sure);
        group->value_count = 1;
    }
    uint32_t number = group->value_count++;
    row_value *value = &group->values[number];
    memcpy(value->bytes, bytes + from, count);
    value->count = (uint32_t)count;
    value->class_number = (uint32_t)class_number;
    size_t slot = HK_NAME(row_sure)(bytes + from, count);
    // Who comes last stands first; who stood there takes the place beside it.
    if (group->sure[slot]) group->sure[slot ^ 1] = group->sure[slot];
    group->sure[slot] = (uint16_t)number;
    group->near[row_near(bytes, from, to)] = (uint16_t)number;
    return 1;
}

/// Goes on with the index behind `rows->indexed` until [start, end) is in it; what lies before `rows->blank` goes.
static __attribute__((noinline)) HK_TARGET void HK_NAME(rows_index)(
    hk_rows *rows, const uint8_t *bytes, size_t start, size_t end, size_t columns, size_t readable
) {
    size_t kept = rows->blank_count - rows->blank;
    memmove(rows->blanks, rows->blanks + rows->blank, kept * sizeof *rows->blanks);
    size_t i = rows->indexed > start ? rows->indexed : start;
    // More blanks than columns: the row is not regular, wherever it ends.
    while (i < end && kept <= columns) {
        size_t stop = i + 64 * ROW_INDEX_BLOCKS;
        if (stop > readable) stop = end < readable ? i + 64 : readable;
        for (; i < stop && i + 64 <= readable && kept <= ROW_INDEX_BLOCKS * 64; i += 64) {
            uint64_t mask = equal(load(bytes + i), ' ');
            write_bits(mask, (uint32_t)i, rows->blanks + kept);
            kept += (unsigned)__builtin_popcountll(mask);
        }
    }
    rows->indexed = i;
    rows->blank = 0;
    rows->blank_count = kept;
    for (size_t k = 0; k <= columns; k++) rows->blanks[kept + k] = UINT32_MAX;
}

/// The first blank of the index that does not lie before `start`.
static HK_TARGET size_t HK_NAME(rows_resume)(hk_rows *rows, size_t start) {
    size_t blank = rows->blank;
    while (blank < rows->blank_count && rows->blanks[blank] < start) blank++;
    return blank;
}

static HK_TARGET hk_rows_stop HK_NAME(rows_run)(
    hk_rows *rows, const uint8_t *bytes, const uint32_t *line_ends, size_t last_line, hk_rows_place *place,
    hk_row_sightings *out
) {
    const size_t columns = (size_t)rows->columns.count, group_count = rows->group_count, pair_count = rows->pair_count;
    const int32_t client = rows->columns.client;
    const int has_plain_clock = rows->has_plain_clock, has_time = rows->columns.time >= 0;
    const size_t readable = last_line ? (size_t)line_ends[last_line - 1] + 64 : 0;
    uint64_t *client_low = out->client_low, *client_high = out->client_high;
    int64_t *times = out->times;
    uint32_t *facts = out->facts;
    size_t found = out->count, line = place->line;
    size_t start = line ? line_ends[line - 1] + 1 : 0;
    int64_t time = rows->time, first_time = rows->first_time, last_time = rows->last_time;
    int64_t last_noted = HK_NO_TIME;
    hk_rows_stop stop = HK_ROWS_END;
    size_t blank = HK_NAME(rows_resume)(rows, start);
    size_t end = start;
    for (; line < last_line; line++) {
        size_t next = (size_t)line_ends[line] + 1;
        end = next - 1;
        const uint8_t *row = bytes + start;
        if (end > start && bytes[end - 1] == '\r') end--;
        if (__builtin_expect(rows->blank_count - blank < columns && rows->indexed < end, 0)) {
            rows->blank = blank;
            HK_NAME(rows_index)(rows, bytes, start, end, columns, readable);
            blank = rows->blank;
        }
        // Places count in the text.
        const uint32_t *blanks = rows->blanks + blank;
        // Regular: as many blanks as stand between the columns, and nothing before the row.
        if (__builtin_expect(
                blanks[columns - 2] >= end || blanks[columns - 1] < end || end == start || row[0] == 0 || row[0] == 0xEF, 0))
        {
            stop = HK_ROWS_ROW;
            break;
        }

        if (has_plain_clock && blanks[0] == start + 10 && blanks[1] == start + 19) {
            uint64_t first = word_at(row), second = word_at(row + 8), third = word_at(row + 12);
            uint64_t other = (first ^ rows->clock[0]) | ((second ^ rows->clock[1]) & 0xFFFF);
            if (__builtin_expect((other | (third ^ rows->clock[2])) || !rows->has_clock, 0)) {
                int64_t of_day = row_time_of_day(row + 11);
                // The blank behind the date is one in both, and the one behind the time too.
                if (!rows->has_clock || other || of_day < 0 || rows->midnight == HK_NO_TIME
                    || rows->midnight + of_day < rows->since || rows->midnight + of_day >= rows->until)
                {
                    stop = HK_ROWS_CLOCK;
                    break;
                }
                time = rows->midnight + of_day;
                rows->clock[1] = second;
                rows->clock[2] = third;
            }
        } else if (has_time) {
            int is_same = rows->has_clock_text;
            for (int which = 0; which < 2 && is_same; which++) {
                int32_t column = which ? rows->columns.time : rows->columns.date;
                if (column < 0) continue;
                size_t from = column ? blanks[column - 1] + 1 : start;
                size_t to = column + 1 == (int32_t)columns ? end : blanks[column];
                is_same = to - from == rows->clock_text_count[which]
                    && !memcmp(bytes + from, rows->clock_text[which], to - from);
            }
            if (!is_same) {
                stop = HK_ROWS_CLOCK;
                break;
            }
        }

        uint64_t word = rows->flags;
        for (size_t i = 0; i < pair_count; i++) {
            size_t left = rows->pairs[i][0], right = rows->pairs[i][1];
            size_t left_from = left ? blanks[left - 1] + 1 : start;
            size_t right_from = right ? blanks[right - 1] + 1 : start;
            size_t left_count = (left + 1 == columns ? end : blanks[left]) - left_from;
            size_t right_count = (right + 1 == columns ? end : blanks[right]) - right_from;
            // The case of letters apart, the first bytes tell nearly all apart, and the length the rest.
            uint64_t differ = (word_at(bytes + left_from) ^ word_at(bytes + right_from)) & ~0x2020202020202020ULL;
            if (left_count < 8) differ = left_count ? differ << (64 - 8 * left_count) : 0;
            word <<= 1;
            if (__builtin_expect(!(differ | (left_count ^ right_count)), 0))
                word |= (uint64_t)row_is_same(bytes + left_from, bytes + right_from, left_count);
        }
        size_t group = 0;
        for (; group < group_count; group++) {
            const row_group *g = &rows->groups[group];
            size_t from = g->first ? blanks[g->first - 1] + 1 : start;
            size_t to = g->last + 1 == columns ? end : blanks[g->last];
            const row_value *value = &g->values[g->near[row_near(bytes, from, to)]];
            if (__builtin_expect(!HK_NAME(row_is_value)(value, bytes + from, to - from), 0))
                value = &g->values[HK_NAME(row_search)(g, bytes + from, to - from)];
            if (__builtin_expect(value->count == ROW_NO_VALUE, 0)) {
                place->group = group;
                place->value = from;
                place->value_end = to;
                stop = HK_ROWS_CLASS;
                break;
            }
            word = word << ROW_CLASS_BITS | value->class_number;
        }
        if (stop != HK_ROWS_END) break;
        ptrdiff_t number = row_ruling_of(rows, word);
        if (__builtin_expect(number < 0, 0)) {
            place->word = word;
            stop = HK_ROWS_RULING;
            break;
        }
        row_ruling *ruling = &rows->rulings[number];
        if (ruling->kind != HK_RULING_SIGHTING) {
            if (ruling->kind == HK_RULING_ROW) {
                stop = HK_ROWS_ROW;
                break;
            }
            ruling->count++;
            start = next;
            blank += columns - 1;
            continue;
        }
        ruling->count++;
        if (client >= 0) {
            size_t from = client ? blanks[client - 1] + 1 : start;
            size_t to = client + 1 == (int32_t)columns ? end : blanks[client];
            int64_t address = from >= 4 ? ipv4(bytes + from, to - from) : -1;
            if (__builtin_expect(address < 0, 0)) {
                place->value = from;
                place->value_end = to;
                place->ruling = (size_t)number;
                stop = HK_ROWS_CLIENT;
                break;
            }
            client_low[found] = 0xFFFF00000000ULL | (uint64_t)address;
        } else {
            client_low[found] = 0;
        }
        client_high[found] = 0;
        times[found] = time;
        facts[found++] = row_facts(rows, (size_t)number);
        if (time != last_noted) {
            last_noted = time;
            if (first_time == HK_NO_TIME || time < first_time) first_time = time;
            if (time > last_time) last_time = time;
        }
        start = next;
        blank += columns - 1;
    }
    rows->blank = blank;
    place->start = start;
    place->end = end;
    out->count = found;
    rows->time = time;
    rows->first_time = first_time;
    rows->last_time = last_time;
    place->line = line;
    place->time = time;
    return stop;
}

static HK_TARGET size_t HK_NAME(dated_lines)(
    const uint8_t *bytes, const uint32_t *line_ends, size_t line, size_t last_line
) {
    size_t start = line ? line_ends[line - 1] + 1 : 0, first = line;
    for (; line < last_line; line++) {
        size_t end = line_ends[line];
        if (end - start < 12) break;
        const uint8_t *p = bytes + start;
        // The first byte a digit, `-` at 4 and 7, a blank at 10.
        uint64_t head = word_at(p) ^ 0x2D00002D00000030ULL;
        if ((head & 0xFF0000FF000000F0ULL) | (((head & 0xFF) + 6) & 0xF0) | (p[10] ^ ' ')) break;
        start = end + 1;
    }
    return line - first;
}
