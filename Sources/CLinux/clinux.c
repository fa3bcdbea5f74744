#define _GNU_SOURCE
#include "clinux.h"
#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <signal.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/inotify.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <sys/vfs.h>
#include <unistd.h>

int hl_inotify_open(void) { return inotify_init1(IN_NONBLOCK | IN_CLOEXEC); }

int hl_inotify_watch(int descriptor, const char *path) {
    return inotify_add_watch(
        descriptor, path,
        IN_CREATE | IN_MODIFY | IN_MOVED_FROM | IN_MOVED_TO | IN_DELETE | IN_DELETE_SELF | IN_MOVE_SELF | IN_ONLYDIR
            | IN_EXCL_UNLINK);
}

size_t hl_inotify_event(const void *buffer, size_t count, hl_event *event) {
    struct inotify_event header;
    if (count < sizeof header) return 0;
    memcpy(&header, buffer, sizeof header);
    if (count - sizeof header < header.len) return 0;
    const char *name = (const char *)buffer + sizeof header;
    *event = (hl_event){
        .watch = header.wd,
        .cookie = header.cookie,
        .name = name,
        .name_count = header.len ? strnlen(name, header.len) : 0,
        .is_overflow = (header.mask & IN_Q_OVERFLOW) != 0,
        .is_folder = (header.mask & IN_ISDIR) != 0,
        .is_gone = (header.mask & (IN_IGNORED | IN_DELETE_SELF | IN_MOVE_SELF | IN_UNMOUNT)) != 0,
        .is_moved_from = (header.mask & IN_MOVED_FROM) != 0,
        .is_moved_to = (header.mask & IN_MOVED_TO) != 0,
        .is_created = (header.mask & IN_CREATE) != 0,
        .is_deleted = (header.mask & IN_DELETE) != 0,
        .is_modified = (header.mask & IN_MODIFY) != 0,
    };
    return sizeof header + header.len;
}

int hl_is_remote(const char *path, const char **kind) {
    // Source: statfs(2), linux/magic.h.
    static const struct {
        uint32_t magic;
        const char *kind;
    } remote[] = {
        {0x6969, "NFS"},          {0x517B, "SMB"},      {0xFF534D42, "CIFS"}, {0xFE534D42, "SMB2"},
        {0x65735546, "FUSE"},     {0x01021997, "9P"},   {0x73757245, "Coda"}, {0x5346414F, "AFS"},
        {0x00C36400, "CephFS"},   {0x7461636F, "OCFS2"},
    };
    struct statfs info;
    if (statfs(path, &info) != 0) return -1;
    for (size_t i = 0; i < sizeof remote / sizeof remote[0]; i++) {
        if ((uint32_t)info.f_type == remote[i].magic) {
            *kind = remote[i].kind;
            return 1;
        }
    }
    *kind = "local";
    return 0;
}

static int signal_pipe[2] = {-1, -1};

// Whatever thread a signal meets: it is written down, and the service reads it among its other events.
static void write_signal(int number) {
    int saved = errno;
    unsigned char byte = (unsigned char)number;
    ssize_t ignored = write(signal_pipe[1], &byte, 1);
    (void)ignored;
    errno = saved;
}

int hl_signal_open(void) {
    if (signal_pipe[0] < 0 && pipe2(signal_pipe, O_NONBLOCK | O_CLOEXEC) != 0) return -1;
    struct sigaction action;
    memset(&action, 0, sizeof action);
    action.sa_handler = write_signal;
    action.sa_flags = SA_RESTART;
    sigset_t set;
    sigemptyset(&set);
    const int numbers[] = {SIGTERM, SIGINT, SIGHUP};
    for (int i = 0; i < 3; i++) {
        sigaction(numbers[i], &action, NULL);
        sigaddset(&set, numbers[i]);
    }
    // Whoever started us may have blocked them.
    pthread_sigmask(SIG_UNBLOCK, &set, NULL);
    return signal_pipe[0];
}

int hl_signal_next(int descriptor) {
    unsigned char byte;
    return read(descriptor, &byte, 1) == 1 ? byte : 0;
}

static int address_of(const char *path, struct sockaddr_un *address) {
    memset(address, 0, sizeof *address);
    address->sun_family = AF_UNIX;
    if (strlen(path) >= sizeof address->sun_path) {
        errno = ENAMETOOLONG;
        return -1;
    }
    strcpy(address->sun_path, path);
    return 0;
}

int hl_unix_connect(const char *path) {
    struct sockaddr_un address;
    if (address_of(path, &address) != 0) return -1;
    int descriptor = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
    if (descriptor < 0) return -1;
    if (connect(descriptor, (struct sockaddr *)&address, sizeof address) != 0) {
        int saved = errno;
        close(descriptor);
        errno = saved;
        return -1;
    }
    return descriptor;
}

/// Binds a socket whose file has this mode and never a wider one. The file is made with the mode of the socket less the umask,
/// which stays what it is: other threads make files meanwhile, and start programs.
static int bind_with_mode(int descriptor, const struct sockaddr_un *address, unsigned mode) {
    if (fchmod(descriptor, mode) != 0) return -1;
    if (bind(descriptor, (const struct sockaddr *)address, sizeof *address) != 0) return -1;
    if (chmod(address->sun_path, mode) == 0) return 0;
    int saved = errno;
    unlink(address->sun_path);
    errno = saved;
    return -1;
}

int hl_unix_listen(const char *path, unsigned mode) {
    struct sockaddr_un address;
    if (address_of(path, &address) != 0) return -1;
    // Only a socket that nobody answers is taken away.
    int other = hl_unix_connect(path);
    if (other >= 0) {
        close(other);
        errno = EADDRINUSE;
        return -1;
    }
    struct stat info;
    if (lstat(path, &info) == 0 && S_ISSOCK(info.st_mode)) unlink(path);
    int descriptor = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
    if (descriptor < 0) return -1;
    if (bind_with_mode(descriptor, &address, mode) != 0 || listen(descriptor, 64) != 0) {
        int saved = errno;
        close(descriptor);
        errno = saved;
        return -1;
    }
    return descriptor;
}

int hl_accept(int descriptor) { return accept4(descriptor, NULL, NULL, SOCK_CLOEXEC); }

int hl_poller_open(void) { return epoll_create1(EPOLL_CLOEXEC); }

int hl_poller_add(int poller, int descriptor, uint64_t token) {
    struct epoll_event event = {.events = EPOLLIN | EPOLLRDHUP, .data.u64 = token};
    return epoll_ctl(poller, EPOLL_CTL_ADD, descriptor, &event);
}

int hl_poller_remove(int poller, int descriptor) { return epoll_ctl(poller, EPOLL_CTL_DEL, descriptor, NULL); }

int hl_poller_ready(int poller, uint64_t *tokens, int limit) {
    struct epoll_event events[256];
    if (limit > 256) limit = 256;
    int count = epoll_wait(poller, events, limit, 0);
    for (int i = 0; i < count; i++) tokens[i] = events[i].data.u64;
    return count < 0 ? 0 : count;
}

int hl_socket_look(int descriptor, hl_socket *kind) {
    int type = 0, listening = 0;
    socklen_t size = sizeof type;
    if (getsockopt(descriptor, SOL_SOCKET, SO_TYPE, &type, &size) != 0) return -1;
    size = sizeof listening;
    if (getsockopt(descriptor, SOL_SOCKET, SO_ACCEPTCONN, &listening, &size) != 0) listening = 0;
    struct sockaddr_storage address = {0};
    size = sizeof address;
    if (getsockname(descriptor, (struct sockaddr *)&address, &size) != 0) return -1;
    *kind = (hl_socket){
        .is_stream = type == SOCK_STREAM,
        .is_datagram = type == SOCK_DGRAM,
        .is_listening = listening != 0,
        .is_internet = address.ss_family == AF_INET || address.ss_family == AF_INET6,
        .is_unix = address.ss_family == AF_UNIX,
    };
    return 0;
}

// Closes after a failed call and keeps its error number.
static int given_up(int descriptor) {
    int saved = errno;
    close(descriptor);
    errno = saved;
    return -1;
}

int hl_internet_listen(const char *address, uint16_t port, int is_stream) {
    struct sockaddr_in v4 = {.sin_family = AF_INET, .sin_port = htons(port)};
    struct sockaddr_in6 v6 = {.sin6_family = AF_INET6, .sin6_port = htons(port)};
    const int is_v6 = strchr(address, ':') != NULL;
    const int parsed = is_v6 ? inet_pton(AF_INET6, address, &v6.sin6_addr) : inet_pton(AF_INET, address, &v4.sin_addr);
    if (parsed != 1) {
        errno = EINVAL;
        return -1;
    }
    int descriptor = socket(
        is_v6 ? AF_INET6 : AF_INET, (is_stream ? SOCK_STREAM : SOCK_DGRAM) | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
    if (descriptor < 0) return -1;
    int one = 1;
    if (is_stream) setsockopt(descriptor, SOL_SOCKET, SO_REUSEADDR, &one, sizeof one);
    const int status = is_v6 ? bind(descriptor, (struct sockaddr *)&v6, sizeof v6)
                             : bind(descriptor, (struct sockaddr *)&v4, sizeof v4);
    if (status != 0 || (is_stream && listen(descriptor, 1024) != 0)) return given_up(descriptor);
    return descriptor;
}

int hl_unix_datagrams(const char *path, unsigned mode) {
    struct sockaddr_un address;
    if (address_of(path, &address) != 0) return -1;
    int descriptor = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
    if (descriptor < 0) return -1;
    struct stat info;
    if (lstat(path, &info) == 0 && S_ISSOCK(info.st_mode)) {
        if (connect(descriptor, (struct sockaddr *)&address, sizeof address) == 0) {
            errno = EADDRINUSE;
            return given_up(descriptor);
        }
        unlink(path);
    }
    return bind_with_mode(descriptor, &address, mode) == 0 ? descriptor : given_up(descriptor);
}

void hl_receiver_prepare(int descriptor, int byte_count) {
    int flags = fcntl(descriptor, F_GETFL);
    if (flags >= 0) fcntl(descriptor, F_SETFL, flags | O_NONBLOCK);
    int one = 1;
    setsockopt(descriptor, SOL_SOCKET, SO_RXQ_OVFL, &one, sizeof one);
    int have = 0;
    socklen_t size = sizeof have;
    if (getsockopt(descriptor, SOL_SOCKET, SO_RCVBUF, &have, &size) == 0 && have < byte_count)
        setsockopt(descriptor, SOL_SOCKET, SO_RCVBUF, &byte_count, sizeof byte_count);
}

static void peer_text(const struct sockaddr_storage *address, char *peer) {
    peer[0] = 0;
    if (address->ss_family == AF_INET) {
        const struct sockaddr_in *v4 = (const struct sockaddr_in *)address;
        if (ntohl(v4->sin_addr.s_addr) >> 24 != 127) inet_ntop(AF_INET, &v4->sin_addr, peer, HL_PEER_LIMIT);
    } else if (address->ss_family == AF_INET6) {
        const struct in6_addr *v6 = &((const struct sockaddr_in6 *)address)->sin6_addr;
        if (IN6_IS_ADDR_V4MAPPED(v6)) {
            if (v6->s6_addr[12] != 127) inet_ntop(AF_INET, v6->s6_addr + 12, peer, HL_PEER_LIMIT);
        } else if (!IN6_IS_ADDR_LOOPBACK(v6)) {
            inet_ntop(AF_INET6, v6, peer, HL_PEER_LIMIT);
        }
    }
}

int hl_accept_peer(int descriptor, char *peer) {
    struct sockaddr_storage address = {0};
    socklen_t size = sizeof address;
    int connection = accept4(descriptor, (struct sockaddr *)&address, &size, SOCK_CLOEXEC | SOCK_NONBLOCK);
    if (connection < 0) return -1;
    int one = 1;
    setsockopt(connection, SOL_SOCKET, SO_KEEPALIVE, &one, sizeof one);
    peer_text(&address, peer);
    return connection;
}

void hl_peer(int descriptor, char *peer) {
    struct sockaddr_storage address = {0};
    socklen_t size = sizeof address;
    peer[0] = 0;
    if (getpeername(descriptor, (struct sockaddr *)&address, &size) == 0) peer_text(&address, peer);
}

long hl_datagram(int descriptor, void *buffer, size_t room, char *peer, uint32_t *dropped) {
    struct sockaddr_storage address = {0};
    struct iovec vector = {buffer, room};
    union {
        char bytes[CMSG_SPACE(sizeof(uint32_t)) + 64];
        struct cmsghdr alignment;
    } control;
    struct msghdr message = {
        .msg_name = &address,
        .msg_namelen = sizeof address,
        .msg_iov = &vector,
        .msg_iovlen = 1,
        .msg_control = control.bytes,
        .msg_controllen = sizeof control.bytes,
    };
    // MSG_TRUNC: the length as it was sent.
    long count = recvmsg(descriptor, &message, MSG_DONTWAIT | MSG_TRUNC);
    if (count < 0) return -1;
    for (struct cmsghdr *part = CMSG_FIRSTHDR(&message); part; part = CMSG_NXTHDR(&message, part)) {
        if (part->cmsg_level == SOL_SOCKET && part->cmsg_type == SO_RXQ_OVFL)
            memcpy(dropped, CMSG_DATA(part), sizeof *dropped);
    }
    peer_text(&address, peer);
    return count;
}

int hl_holds(const void *bytes, size_t count, const char *word) { return memmem(bytes, count, word, strlen(word)) != NULL; }

uint64_t hl_raise_open_files(void) {
    struct rlimit limit;
    if (getrlimit(RLIMIT_NOFILE, &limit) != 0) return 1024;
    limit.rlim_cur = limit.rlim_max;
    if (setrlimit(RLIMIT_NOFILE, &limit) != 0) getrlimit(RLIMIT_NOFILE, &limit);
    return limit.rlim_cur;
}
