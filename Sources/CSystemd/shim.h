// Without this, sd_journal_sendv() is a macro that adds the place in the C source; what we send has its own fields.
#define SD_JOURNAL_SUPPRESS_LOCATION 1
#include <sys/eventfd.h>
#include <systemd/sd-daemon.h>
#include <systemd/sd-id128.h>
#include <systemd/sd-journal.h>
