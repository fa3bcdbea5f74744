// Rows of one W3C schema, taken in a run: the columns that decide are looked up in memos, time and client are read.
#ifndef HANDSHAKED_ROWS_H
#define HANDSHAKED_ROWS_H
#include <stddef.h>
#include <stdint.h>

/// What is known about the rows of one schema. Only rows as nearly all are taken here; at any other the run stops, says why,
/// and the caller, who has the rules, decides and goes on.
///
/// Columns that are judged together are a group; `hk_rows_learn` tells the class of a group's bytes. The classes of a row make its word, and `hk_rows_add_ruling` tells what rows of that word are.
typedef struct hk_rows hk_rows;

#define HK_ROW_GROUPS 6
#define HK_ROW_PAIRS 4
/// Classes of one group.
#define HK_ROW_CLASSES 512
#define HK_ROW_RULINGS 512
/// A longer value of a group is never learned.
#define HK_ROW_VALUE_LIMIT 192
/// More columns do not fit.
#define HK_ROW_COLUMNS 128
/// No time.
#define HK_NO_TIME INT64_MIN

/// The columns of a schema; -1 where it has none.
typedef struct {
    int32_t count, date, time, client;
} hk_row_columns;

/// NULL when there are less than two columns or more than HK_ROW_COLUMNS, or no memory. `level` is one of kernels.h, or
/// `hk_level_count()` for the one in use.
hk_rows *hk_rows_new(size_t level, hk_row_columns columns);
void hk_rows_free(hk_rows *rows);
/// Columns [first, last] are judged together. Before the first run; false when there are HK_ROW_GROUPS.
int hk_rows_add_group(hk_rows *rows, size_t first, size_t last);
/// Whether two columns are the same text, but for case, and not `-`, decides. Before the first run; false when there are HK_ROW_PAIRS.
int hk_rows_add_pair(hk_rows *rows, size_t left, size_t right);

/// Begins a run of lines. `flags` is the first part of every word. Rows of times outside [since, until), always the same two,
/// stop the run. `keeps_clock`: what the date and time columns say depends on nothing else, and the last ones are still known.
void hk_rows_begin(hk_rows *rows, uint64_t flags, int64_t since, int64_t until, int keeps_clock);

/// Where the sightings go: column by column, `count` of them, room for one a row.
typedef struct {
    uint64_t *client_high, *client_low;
    int64_t *times;
    uint32_t *facts;
    size_t count;
} hk_row_sightings;

typedef enum {
    /// Every line was taken.
    HK_ROWS_END,
    /// `line` is a row to be judged by itself.
    HK_ROWS_ROW,
    /// The date or the time of `line` is new: `hk_rows_set_time`, and go on with the same line.
    HK_ROWS_CLOCK,
    /// The bytes [value, value_end) of group `group` are new: `hk_rows_learn`.
    HK_ROWS_CLASS,
    /// The word is new: `hk_rows_add_ruling`.
    HK_ROWS_RULING,
    /// `line` was taken as of ruling `ruling`, but its client [value, value_end) is no IPv4 address: its sighting is the
    /// caller's to note.
    HK_ROWS_CLIENT,
} hk_rows_stop;

/// Why a run stopped. Positions count in the text.
typedef struct {
    size_t line;
    /// The row without its line end.
    size_t start, end;
    size_t group, value, value_end;
    size_t ruling;
    uint64_t word;
    /// Of the row, HK_NO_TIME when it has none.
    int64_t time;
} hk_rows_place;

/// Takes the rows of lines [place->line, last_line), each the bytes up to its entry in `line_ends`. 64 bytes behind the text may
/// be read.
hk_rows_stop hk_rows_run(
    hk_rows *rows, const uint8_t *bytes, const uint32_t *line_ends, size_t last_line, hk_rows_place *place,
    hk_row_sightings *out);

/// The time of the row at which the run stopped. `midnight`: of its date, where times of day may be added to it here;
/// HK_NO_TIME: each time is asked for. False when its text is too long to be remembered: the row is to be judged by itself.
int hk_rows_set_time(hk_rows *rows, const uint8_t *bytes, const hk_rows_place *place, int64_t time, int64_t midnight);
/// The class of the value at which the run stopped; false when the value is too long to be remembered.
int hk_rows_learn(hk_rows *rows, const uint8_t *bytes, const hk_rows_place *place, size_t class_number);

typedef enum { HK_RULING_ROW, HK_RULING_SIGHTING, HK_RULING_NOTHING } hk_ruling_kind;

/// What rows of a word are; the number of the ruling, or HK_ROW_RULINGS when there are too many: `hk_rows_forget_rulings` first.
size_t hk_rows_add_ruling(hk_rows *rows, uint64_t word, hk_ruling_kind kind);
void hk_rows_forget_rulings(hk_rows *rows);
/// Rows ruled on since this was asked last.
uint64_t hk_rows_take_count(hk_rows *rows, size_t ruling);

/// Sightings say their ruling by its place among the rulings met; from here on none was met.
void hk_rows_begin_facts(hk_rows *rows);
/// How many were met, and the ruling of the one that was met at `index`.
size_t hk_rows_met_count(const hk_rows *rows);
size_t hk_rows_met(const hk_rows *rows, size_t index);
/// The number of a ruling, which is met by this if it was not.
uint32_t hk_rows_facts(hk_rows *rows, size_t ruling);
/// First and last time of the sightings since `hk_rows_begin`; false when there was none with a time.
int hk_rows_times(const hk_rows *rows, int64_t *first, int64_t *last);

/// How many of the lines [line, last_line) begin as a row with a date does: `2026-03-02 `, twelve bytes at least.
size_t hk_dated_lines(const uint8_t *bytes, const uint32_t *line_ends, size_t line, size_t last_line);

#endif
