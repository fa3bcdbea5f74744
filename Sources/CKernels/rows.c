#include "row_memo.h"
#include "kernels.h"
#include <stdlib.h>

hk_rows *hk_rows_new(size_t level, hk_row_columns columns) {
    if (columns.count < 2 || columns.count > HK_ROW_COLUMNS) return NULL;
    hk_rows *rows = calloc(1, sizeof *rows);
    if (!rows) return NULL;
    // Aligned: a value of up to 64 bytes is one cache line.
    rows->values = aligned_alloc(256, HK_ROW_GROUPS * ROW_VALUES * sizeof *rows->values);
    if (!rows->values) {
        free(rows);
        return NULL;
    }
    rows->level = level;
    rows->columns = columns;
    rows->has_plain_clock = columns.date == 0 && columns.time == 1 && columns.count > 2;
    hk_rows_forget_rulings(rows);
    hk_rows_begin(rows, 0, INT64_MIN, INT64_MAX, 0);
    return rows;
}

void hk_rows_free(hk_rows *rows) {
    if (!rows) return;
    free(rows->values);
    free(rows);
}

int hk_rows_add_group(hk_rows *rows, size_t first, size_t last) {
    if (rows->group_count == HK_ROW_GROUPS) return 0;
    row_group *group = &rows->groups[rows->group_count];
    group->first = (uint32_t)first;
    group->last = (uint32_t)last;
    group->values = rows->values + rows->group_count * ROW_VALUES;
    rows->spans.first[rows->group_count] = group->first;
    rows->spans.behind[rows->group_count] = group->last + 1;
    for (uint32_t i = 0; i < 2; i++)
        rows->spans.less[i][rows->group_count] = 1 + (i && group->last + 1 == (uint32_t)rows->columns.count);
    group->values[0].count = ROW_NO_VALUE;
    group->value_count = 1;
    rows->group_count++;
    return 1;
}

int hk_rows_add_pair(hk_rows *rows, size_t left, size_t right) {
    if (rows->pair_count == HK_ROW_PAIRS) return 0;
    rows->pairs[rows->pair_count][0] = (uint32_t)left;
    rows->pairs[rows->pair_count++][1] = (uint32_t)right;
    return 1;
}

void hk_rows_begin(hk_rows *rows, uint64_t flags, int64_t since, int64_t until, int keeps_clock) {
    rows->flags = flags;
    rows->since = since;
    rows->until = until;
    if (!keeps_clock) {
        rows->has_clock = rows->has_clock_text = 0;
        rows->time = rows->midnight = HK_NO_TIME;
    }
    rows->indexed = rows->field = rows->field_count = 0;
    rows->first_time = rows->last_time = HK_NO_TIME;
}

int hk_rows_set_time(hk_rows *rows, const uint8_t *bytes, const hk_rows_place *place, int64_t time, int64_t midnight) {
    const uint8_t *row = bytes + place->start;
    const uint32_t *fields = rows->fields + rows->field;
    rows->time = time;
    rows->midnight = midnight;
    rows->has_clock = rows->has_plain_clock && fields[1] == place->start + 11
        && fields[2] == place->start + 20;
    rows->has_clock_text = 0;
    if (rows->has_clock) {
        rows->clock[0] = word_at(row);
        rows->clock[1] = word_at(row + 8);
        rows->clock[2] = word_at(row + 11);
        return 1;
    }
    for (int which = 0; which < 2; which++) {
        int32_t column = which ? rows->columns.time : rows->columns.date;
        rows->clock_text_count[which] = 0;
        if (column < 0) continue;
        size_t from = fields[column], to = column + 1 == rows->columns.count ? place->end : fields[column + 1] - 1;
        if (to - from > sizeof rows->clock_text[which]) return 0;
        memcpy(rows->clock_text[which], bytes + from, to - from);
        rows->clock_text_count[which] = (uint32_t)(to - from);
    }
    rows->has_clock_text = 1;
    return 1;
}

void hk_rows_forget_rulings(hk_rows *rows) {
    for (size_t i = 0; i < ROW_WORDS; i++) rows->words[i] = UINT64_MAX;
    rows->ruling_count = rows->met_count = 0;
    row_forget_combinations(rows);
}

size_t hk_rows_add_ruling(hk_rows *rows, uint64_t word, hk_ruling_kind kind) {
    if (rows->ruling_count == HK_ROW_RULINGS) return HK_ROW_RULINGS;
    size_t slot = row_word_slot(word);
    while (rows->words[slot] != UINT64_MAX) slot = (slot + 1) & (ROW_WORDS - 1);
    rows->words[slot] = word;
    rows->ruling_of_word[slot] = (uint16_t)rows->ruling_count;
    rows->rulings[rows->ruling_count] = (row_ruling){.count = 0, .facts = UINT32_MAX, .kind = kind};
    return rows->ruling_count++;
}

uint64_t hk_rows_take_count(hk_rows *rows, size_t ruling) {
    uint64_t count = rows->rulings[ruling].count;
    rows->rulings[ruling].count = 0;
    return count;
}

void hk_rows_begin_facts(hk_rows *rows) {
    for (size_t i = 0; i < rows->met_count; i++) rows->rulings[rows->met[i]].facts = UINT32_MAX;
    rows->met_count = 0;
}

size_t hk_rows_met_count(const hk_rows *rows) { return rows->met_count; }
size_t hk_rows_met(const hk_rows *rows, size_t index) { return rows->met[index]; }
uint32_t hk_rows_facts(hk_rows *rows, size_t ruling) { return row_facts(rows, ruling); }

int hk_rows_times(const hk_rows *rows, int64_t *first, int64_t *last) {
    *first = rows->first_time;
    *last = rows->last_time;
    return rows->last_time != HK_NO_TIME;
}
