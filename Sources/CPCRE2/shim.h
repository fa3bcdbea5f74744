#define PCRE2_CODE_UNIT_WIDTH 8
#include <pcre2.h>
#include <stdint.h>

// Values and names that the Swift importer does not take from macros.
static inline uint32_t hk_pcre2_extra_options(void) { return 0; }
static const size_t hk_pcre2_zero_terminated = PCRE2_ZERO_TERMINATED;
static const size_t hk_pcre2_unset = PCRE2_UNSET;
