// The loop of rows.h over one vector level; the definitions of vector_body.h hold, which includes this, and four more:
//
//   same(b, p)           bit i: byte i of b is p[i]
//   digest(b, n)         64 bits that the first n bytes of b make, 1 ≤ n ≤ 64
//   ipv4(p, n)           hk_ipv4
//   row_sample           see row_sample_any

static inline __attribute__((always_inline)) HK_TARGET uint64_t HK_NAME(row_first)(size_t count) {
    return ~0ULL >> ((64 - count) & 63);
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

/// The index from `start` on, where a row begins, up to the row that ends at `end`, or less where rows are long.
static HK_TARGET void HK_NAME(rows_index)(hk_rows *rows, const uint8_t *bytes, size_t start, size_t end) {
    size_t at = rows->field, count = rows->field_count;
    while (at < count && rows->fields[at] < start) at++;
    if (at == count || rows->fields[at] != start) {
        // Not gone on with from the row before.
        rows->fields[0] = (uint32_t)start;
        rows->indexed = start;
        count = 1;
    } else {
        count -= at;
        memmove(rows->fields, rows->fields + at, count * sizeof *rows->fields);
    }
    rows->field = 0;
    size_t i = rows->indexed, stop = i + 64 * ROW_INDEX_BLOCKS < end ? i + 64 * ROW_INDEX_BLOCKS : end;
    for (; i <= stop && count <= ROW_FIELDS - 64; i += 64) {
        block b = load(bytes + i);
        uint64_t mask = equal(b, ' ') | equal(b, '\n');
        write_bits(mask, (uint32_t)i + 1, rows->fields + count);
        count += (unsigned)__builtin_popcountll(mask);
    }
    rows->indexed = i;
    rows->field_count = count;
}

/// The ruling of a row, group by group: `*word` holds its flags and pairs. Why the run stops when it is not known.
static __attribute__((noinline)) HK_TARGET hk_rows_stop HK_NAME(rows_judge)(
    const hk_rows *rows, const uint8_t *bytes, const uint32_t *fields, size_t end, hk_rows_place *place, uint64_t *word,
    row_combination *met
) {
    for (size_t group = 0; group < rows->group_count; group++) {
        const row_group *g = &rows->groups[group];
        size_t from = fields[g->first];
        size_t to = g->last + 1 == (size_t)rows->columns.count ? end : fields[g->last + 1] - 1;
        const row_value *value = &g->values[g->near[row_near(bytes, from, to)]];
        if (!HK_NAME(row_is_value)(value, bytes + from, to - from))
            value = &g->values[HK_NAME(row_search)(g, bytes + from, to - from)];
        if (value->count == ROW_NO_VALUE) {
            place->group = group;
            place->value = from;
            place->value_end = to;
            return HK_ROWS_CLASS;
        }
        *word = *word << ROW_CLASS_BITS | value->class_number;
        met->values[group] = (uint32_t)(value->bytes - (const uint8_t *)rows->values);
    }
    ptrdiff_t number = row_ruling_of(rows, *word);
    if (number < 0) {
        place->word = *word;
        return HK_ROWS_RULING;
    }
    met->ruling = (uint32_t)number;
    return HK_ROWS_END;
}

/// Whether the date and the time of a row are those of the row before, by their text.
static __attribute__((noinline)) HK_TARGET int HK_NAME(row_has_clock_text)(
    const hk_rows *rows, const uint8_t *bytes, const uint32_t *fields, size_t end
) {
    for (int which = 0; which < 2; which++) {
        int32_t column = which ? rows->columns.time : rows->columns.date;
        if (column < 0) continue;
        size_t from = fields[column], to = column + 1 == rows->columns.count ? end : fields[column + 1] - 1;
        if (to - from != rows->clock_text_count[which] || memcmp(bytes + from, rows->clock_text[which], to - from))
            return 0;
    }
    return 1;
}

/// Rows that are taken together, in one loop after the other: which of them are regular and when they were, which
/// combination of values each is, who came.
typedef struct {
    uint32_t ends[ROW_BATCH];
    int64_t times[ROW_BATCH];
    uint64_t heads[ROW_BATCH], counts[ROW_BATCH], wrong[ROW_BATCH];
    uint32_t from[ROW_BATCH][HK_ROW_GROUPS];
    uint32_t slots[ROW_BATCH];
    uint32_t rulings[ROW_BATCH];
    int64_t clients[ROW_BATCH];
} HK_NAME(row_batch);

/// Whether the values of a row are those of the combination that it was taken for.
static inline __attribute__((always_inline)) HK_TARGET void HK_NAME(rows_prove)(
    const hk_rows *rows, const uint8_t *bytes, HK_NAME(row_batch) *batch, size_t count, size_t group_count
) {
    const uint8_t *values = (const uint8_t *)rows->values;
    _Pragma("clang loop vectorize(disable)")
    for (size_t i = 0; i < count; i++) {
        const row_combination *known = &rows->combinations[batch->slots[i]];
        uint64_t counts = batch->counts[i], wrong = (known->counts ^ counts) | (known->head ^ batch->heads[i]);
        for (size_t k = 0; k < group_count; k++)
            wrong |= ~same(load(bytes + batch->from[i][k]), values + known->values[k])
                & HK_NAME(row_first)(counts >> 8 * k & 0xFF);
        batch->rulings[i] = known->ruling;
        batch->wrong[i] = wrong;
    }
}

static HK_TARGET hk_rows_stop HK_NAME(rows_run)(
    hk_rows *rows, const uint8_t *bytes, const uint32_t *line_ends, size_t last_line, hk_rows_place *place,
    hk_row_sightings *out
) {
    const size_t columns = (size_t)rows->columns.count, group_count = rows->group_count, pair_count = rows->pair_count;
    const int32_t client = rows->columns.client;
    const int has_plain_clock = rows->has_plain_clock, has_time = rows->columns.time >= 0;
    size_t line = place->line;
    int64_t first_time = rows->first_time, last_time = rows->last_time;
    hk_rows_stop stop = HK_ROWS_END;
    HK_NAME(row_batch) batch;
    while (line < last_line && stop == HK_ROWS_END) {
        size_t count = last_line - line < ROW_BATCH ? last_line - line : ROW_BATCH;
        size_t start = line ? (size_t)line_ends[line - 1] + 1 : 0;
        // Eight bytes before the first row there is nothing: it is taken alone, and looked up by what comes behind instead.
        if (start < 8) count = 1;
        const uint8_t *tails = start < 8 ? bytes + 8 : bytes;
        HK_NAME(rows_index)(rows, bytes, start, line_ends[line + count - 1]);
        // Field k of row i begins at fields[i * columns + k] and ends before the byte that stands before the next.
        const uint32_t *fields = rows->fields;
        size_t indexed = (rows->field_count - 1) / columns;

        // Regular: as many blanks as stand between the columns, and nothing before the row.
        _Pragma("clang loop vectorize(disable)")
        for (size_t i = 0; i < count; i++) {
            const uint32_t *f = fields + i * columns;
            size_t from = f[0], end = line_ends[line + i];
            const uint8_t *row = bytes + from;
            batch.ends[i] = (uint32_t)end - (bytes[end - (end > 0)] == '\r');
            // What stands behind the part that is indexed begins the next batch.
            if (i >= indexed && i > 0) {
                count = i;
                break;
            }
            if (__builtin_expect(i >= indexed || f[columns] != end + 1 || row[0] == 0 || row[0] == 0xEF, 0)) {
                stop = HK_ROWS_ROW;
                count = i;
                break;
            }
            if (has_plain_clock && f[1] == from + 11 && f[2] == from + 20) {
                uint64_t first = word_at(row), second = word_at(row + 8), third = word_at(row + 11);
                uint64_t other = (first ^ rows->clock[0]) | ((second ^ rows->clock[1]) & 0xFFFF);
                if (__builtin_expect((other | (third ^ rows->clock[2])) || !rows->has_clock, 0)) {
                    int64_t of_day = row_time_of_day(row + 11);
                    // The blank behind the date is one in both, and the one behind the time too.
                    if (!rows->has_clock || other || of_day < 0 || rows->midnight == HK_NO_TIME
                        || rows->midnight + of_day < rows->since || rows->midnight + of_day >= rows->until)
                    {
                        stop = HK_ROWS_CLOCK;
                        count = i;
                        break;
                    }
                    rows->time = rows->midnight + of_day;
                    rows->clock[1] = second;
                    rows->clock[2] = third;
                }
            } else if (has_time
                       && (!rows->has_clock_text || !HK_NAME(row_has_clock_text)(rows, bytes, f, batch.ends[i])))
            {
                stop = HK_ROWS_CLOCK;
                count = i;
                break;
            }
            batch.times[i] = rows->time;
        }

        _Pragma("clang loop vectorize(disable)")
        for (size_t i = 0; i < count; i++) {
            const uint32_t *f = fields + i * columns;
            uint64_t head = rows->flags;
            for (size_t k = 0; k < pair_count; k++) {
                size_t left = rows->pairs[k][0], right = rows->pairs[k][1];
                size_t left_from = f[left], right_from = f[right];
                size_t left_to = left + 1 == columns ? batch.ends[i] : f[left + 1] - 1;
                size_t right_to = right + 1 == columns ? batch.ends[i] : f[right + 1] - 1;
                // The length and the last bytes tell nearly all apart.
                head <<= 1;
                if (__builtin_expect(
                        left_to - left_from == right_to - right_from
                            && (left_to - left_from < 4 || !row_differs(bytes + left_to, bytes + right_to)), 0))
                    head |= (uint64_t)row_is_same(bytes + left_from, bytes + right_from, left_to - left_from);
            }
            // The lengths and the last bytes of all groups tell which combination of values it is, if it is one that was met.
            uint64_t counts, sum = row_sample(rows, f, batch.ends[i], tails, batch.from[i], &counts);
            batch.heads[i] = head;
            batch.counts[i] = counts;
            batch.slots[i] = (((sum ^ head) + counts * 0xD6E8FEB86659FD93ULL) * 0x9E3779B97F4A7C15ULL) >> 54;
        }
        switch (group_count) {
        case 4: HK_NAME(rows_prove)(rows, bytes, &batch, count, 4); break;
        case 3: HK_NAME(rows_prove)(rows, bytes, &batch, count, 3); break;
        default: HK_NAME(rows_prove)(rows, bytes, &batch, count, group_count);
        }
        if (client >= 0)
            _Pragma("clang loop vectorize(disable)")
            for (size_t i = 0; i < count; i++) {
                const uint32_t *f = fields + i * columns;
                size_t from = f[client], to = client + 1 == (int32_t)columns ? batch.ends[i] : f[client + 1] - 1;
                batch.clients[i] = from >= 4 ? ipv4(bytes + from, to - from) : -1;
            }

        size_t taken = 0, found = out->count;
        for (; taken < count; taken++) {
            if (__builtin_expect(batch.wrong[taken] != 0, 0)) {
                uint64_t word = batch.heads[taken];
                row_combination met = {.head = word, .counts = batch.counts[taken]};
                hk_rows_stop why = HK_NAME(rows_judge)(
                    rows, bytes, fields + taken * columns, batch.ends[taken], place, &word, &met);
                if (why != HK_ROWS_END) {
                    stop = why;
                    break;
                }
                batch.rulings[taken] = met.ruling;
                // Of the rows behind it some may have been compared with what stood there; their rulings are known.
                if (row_is_short(met.counts)) rows->combinations[batch.slots[taken]] = met;
            }
            row_ruling *ruling = &rows->rulings[batch.rulings[taken]];
            if (__builtin_expect(ruling->kind != HK_RULING_SIGHTING, 0)) {
                if (ruling->kind == HK_RULING_ROW) {
                    stop = HK_ROWS_ROW;
                    break;
                }
                ruling->count++;
                continue;
            }
            ruling->count++;
            int64_t address = client < 0 ? 0 : batch.clients[taken];
            if (__builtin_expect(address < 0, 0)) {
                const uint32_t *f = fields + taken * columns;
                place->value = f[client];
                place->value_end = client + 1 == (int32_t)columns ? batch.ends[taken] : f[client + 1] - 1;
                place->ruling = batch.rulings[taken];
                stop = HK_ROWS_CLIENT;
                break;
            }
            int64_t time = batch.times[taken];
            out->client_low[found] = client < 0 ? 0 : 0xFFFF00000000ULL | (uint64_t)address;
            out->client_high[found] = 0;
            out->times[found] = time;
            out->facts[found++] = row_facts(rows, batch.rulings[taken]);
            if (first_time == HK_NO_TIME || time < first_time) first_time = time;
            if (time > last_time) last_time = time;
        }
        out->count = found;
        line += taken;
        rows->field = taken * columns;
        place->start = line ? (size_t)line_ends[line - 1] + 1 : 0;
        if (stop != HK_ROWS_END) {
            place->end = batch.ends[taken];
            place->time = taken < count ? batch.times[taken] : rows->time;
        }
    }
    rows->first_time = first_time;
    rows->last_time = last_time;
    place->line = line;
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
