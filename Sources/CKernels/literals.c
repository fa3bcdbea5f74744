#include "literal_set.h"
#include <stdlib.h>

void hk_literals_free(hk_literals *set) {
    if (!set) return;
    free(set->slots);
    free(set->bytes);
    free(set->starts);
    free(set->windows);
    free(set->entries);
    free(set);
}

static size_t key_length(const hk_literals *set, size_t literal) {
    size_t rest = set->starts[literal + 1] - set->starts[literal] - set->windows[literal];
    return rest < 4 ? rest : 4;
}

static uint32_t key_of(const hk_literals *set, size_t literal) {
    const uint8_t *window = set->bytes + set->starts[literal] + set->windows[literal];
    uint32_t key = 0;
    for (size_t i = 0; i < key_length(set, literal); i++) key |= (uint32_t)window[i] << 8 * i;
    return key;
}

/// The slot of a key, or the free one where it belongs.
static literal_slot *find_slot(const hk_literals *set, uint32_t key) {
    uint32_t slot = literal_hash(key, set->slot_shift);
    while (set->slots[slot].first != set->slots[slot].last && set->slots[slot].key != key)
        slot = (slot + 1) & set->slot_mask;
    return &set->slots[slot];
}

static void enter(const hk_literals *set, size_t literal, literal_entry *entry) {
    const uint8_t *bytes = set->bytes + set->starts[literal];
    size_t size = set->starts[literal + 1] - set->starts[literal], offset = set->windows[literal];
    entry->literal = (uint32_t)literal;
    entry->offset = (uint8_t)offset;
    entry->size = (uint8_t)size;
    memcpy(entry->front, bytes, size < sizeof entry->front ? size : sizeof entry->front);
}

static void enter_sieve(hk_literals *set, size_t literal) {
    const uint8_t *window = set->bytes + set->starts[literal] + set->windows[literal];
    size_t rest = set->starts[literal + 1] - set->starts[literal] - set->windows[literal];
    uint64_t word = 0;
    for (size_t i = 0; i < HK_WINDOW && i < rest; i++) word |= (uint64_t)window[i] << 8 * i;
    uint32_t whole = literal_sieve_hash(word << 16), part = literal_sieve_hash((uint64_t)(uint32_t)word);
    if (rest >= HK_WINDOW) set->whole_sieve[whole / 64] |= 1ULL << whole % 64;
    else set->part_sieve[part / 64] |= 1ULL << part % 64;
}

static void admit(literal_classes *classes, uint8_t byte, uint8_t bucket) {
    classes->exact[byte] |= bucket;
    classes->folded[(byte & 0x1F) | (byte & 0x40) >> 1] |= bucket;
    classes->low[byte & 15] |= bucket;
    classes->high[byte >> 4] |= bucket;
}

hk_literals *hk_literals_make(
    const uint8_t *bytes, const uint32_t *ends, const uint8_t *windows, const uint8_t *buckets, size_t count
) {
    // `calloc` does not promise the alignment of the tables.
    hk_literals *set = aligned_alloc(_Alignof(hk_literals), sizeof *set);
    if (set) memset(set, 0, sizeof *set);
    if (!set || count == 0) goto failed;
    size_t size = ends[count - 1];
    uint32_t bits = 8;
    while ((1u << bits) < 4 * count) bits++;
    set->count = count;
    set->group_count = 1;
    set->shortest = 255;
    set->slot_shift = 32 - bits;
    set->slot_mask = (1u << bits) - 1;
    set->slots = calloc(1u << bits, sizeof *set->slots);
    set->bytes = malloc(size);
    set->starts = malloc((count + 1) * sizeof *set->starts);
    set->windows = malloc(count);
    set->entries = aligned_alloc(_Alignof(literal_entry), count * sizeof *set->entries);
    if (!set->slots || !set->bytes || !set->starts || !set->windows || !set->entries) goto failed;
    memset(set->entries, 0, count * sizeof *set->entries);
    memcpy(set->bytes, bytes, size);
    memcpy(set->windows, windows, count);
    set->starts[0] = 0;
    memcpy(set->starts + 1, ends, count * sizeof *ends);

    // How many literals each key has, where those of each begin, then the literals themselves.
    for (size_t i = 0; i < count; i++) {
        literal_slot *slot = find_slot(set, key_of(set, i));
        slot->key = key_of(set, i);
        slot->last++;
        set->key_lengths |= 1u << key_length(set, i);
        enter_sieve(set, i);
    }
    if (set->key_lengths & 0xF) memset(set->part_sieve, 0xFF, sizeof set->part_sieve);
    uint32_t *next = malloc((set->slot_mask + 1) * sizeof *next);
    if (!next) goto failed;
    uint32_t begin = 0;
    for (uint32_t i = 0; i <= set->slot_mask; i++) {
        uint32_t length = set->slots[i].last;
        set->slots[i].first = next[i] = begin;
        set->slots[i].last = begin += length;
    }
    for (size_t i = 0; i < count; i++) enter(set, i, &set->entries[next[find_slot(set, key_of(set, i)) - set->slots]++]);
    free(next);

    for (size_t i = 0; i < count; i++) {
        const uint8_t *literal = set->bytes + set->starts[i];
        size_t length = set->starts[i + 1] - set->starts[i];
        if (length < set->shortest) set->shortest = length;
        uint8_t bucket = (uint8_t)(1u << (buckets[i] & 7));
        if (buckets[i] >= 8) set->group_count = HK_BUCKETS / 8;
        for (size_t k = 0; k < HK_WINDOW; k++) {
            literal_classes *classes = &set->classes[buckets[i] >> 3][k];
            size_t place = windows[i] + k;
            if (place >= length) {
                // Nothing is asked here.
                for (int half = 0; half < 16; half++) {
                    classes->low[half] |= bucket;
                    classes->high[half] |= bucket;
                }
                for (int byte = 0; byte < 256; byte++) classes->exact[byte] |= bucket;
                for (int byte = 0; byte < 64; byte++) classes->folded[byte] |= bucket;
                continue;
            }
            uint8_t byte = literal[place];
            admit(classes, byte, bucket);
            if (byte >= 'a' && byte <= 'z') admit(classes, byte - 0x20, bucket);
        }
    }
    for (int byte = 0; byte < 256; byte++) {
        for (int k = 0; k < HK_WINDOW; k++) {
            uint64_t buckets = set->classes[0][k].exact[byte] | (uint64_t)set->classes[1][k].exact[byte] << 8;
            if (k < 4) set->head[byte] |= buckets << 16 * k;
            else set->tail[byte] |= (uint32_t)(buckets << 16 * (k - 4));
        }
    }
    return set;
failed:
    hk_literals_free(set);
    return NULL;
}
