// What Swift's view of the C library leaves out, as plain functions.
#ifndef HANDSHAKED_CLINUX_H
#define HANDSHAKED_CLINUX_H
#include <stddef.h>
#include <stdint.h>

// inotify(7)

/// `inotify_init1` without blocking, closed on exec; -1 and errno.
int hl_inotify_open(void);
/// Watches a folder for what happens to its entries; the watch's number, or -1 and errno.
int hl_inotify_watch(int descriptor, const char *path);

/// One event of a buffer that `read` filled from an inotify descriptor.
typedef struct {
    int watch;
    uint32_t cookie;
    /// The entry's name, of `name_count` bytes; none for events of the folder itself.
    const char *name;
    size_t name_count;
    uint8_t is_overflow, is_folder, is_gone, is_moved_from, is_moved_to, is_created, is_deleted, is_modified;
} hl_event;
/// Reads the event at `buffer` and returns the bytes it took; 0 when fewer than an event are left.
size_t hl_inotify_event(const void *buffer, size_t count, hl_event *event);

/// Whether changes made elsewhere raise no event on the file system of `path` (network, FUSE); the name of its kind is
/// left in `*kind`. -1 and errno when it cannot be told.
int hl_is_remote(const char *path, const char **kind);

// Signals and sockets

/// Takes SIGTERM, SIGINT and SIGHUP, whatever thread they meet; a descriptor that tells them. -1 and errno.
int hl_signal_open(void);
/// The next signal, 0 when there is none.
int hl_signal_next(int descriptor);

/// A listening Unix stream socket at `path` with this mode; -1 and errno. A stale socket there is replaced.
int hl_unix_listen(const char *path, unsigned mode);
/// Connects to a Unix stream socket; -1 and errno.
int hl_unix_connect(const char *path);
/// The next connection of a listening socket, without blocking; -1 and errno.
int hl_accept(int descriptor);
#endif
