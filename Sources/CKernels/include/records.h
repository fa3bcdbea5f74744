// Records and candidates as Swift keeps them (`RecordSlot`, `Candidate`): the kernels write and read them where they lie. That
// the fields stand at these places is checked at start (`RecordLayout`).
#ifndef HANDSHAKED_RECORDS_H
#define HANDSHAKED_RECORDS_H
#include <stdint.h>

typedef struct {
    uint8_t format, is_torn;
    uint32_t origin, start, end, message_start, message_end;
    int16_t known_bias;
    uint32_t line, event;
    uint8_t is_unasked;
} hk_record;

typedef struct {
    uint32_t record, signature;
} hk_candidate;

/// `hk_record.format`.
#define HK_FORMAT_LINE 0
#define HK_FORMAT_CMTRACE 1
#define HK_FORMAT_SIMPLE 2
/// `hk_record.known_bias` when none was seen, and `hk_record.event` of what is no event.
#define HK_NO_KNOWN_BIAS INT16_MIN
#define HK_NO_EVENT UINT32_MAX
#endif
