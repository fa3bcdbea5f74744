#include "event_lines.h"

/// The first `count` of 48 bytes from `first + 48 - count` on.
static const uint8_t first[96] = {
    0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF,
    0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF,
    0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF};

/// hk_event_kind_is without a branch for each length: 48 bytes at `provider` and 8 at `id` may be loaded.
static inline int is_kind(
    const hk_event_kind *kind, const uint8_t *provider, size_t provider_count, const uint8_t *id, size_t id_count
) {
    if (kind->provider_count != provider_count || kind->id_count != id_count) return 0;
    uint64_t other = 0;
    for (size_t i = 0; i < 56; i += 8) {
        uint64_t text, kept, mask;
        memcpy(&text, i < 48 ? provider + i : id, 8);
        memcpy(&kept, (const uint8_t *)kind + i, 8);
        memcpy(&mask, i < 48 ? first + 48 - provider_count + i : first + 48 - id_count, 8);
        other |= (text & mask) ^ kept;
    }
    return !other;
}

size_t hk_event_kinds_mark(
    hk_event_gate *gates, const hk_event_kind *kinds, uint64_t seed, const uint8_t *bytes, const uint16_t *marks,
    hk_event_line *events, size_t count, size_t index
) {
    for (; index < count; index++) {
        hk_event_line *event = &events[index];
        hk_event_gate *gate = &gates[event->layout];
        if (gate->state != 2) {
            if (!gate->state) return index;
            continue;
        }
        const uint16_t *own = marks + event->marks;
        const uint8_t *base = bytes + event->base;
        const uint8_t *provider = base + own[gate->provider.first] + gate->provider.lead;
        const uint8_t *id = base + own[gate->id.first] + gate->id.lead;
        size_t provider_count = (size_t)(base + own[gate->provider.last] - gate->provider.trail - provider);
        size_t id_count = (size_t)(base + own[gate->id.last] - gate->id.trail - id);
        const hk_event_kind *kind = &kinds[gate->latest];
        if (!is_kind(kind, provider, provider_count, id, id_count)) {
            kind = hk_event_kind_place(
                kinds + (gate->is_xml ? HK_EVENT_KINDS : 0), HK_EVENT_KINDS - 1, seed, provider, provider_count, id,
                id_count);
            // Empty or too long: of these nothing is kept.
            if (!kind) continue;
            if (!hk_event_kind_is(kind, provider, provider_count, id, id_count)) return index;
            gate->latest = (uint16_t)(kind - kinds);
        }
        event->is_unasked = kind->verdict == 1;
    }
    return index;
}

size_t hk_event_values(
    const hk_event_value *values, size_t count, const uint16_t *marks, const uint8_t *base, uint8_t *out,
    size_t capacity
) {
    size_t n = 0;
    for (size_t k = 0; k < count; k++) {
        const uint8_t *value = base + marks[values[k].first] + values[k].lead;
        ptrdiff_t length = base + marks[values[k].last] - values[k].trail - value;
        if (length < 0) length = 0;
        if (capacity - n < 32 || (size_t)length > capacity - n - 32) return 0;
        uint16_t written = (uint16_t)length;
        memcpy(out + n, &written, sizeof written);
        n += sizeof written;
        for (ptrdiff_t i = 0; i < length; i += 16) memcpy(out + n + i, value + i, 16);
        n += (size_t)length;
    }
    return n;
}
