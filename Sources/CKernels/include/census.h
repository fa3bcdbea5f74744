// The memory of the census: rows by who came and what was seen, found through an index.
#ifndef HANDSHAKED_CENSUS_H
#define HANDSHAKED_CENSUS_H
#include <stddef.h>
#include <stdint.h>

/// Who came is told by 16 bytes, what else is seen by a number (`facts`). Rows lie side by side, 32 bytes each, two to a cache
/// line, and are found through an index at most two thirds full,
/// whose lines of 16 places are filled one after the other:
///
///     index   | tag of the hash, 10 bits | row + 1, 22 bits, 0 is free |   the line of its hash, or the next with room
///     rows    | kind of client, 2 bits, client, 32 bits, facts, 24 bits | first | last | count |
///
/// A client that 32 bits do not tell, an IPv6 address, stands in a list of its own: the row has its place there.
typedef struct hk_census hk_census;

/// More rows have no number in the index.
#define HK_CENSUS_ROWS 0x3FFFFF
/// Facts from here on are none.
#define HK_CENSUS_NO_FACTS 0xFFFFFFu

typedef struct {
    uint64_t client_high, client_low;
    /// INT64_MIN: none had a time.
    int64_t first, last;
    uint64_t count;
    uint32_t facts;
} hk_census_row;

/// NULL without memory.
hk_census *hk_census_new(uint64_t seed);
hk_census *hk_census_copy(const hk_census *census);
void hk_census_free(hk_census *census);
size_t hk_census_count(const hk_census *census);
hk_census_row hk_census_row_at(const hk_census *census, size_t row);

/// Notes sightings, column by column; `numbers[facts[i]]` is the number of what sighting i says, HK_CENSUS_NO_FACTS or more
/// where there were too many. INT64_MIN is no time.
///
/// - Returns: how many found the census full, which it is from `limit` rows on, at most HK_CENSUS_ROWS; without memory it is
///   full as it is.
size_t hk_census_note(
    hk_census *census, const uint64_t *client_high, const uint64_t *client_low, const int64_t *times,
    const uint32_t *facts, const uint32_t *numbers, size_t count, size_t limit);
/// Adds the rows of another census, whose facts f are `numbers[f]` here. Returns how many sightings found the census full.
uint64_t hk_census_merge(hk_census *census, const hk_census *other, const uint32_t *numbers, size_t limit);

#endif
