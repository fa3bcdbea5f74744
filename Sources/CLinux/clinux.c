#define _GNU_SOURCE
#include "clinux.h"
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <string.h>
#include <sys/inotify.h>
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
    mode_t before = umask(0777 & ~mode);
    int status = bind(descriptor, (struct sockaddr *)&address, sizeof address);
    umask(before);
    if (status != 0 || listen(descriptor, 64) != 0) {
        int saved = errno;
        close(descriptor);
        errno = saved;
        return -1;
    }
    return descriptor;
}

int hl_accept(int descriptor) { return accept4(descriptor, NULL, NULL, SOCK_CLOEXEC); }
