/* The trace: records in the order in which they took effect, appended to one file. */
#define _GNU_SOURCE
#include "disk.h"

#include <fcntl.h>
#include <pthread.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <sys/uio.h>
#include <time.h>
#include <unistd.h>

static int trace = -1;
static uint64_t length;
/* Held while something is done and noted, so that the order of the records is that of the changes. */
static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;

void trace_open(const char *path) {
    struct stat stat;
    trace = open(path, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0600);
    if (trace >= 0 && fstat(trace, &stat) == 0) length = (uint64_t)stat.st_size;
}

void trace_lock(void) { pthread_mutex_lock(&lock); }
void trace_unlock(void) { pthread_mutex_unlock(&lock); }
uint64_t trace_length(void) { return length; }

void trace_append(enum kind kind, uint64_t file, uint64_t offset, uint64_t before, const char *names, size_t name_bytes,
                  const void *bytes, size_t count) {
    if (trace < 0) return;
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    struct record record = {
        .magic = RECORD_MAGIC,
        .kind = kind,
        .nanoseconds = (uint64_t)now.tv_sec * 1000000000u + (uint64_t)now.tv_nsec,
        .file = file,
        .offset = offset,
        .before = before,
        .names = (uint32_t)name_bytes,
        .bytes = (uint32_t)count,
    };
    struct iovec parts[3] = {
        {.iov_base = &record, .iov_len = sizeof record},
        {.iov_base = (void *)names, .iov_len = name_bytes},
        {.iov_base = (void *)bytes, .iov_len = count},
    };
    size_t whole = sizeof record + name_bytes + count;
    /* A trace with a hole proves nothing: rather no service than a wrong proof. */
    if (writev(trace, parts, 3) != (ssize_t)whole) abort();
    length += whole;
}
