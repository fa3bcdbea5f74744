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

// Receiving

/// `epoll_create1`; -1 and errno.
int hl_poller_open(void);
/// Reports `descriptor` as `token` whenever it can be read or was hung up; -1 and errno.
int hl_poller_add(int poller, int descriptor, uint64_t token);
int hl_poller_remove(int poller, int descriptor);
/// Tokens of descriptors that are ready now, without waiting; how many.
int hl_poller_ready(int poller, uint64_t *tokens, int limit);

typedef struct {
    uint8_t is_stream, is_datagram, is_listening, is_internet, is_unix;
} hl_socket;
/// What a descriptor is; -1 and errno when it is no socket.
int hl_socket_look(int descriptor, hl_socket *kind);
/// A socket bound to a numeric address, listening when it is a stream; -1 and errno.
int hl_internet_listen(const char *address, uint16_t port, int is_stream);
/// A Unix datagram socket bound to `path` with this mode; -1 and errno. What nobody reads there is replaced.
int hl_unix_datagrams(const char *path, unsigned mode);
/// Never blocks; datagrams tell what the kernel dropped before them; room for `byte_count` bytes is asked for.
void hl_receiver_prepare(int descriptor, int byte_count);

/// Room for the text of a peer's address.
enum { HL_PEER_LIMIT = 64 };
/// As `hl_accept`, without blocking on the connection either, with keep-alive. The peer's address is written to `peer`, NUL
/// at its end; empty for Unix sockets and this very machine.
int hl_accept_peer(int descriptor, char *peer);
/// The peer's address of a connected socket, as `hl_accept_peer` tells it.
void hl_peer(int descriptor, char *peer);
/// One datagram: its byte count (more than `room` when it was cut), or -1 and errno. `*dropped` becomes what the kernel
/// dropped on this socket since it was made, where it tells that.
long hl_datagram(int descriptor, void *buffer, size_t room, char *peer, uint32_t *dropped);

/// Whether `word` occurs among these bytes: memmem(3).
int hl_holds(const void *bytes, size_t count, const char *word);

/// Raises the soft limit of open files to the hard one; what it is then.
uint64_t hl_raise_open_files(void);
#endif
