/* The calls that change files. Each does what the C library does, and notes it, if the file is one that is watched. */
#define _GNU_SOURCE
#include "disk.h"

#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/uio.h>
#include <unistd.h>

#define MOST_FILES 65536
#define SECTOR 512

static char folder[PATH_MAX];
static size_t folder_length;

/* The inode of each open file that is watched; 0 is none. Of a folder, its name. */
static uint64_t watched[MOST_FILES];
static char *folders[MOST_FILES];

/* The function of the C library that one of ours stands before, looked up once. */
#define REAL(name)                                                                                                     \
    ({                                                                                                                 \
        static __typeof__(&name) found;                                                                                \
        if (!found) found = (__typeof__(&name))real(#name);                                                            \
        found;                                                                                                         \
    })

static void *real(const char *name) {
    void *symbol = dlsym(RTLD_NEXT, name);
    if (!symbol) abort();
    return symbol;
}

__attribute__((constructor)) static void begin(void) {
    const char *wanted = getenv("DISK_FOLDER"), *trace = getenv("DISK_TRACE"), *control = getenv("DISK_CONTROL");
    if (!wanted || !realpath(wanted, folder)) return;
    if (trace) trace_open(trace);
    if (control) fault_open(control);
    folder_length = strlen(folder);
}

/* The name of a path relative to the watched folder, in `name`; NULL when it does not lie there, or is no data. */
static const char *watched_name(int at, const char *path, char name[PATH_MAX]) {
    char parent[PATH_MAX], resolved[PATH_MAX];
    if (folder_length == 0 || strlen(path) >= PATH_MAX) return NULL;
    if (path[0] != '/' && at != AT_FDCWD) return NULL;
    /* The file itself need not be there; its folder has to. */
    strcpy(parent, path);
    char *slash = strrchr(parent, '/');
    const char *last = slash ? path + (slash - parent) + 1 : path;
    if (slash) *(slash == parent ? slash + 1 : slash) = 0;
    else strcpy(parent, ".");
    if (!realpath(parent, resolved)) return NULL;
    if (snprintf(name, PATH_MAX, "%s/%s", resolved, last) >= PATH_MAX) return NULL;
    if (strncmp(name, folder, folder_length) != 0) return NULL;
    if (name[folder_length] == 0) return name + folder_length;
    if (name[folder_length] != '/') return NULL;
    size_t length = strlen(name);
    if (length > 4 && strcmp(name + length - 4, "-shm") == 0) return NULL;
    return name + folder_length + 1;
}

static bool is_watched(int fd) { return fd >= 0 && fd < MOST_FILES && watched[fd]; }

static uint64_t inode_of(int fd) {
    struct stat stat;
    return fstat(fd, &stat) == 0 ? (uint64_t)stat.st_ino : 0;
}

static off_t size_of(int fd) {
    struct stat stat;
    return fstat(fd, &stat) == 0 ? stat.st_size : 0;
}

/* Opening and closing */

static int open_traced(int at, const char *path, int flags, mode_t mode) {
    char buffer[PATH_MAX];
    const char *name = watched_name(at, path, buffer);
    if (!name) return REAL(openat64)(at, path, flags, mode);
    if ((flags & O_ACCMODE) != O_RDONLY && !fault_before_open()) return -1;
    trace_lock();
    bool was_there = faccessat(at, path, F_OK, 0) == 0;
    int fd = REAL(openat64)(at, path, flags, mode);
    if (fd >= 0 && fd < MOST_FILES) {
        struct stat stat;
        fstat(fd, &stat);
        if (S_ISDIR(stat.st_mode)) {
            folders[fd] = strdup(name);
        } else {
            watched[fd] = (uint64_t)stat.st_ino;
            if (!was_there) trace_append(CREATED, watched[fd], 0, 0, name, strlen(name), NULL, 0);
            else if (flags & O_TRUNC) trace_append(CUT, watched[fd], 0, 0, NULL, 0, NULL, 0);
        }
    }
    trace_unlock();
    return fd;
}

#define OPENS(function, at, parameters)                                                                                \
    int function parameters {                                                                                          \
        mode_t mode = 0;                                                                                               \
        if (flags & (O_CREAT | O_TMPFILE)) {                                                                           \
            va_list rest;                                                                                              \
            va_start(rest, flags);                                                                                     \
            mode = va_arg(rest, mode_t);                                                                               \
            va_end(rest);                                                                                              \
        }                                                                                                              \
        return open_traced(at, path, flags, mode);                                                                     \
    }

OPENS(open, AT_FDCWD, (const char *path, int flags, ...))
OPENS(open64, AT_FDCWD, (const char *path, int flags, ...))
OPENS(openat, at, (int at, const char *path, int flags, ...))
OPENS(openat64, at, (int at, const char *path, int flags, ...))

int close(int fd) {
    if (fd >= 0 && fd < MOST_FILES) {
        watched[fd] = 0;
        free(folders[fd]);
        folders[fd] = NULL;
    }
    return REAL(close)(fd);
}

/* Writing */

/* So many of the first bytes of a write as end with a sector: neither a kill nor a disk tears what lies within one. */
static size_t whole_sectors(off_t offset, size_t count) {
    size_t behind = (size_t)(offset + (off_t)count) % SECTOR;
    return behind < count ? count - behind : 0;
}

static ssize_t write_traced(int fd, const void *bytes, size_t count, off_t offset, bool moves) {
    trace_lock();
    off_t end = offset + (off_t)count, size = size_of(fd);
    off_t growth = end <= size ? 0 : end - (size > offset ? size : offset);
    size_t may = fault_before_write(count, (size_t)growth);
    ssize_t done = may || count == 0 ? 0 : -1;
    bool dies = fault_kills();
    if (dies) may = whole_sectors(offset, may / 2);
    if (may > 0) done = REAL(pwrite64)(fd, bytes, may, offset);
    if (done > 0) {
        trace_append(WRITTEN, watched[fd], (uint64_t)offset, 0, NULL, 0, bytes, (size_t)done);
        if (moves) lseek(fd, offset + done, SEEK_SET);
    }
    if (dies) fault_die();
    trace_unlock();
    return done;
}

ssize_t write(int fd, const void *bytes, size_t count) {
    if (!is_watched(fd)) return REAL(write)(fd, bytes, count);
    bool appends = fcntl(fd, F_GETFL) & O_APPEND;
    return write_traced(fd, bytes, count, lseek(fd, 0, appends ? SEEK_END : SEEK_CUR), true);
}

ssize_t pwrite64(int fd, const void *bytes, size_t count, off_t offset) {
    if (!is_watched(fd)) return REAL(pwrite64)(fd, bytes, count, offset);
    return write_traced(fd, bytes, count, offset, false);
}

ssize_t pwrite(int fd, const void *bytes, size_t count, off_t offset) { return pwrite64(fd, bytes, count, offset); }

/* Piece by piece: a caller that is told less than it asked for goes on behind that. */
ssize_t writev(int fd, const struct iovec *parts, int count) {
    if (!is_watched(fd)) return REAL(writev)(fd, parts, count);
    for (int part = 0; part < count; part++)
        if (parts[part].iov_len) return write(fd, parts[part].iov_base, parts[part].iov_len);
    return 0;
}

/* No shortcuts past us: who is told that they don't exist here reads and writes. */
ssize_t copy_file_range(int from, off_t *from_offset, int to, off_t *to_offset, size_t count, unsigned flags) {
    if (!is_watched(to)) return REAL(copy_file_range)(from, from_offset, to, to_offset, count, flags);
    errno = EXDEV;
    return -1;
}

int ftruncate64(int fd, off_t length) {
    if (!is_watched(fd)) return REAL(ftruncate64)(fd, length);
    if (!fault_before_change()) return -1;
    trace_lock();
    if (fault_kills()) fault_die();
    int done = REAL(ftruncate64)(fd, length);
    if (done == 0) trace_append(CUT, watched[fd], (uint64_t)length, 0, NULL, 0, NULL, 0);
    trace_unlock();
    return done;
}

int ftruncate(int fd, off_t length) { return ftruncate64(fd, length); }

int posix_fallocate64(int fd, off_t offset, off_t length) {
    if (!is_watched(fd)) return REAL(posix_fallocate64)(fd, offset, length);
    off_t size = size_of(fd);
    return size < offset + length && ftruncate64(fd, offset + length) != 0 ? errno : 0;
}

int posix_fallocate(int fd, off_t offset, off_t length) { return posix_fallocate64(fd, offset, length); }

int fallocate64(int fd, int mode, off_t offset, off_t length) {
    if (!is_watched(fd)) return REAL(fallocate64)(fd, mode, offset, length);
    errno = EOPNOTSUPP;
    return -1;
}

int fallocate(int fd, int mode, off_t offset, off_t length) { return fallocate64(fd, mode, offset, length); }

/* Reading */

ssize_t read(int fd, void *bytes, size_t count) {
    if (is_watched(fd) && !fault_before_read()) return -1;
    return REAL(read)(fd, bytes, count);
}

ssize_t pread64(int fd, void *bytes, size_t count, off_t offset) {
    if (is_watched(fd) && !fault_before_read()) return -1;
    return REAL(pread64)(fd, bytes, count, offset);
}

ssize_t pread(int fd, void *bytes, size_t count, off_t offset) { return pread64(fd, bytes, count, offset); }

/* Syncing: what counts is what had been done when the sync began, and that it came to its end. */

static int sync_traced(int fd, int (*sync_really)(int)) {
    bool is_folder = fd >= 0 && fd < MOST_FILES && folders[fd];
    if (!is_folder && !is_watched(fd)) return sync_really(fd);
    trace_lock();
    uint64_t before = trace_length();
    bool dies = fault_kills();
    trace_unlock();
    if (dies) fault_die();
    if (!fault_before_sync()) return -1;
    int done = sync_really(fd);
    if (done != 0) return done;
    trace_lock();
    if (is_folder) trace_append(FOLDER_SYNCED, inode_of(fd), 0, before, folders[fd], strlen(folders[fd]), NULL, 0);
    else trace_append(SYNCED, watched[fd], 0, before, NULL, 0, NULL, 0);
    trace_unlock();
    return 0;
}

int fsync(int fd) { return sync_traced(fd, REAL(fsync)); }
int fdatasync(int fd) { return sync_traced(fd, REAL(fdatasync)); }

/* A range that was written out is no promise: the disk may still hold it back. Nothing is noted. */

/* Names */

static int rename_traced(int from_at, const char *from, int to_at, const char *to) {
    char from_buffer[PATH_MAX], to_buffer[PATH_MAX], names[2 * PATH_MAX];
    const char *old = watched_name(from_at, from, from_buffer), *new = watched_name(to_at, to, to_buffer);
    if (!old || !new) return REAL(renameat)(from_at, from, to_at, to);
    if (!fault_before_change()) return -1;
    trace_lock();
    if (fault_kills()) fault_die();
    int done = REAL(renameat)(from_at, from, to_at, to);
    if (done == 0) {
        size_t length = (size_t)snprintf(names, sizeof names, "%s%c%s", old, 0, new);
        trace_append(RENAMED, 0, 0, 0, names, length, NULL, 0);
    }
    trace_unlock();
    return done;
}

int rename(const char *from, const char *to) { return rename_traced(AT_FDCWD, from, AT_FDCWD, to); }
int renameat(int from_at, const char *from, int to_at, const char *to) { return rename_traced(from_at, from, to_at, to); }

static int remove_traced(int at, const char *path, int flags) {
    char buffer[PATH_MAX];
    const char *name = watched_name(at, path, buffer);
    if (!name) return REAL(unlinkat)(at, path, flags);
    if (!fault_before_change()) return -1;
    trace_lock();
    if (fault_kills()) fault_die();
    int done = REAL(unlinkat)(at, path, flags);
    if (done == 0) trace_append(REMOVED, 0, 0, 0, name, strlen(name), NULL, 0);
    trace_unlock();
    return done;
}

int unlink(const char *path) { return remove_traced(AT_FDCWD, path, 0); }
int rmdir(const char *path) { return remove_traced(AT_FDCWD, path, AT_REMOVEDIR); }
int unlinkat(int at, const char *path, int flags) { return remove_traced(at, path, flags); }

int mkdir(const char *path, mode_t mode) {
    char buffer[PATH_MAX];
    const char *name = watched_name(AT_FDCWD, path, buffer);
    if (!name) return REAL(mkdir)(path, mode);
    if (!fault_before_change()) return -1;
    trace_lock();
    int done = REAL(mkdir)(path, mode);
    if (done == 0) trace_append(FOLDER, 0, 0, 0, name, strlen(name), NULL, 0);
    trace_unlock();
    return done;
}
