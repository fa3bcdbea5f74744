#define _GNU_SOURCE
#include "census.h"
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#if defined(__SSE2__)
#include <emmintrin.h>
#endif

typedef struct {
    /// Kind of the client (2 bits), the client (32), facts (24).
    uint64_t key;
    /// INT64_MAX and INT64_MIN when none had a time: then no bound needs a look.
    int64_t first, last;
    uint64_t count;
} census_row;

typedef struct { uint64_t high, low; } wide_client;

struct hk_census {
    uint64_t seed;
    census_row *rows;
    size_t count, capacity;
    uint32_t *index;
    size_t mask;
    wide_client *wide;
    size_t wide_count, wide_capacity;
};

#define ROW_BITS 0x3FFFFFu
#define FACTS_BITS 24
/// Places of the index in a cache line: a row stands in its line, or in the next one that is not full.
#define LINE 16
#define KIND_NUMBER 0ULL
#define KIND_IPV4 1ULL
#define KIND_WIDE 2ULL

// MARK: Memory

/// From here on memory is asked for in huge pages: rows and index are met at random, and of small pages every second meeting
/// would miss in the translation buffer too.
#define HUGE_FROM (2u << 20)
#define HUGE_PAGE (2u << 20)

/// What `madvise` refuses stays in small pages.
static size_t in_pages(size_t byte_count) { return (byte_count + HUGE_PAGE - 1) & ~(size_t)(HUGE_PAGE - 1); }

/// Zeros, aligned to huge pages; only what is written takes memory. NULL where the system does not promise as much.
static void *map(size_t byte_count) {
    size_t wanted = in_pages(byte_count);
    uint8_t *memory =
        mmap(NULL, wanted + HUGE_PAGE, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
    if (memory == MAP_FAILED) return NULL;
    size_t before = in_pages((uintptr_t)memory) - (uintptr_t)memory;
    if (before) munmap(memory, before);
    if (HUGE_PAGE - before) munmap(memory + before + wanted, HUGE_PAGE - before);
    madvise(memory + before, wanted, MADV_HUGEPAGE);
    return memory + before;
}

/// Zeros.
static void *take(size_t byte_count) {
    if (byte_count >= HUGE_FROM) return map(byte_count);
    void *memory = aligned_alloc(64, (byte_count + 63) & ~(size_t)63);
    if (memory) memset(memory, 0, byte_count);
    return memory;
}

static void give_back(void *memory, size_t byte_count) {
    if (memory && byte_count >= HUGE_FROM) munmap(memory, in_pages(byte_count)); else free(memory);
}

static uint32_t *take_index(size_t mask) { return take((mask + 1) * sizeof(uint32_t)); }

hk_census *hk_census_new(uint64_t seed) {
    hk_census *census = calloc(1, sizeof *census);
    if (!census) return NULL;
    census->seed = seed;
    census->capacity = 1024;
    census->mask = 2047;
    census->rows = take(census->capacity * sizeof *census->rows);
    census->index = take_index(census->mask);
    if (census->rows && census->index) return census;
    hk_census_free(census);
    return NULL;
}

hk_census *hk_census_copy(const hk_census *other) {
    hk_census *census = malloc(sizeof *census);
    if (!census) return NULL;
    *census = *other;
    census->rows = take(other->capacity * sizeof *other->rows);
    census->index = take((other->mask + 1) * sizeof *other->index);
    census->wide_capacity = other->wide_count;
    census->wide = other->wide_count ? malloc(other->wide_count * sizeof *other->wide) : NULL;
    if (!census->rows || !census->index || (other->wide_count && !census->wide)) {
        hk_census_free(census);
        return NULL;
    }
    memcpy(census->rows, other->rows, other->count * sizeof *other->rows);
    memcpy(census->index, other->index, (other->mask + 1) * sizeof *other->index);
    if (other->wide_count) memcpy(census->wide, other->wide, other->wide_count * sizeof *other->wide);
    return census;
}

void hk_census_free(hk_census *census) {
    if (!census) return;
    give_back(census->rows, census->capacity * sizeof *census->rows);
    give_back(census->index, (census->mask + 1) * sizeof *census->index);
    free(census->wide);
    free(census);
}

// MARK: Rows

static inline __attribute__((always_inline)) uint64_t mix(uint64_t a, uint64_t b) {
    __uint128_t product = (__uint128_t)a * b;
    return (uint64_t)product ^ (uint64_t)(product >> 64);
}

/// Multiply and fold over the words, seeded.
static inline __attribute__((always_inline)) uint64_t hash_of(uint64_t seed, uint64_t high, uint64_t low, uint32_t facts) {
    return mix(mix(low ^ seed, high ^ 0x9E3779B97F4A7C15ULL) ^ facts, 0xA0761D6478BD642FULL);
}

/// Never that of a free place.
static inline __attribute__((always_inline)) uint32_t tag_of(uint64_t hash) {
    uint32_t tag = (uint32_t)(hash >> 54);
    return (tag + !tag) << 22;
}

/// The line of the index that a row is sought in first.
static inline __attribute__((always_inline)) size_t line_of(uint64_t hash, size_t mask) {
    return hash & mask & ~(size_t)(LINE - 1);
}

/// Which of a line's places have this tag; those that are free have 0.
#if defined(__SSE2__)
static inline __attribute__((always_inline)) unsigned tags_in(const uint32_t *line, uint32_t tag) {
    __m128i equal[4];
    for (int i = 0; i < 4; i++)
        equal[i] = _mm_cmpeq_epi32(
            _mm_andnot_si128(_mm_set1_epi32(ROW_BITS), _mm_load_si128((const __m128i *)line + i)),
            _mm_set1_epi32((int)tag));
    return (unsigned)_mm_movemask_epi8(
        _mm_packs_epi16(_mm_packs_epi32(equal[0], equal[1]), _mm_packs_epi32(equal[2], equal[3])));
}
#else
static inline __attribute__((always_inline)) unsigned tags_in(const uint32_t *line, uint32_t tag) {
    unsigned found = 0;
    for (unsigned i = 0; i < LINE; i++) found |= (unsigned)((line[i] & ~ROW_BITS) == tag) << i;
    return found;
}
#endif

/// The first free place for a row of this hash.
static size_t free_place(const uint32_t *index, size_t mask, uint64_t hash) {
    for (size_t line = line_of(hash, mask);; line = (line + LINE) & mask) {
        unsigned free = tags_in(index + line, 0);
        if (free) return line + (unsigned)__builtin_ctz(free);
    }
}

static inline __attribute__((always_inline)) uint64_t key_of(uint64_t high, uint64_t low, uint32_t facts) {
    uint64_t kind = high || (low >> 32 != 0 && low >> 32 != 0xFFFF) ? KIND_WIDE : low >> 32 ? KIND_IPV4 : KIND_NUMBER;
    uint64_t client = kind == KIND_WIDE ? 0 : low & 0xFFFFFFFF;
    return (kind << 32 | client) << FACTS_BITS | facts;
}

static inline uint64_t kind_of(uint64_t key) { return key >> (32 + FACTS_BITS); }
static inline uint32_t client_of(uint64_t key) { return (uint32_t)(key >> FACTS_BITS); }

static inline void client_words(const hk_census *census, uint64_t key, uint64_t *high, uint64_t *low) {
    *high = 0;
    *low = client_of(key);
    if (kind_of(key) == KIND_IPV4) {
        *low |= 0xFFFF00000000ULL;
    } else if (kind_of(key) == KIND_WIDE) {
        *high = census->wide[*low].high;
        *low = census->wide[*low].low;
    }
}

size_t hk_census_count(const hk_census *census) { return census->count; }

hk_census_row hk_census_row_at(const hk_census *census, size_t number) {
    const census_row *row = &census->rows[number];
    hk_census_row out = {
        .first = row->last == INT64_MIN ? INT64_MIN : row->first, .last = row->last, .count = row->count,
        .facts = (uint32_t)row->key & HK_CENSUS_NO_FACTS};
    client_words(census, row->key, &out.client_high, &out.client_low);
    return out;
}

/// A wide client's row is known by what its place in the list holds.
static __attribute__((noinline)) int holds_wide(
    const hk_census *census, const census_row *row, uint64_t high, uint64_t low, uint32_t facts
) {
    if (kind_of(row->key) != KIND_WIDE || (row->key & HK_CENSUS_NO_FACTS) != facts) return 0;
    const wide_client *client = &census->wide[client_of(row->key)];
    return client->high == high && client->low == low;
}

/// Twice as many places.
static int grow_index(hk_census *census) {
    size_t mask = census->mask * 2 + 1;
    uint32_t *index = take_index(mask);
    if (!index) return 0;
    give_back(census->index, (census->mask + 1) * sizeof *index);
    census->index = index;
    census->mask = mask;
    for (size_t from = 0; from < census->count; from += 64) {
        uint64_t hashes[64];
        size_t block = census->count - from < 64 ? census->count - from : 64;
        for (size_t i = 0; i < block; i++) {
            uint64_t key = census->rows[from + i].key, high, low;
            client_words(census, key, &high, &low);
            hashes[i] = hash_of(census->seed, high, low, (uint32_t)key & HK_CENSUS_NO_FACTS);
            __builtin_prefetch(&index[line_of(hashes[i], mask)], 1);
        }
        for (size_t i = 0; i < block; i++)
            index[free_place(index, mask, hashes[i])] = tag_of(hashes[i]) | (uint32_t)(from + i + 1);
    }
    return 1;
}

/// Twice as many rows; once they fill huge pages, room for all that there can be, which is not taken before it is needed.
static int grow_rows(hk_census *census) {
    size_t capacity = 2 * census->capacity;
    census_row *rows = NULL;
    if (capacity * sizeof *rows >= HUGE_FROM && capacity < HK_CENSUS_ROWS) {
        rows = take((size_t)(HK_CENSUS_ROWS + 1) * sizeof *rows);
        if (rows) capacity = HK_CENSUS_ROWS + 1;
    }
    if (!rows) rows = take(capacity * sizeof *rows);
    if (!rows) return 0;
    memcpy(rows, census->rows, census->count * sizeof *rows);
    give_back(census->rows, census->capacity * sizeof *rows);
    census->rows = rows;
    census->capacity = capacity;
    return 1;
}

/// A new row; false when there is no room.
static __attribute__((noinline)) int append(
    hk_census *census, size_t place, uint64_t hash, uint64_t high, uint64_t low, uint64_t key, int64_t first, int64_t last,
    uint64_t count, size_t limit
) {
    if (census->count >= limit || census->count >= HK_CENSUS_ROWS) return 0;
    if (((uint32_t)key & HK_CENSUS_NO_FACTS) == HK_CENSUS_NO_FACTS) return 0;
    if (census->count == census->capacity && !grow_rows(census)) return 0;
    // Full to the last place, the search would not end.
    if (census->count + 1 == census->mask) return 0;
    if (kind_of(key) == KIND_WIDE) {
        if (census->wide_count == census->wide_capacity) {
            size_t capacity = census->wide_capacity ? 2 * census->wide_capacity : 256;
            wide_client *wide = realloc(census->wide, capacity * sizeof *wide);
            if (!wide) return 0;
            census->wide = wide;
            census->wide_capacity = capacity;
        }
        census->wide[census->wide_count] = (wide_client){high, low};
        key |= (uint64_t)census->wide_count++ << FACTS_BITS;
    }
    census->rows[census->count++] = (census_row){key, first, last, count};
    census->index[place] = tag_of(hash) | (uint32_t)census->count;
    if (census->count * 3 > census->mask * 2) grow_index(census);
    return 1;
}

/// Adds to the row of a key wherever it stands; false when it has none and there is no room.
static __attribute__((noinline)) int add(
    hk_census *census, uint64_t hash, uint64_t high, uint64_t low, uint32_t facts, int64_t first, int64_t last,
    uint64_t count, size_t limit
) {
    uint64_t key = key_of(high, low, facts);
    for (size_t line = line_of(hash, census->mask);; line = (line + LINE) & census->mask) {
        const uint32_t *words = census->index + line;
        for (unsigned found = tags_in(words, tag_of(hash)); found; found &= found - 1) {
            census_row *row = &census->rows[(words[(unsigned)__builtin_ctz(found)] & ROW_BITS) - 1];
            if (row->key != key
                && (kind_of(key) != KIND_WIDE || !holds_wide(census, row, high, low, facts)))
                continue;
            row->first = first < row->first ? first : row->first;
            row->last = last > row->last ? last : row->last;
            row->count += count;
            return 1;
        }
        unsigned free = tags_in(words, 0);
        if (free)
            return append(
                census, line + (unsigned)__builtin_ctz(free), hash, high, low, key, first, last, count, limit);
    }
}

/// A table of 50,000 clients is larger than the caches: each row would wait for its line of the index and then for its row. So
/// the line is asked for `AHEAD` sightings before and the row `ROW_AHEAD` before, and the misses overlap with the work.
enum { AHEAD = 64, ROW_AHEAD = 32 };

/// A sighting on its way.
typedef struct {
    uint64_t hash, key;
    /// The first row of its tag, which is its row but for one in a hundred.
    uint32_t row;
} census_wait;

static inline __attribute__((always_inline)) void ask_line(
    const hk_census *census, census_wait *wait, uint64_t high, uint64_t low, uint32_t facts
) {
    wait->hash = hash_of(census->seed, high, low, facts);
    uint64_t key = key_of(high, low, facts);
    // No row has that key: a wide client is told by more than its row.
    wait->key = kind_of(key) == KIND_WIDE ? UINT64_MAX : key;
    __builtin_prefetch(&census->index[line_of(wait->hash, census->mask)]);
}

static inline __attribute__((always_inline)) void ask_row(const hk_census *census, census_wait *wait) {
    const uint32_t *line = census->index + line_of(wait->hash, census->mask);
    unsigned found = tags_in(line, tag_of(wait->hash));
    uint32_t number = line[(unsigned)__builtin_ctz(found | 1u << (LINE - 1))] & ROW_BITS;
    if (!found) wait->key = UINT64_MAX;
    wait->row = number - (number != 0);
    __builtin_prefetch(&census->rows[wait->row], 1);
}

static inline __attribute__((always_inline)) int add_asked(
    hk_census *census, const census_wait *wait, uint64_t high, uint64_t low, uint32_t facts, int64_t first, int64_t last,
    uint64_t count, size_t limit
) {
    census_row *row = &census->rows[wait->row];
    if (__builtin_expect(row->key != wait->key, 0))
        return add(census, wait->hash, high, low, facts, first, last, count, limit);
    row->first = first < row->first ? first : row->first;
    row->last = last > row->last ? last : row->last;
    row->count += count;
    return 1;
}

size_t hk_census_note(
    hk_census *census, const uint64_t *client_high, const uint64_t *client_low, const int64_t *times,
    const uint32_t *facts, const uint32_t *numbers, size_t count, size_t limit
) {
    size_t refused = 0;
    census_wait waits[AHEAD];
    for (size_t i = 0; i < count + AHEAD; i++) {
        // A ring: what is done leaves its place to what comes next.
        census_wait *wait = &waits[i % AHEAD];
        if (i >= AHEAD) {
            size_t now = i - AHEAD;
            int64_t time = times[now];
            refused += !add_asked(
                census, wait, client_high[now], client_low[now], numbers[facts[now]],
                time == INT64_MIN ? INT64_MAX : time, time, 1, limit);
        }
        if (i < count) ask_line(census, wait, client_high[i], client_low[i], numbers[facts[i]]);
        size_t row = i - ROW_AHEAD;
        if (row < count) ask_row(census, &waits[row % AHEAD]);
    }
    return refused;
}

uint64_t hk_census_merge(hk_census *census, const hk_census *other, const uint32_t *numbers, size_t limit) {
    uint64_t refused = 0;
    census_wait waits[AHEAD];
    for (size_t i = 0; i < other->count + AHEAD; i++) {
        census_wait *wait = &waits[i % AHEAD];
        uint64_t high, low;
        if (i >= AHEAD) {
            const census_row *from = &other->rows[i - AHEAD];
            client_words(other, from->key, &high, &low);
            uint32_t facts = numbers[(uint32_t)from->key & HK_CENSUS_NO_FACTS];
            if (!add_asked(census, wait, high, low, facts, from->first, from->last, from->count, limit))
                refused += from->count;
        }
        if (i < other->count) {
            client_words(other, other->rows[i].key, &high, &low);
            ask_line(census, wait, high, low, numbers[(uint32_t)other->rows[i].key & HK_CENSUS_NO_FACTS]);
        }
        size_t row = i - ROW_AHEAD;
        if (row < other->count) ask_row(census, &waits[row % AHEAD]);
    }
    return refused;
}
