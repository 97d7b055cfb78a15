/* A file layer for tests: it stands between a program and the C library (LD_PRELOAD), and sees every change that the
 * program makes to files under one folder.
 *
 * It writes each change to a trace, from which the state of the disk after a power loss can be made, and makes the disk fail
 * in ways that a control page asks for. tests/crash/trace.rs reads the trace, tests/crash/layer.rs writes the page.
 *
 *   DISK_FOLDER   the folder, absolute; without it the layer does nothing
 *   DISK_TRACE    the file that the trace is appended to; without it nothing is traced
 *   DISK_CONTROL  a file of one struct control, mapped by all who use it; without it nothing fails
 *
 * The -shm files of SQLite are left out: they are shared memory and not data.
 */
#ifndef DISK_H
#define DISK_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

/* What a record of the trace is about. */
enum kind {
    CREATED = 1,   /* a name and its file, which is new and empty */
    WRITTEN = 2,   /* bytes at an offset of a file */
    CUT = 3,       /* a file has the length `offset` from now on */
    SYNCED = 4,    /* all that happened to a file before the trace was `before` bytes long is safe */
    RENAMED = 5,   /* two names, a zero byte between them */
    REMOVED = 6,   /* a name */
    FOLDER = 7,    /* the name of a new folder */
    FOLDER_SYNCED = 8, /* names in the folder of that name that changed before the trace was `before` bytes long are safe */
};

/* The head of a record; `names` bytes and `bytes` bytes follow it. */
struct record {
    uint32_t magic;
    uint32_t kind;
    uint64_t nanoseconds; /* CLOCK_MONOTONIC */
    uint64_t file;        /* the inode */
    uint64_t offset;
    uint64_t before;
    uint32_t names;
    uint32_t bytes;
};

#define RECORD_MAGIC 0x4b534944u

/* Something that goes wrong: the operations of its kind after the next `skip` fail with `error`. */
struct fault {
    uint64_t error; /* an errno; 0 is none */
    uint64_t skip;
};

/* What the tests ask for, and what they are told. All numbers are 64 bits wide, lowest byte first. */
struct control {
    struct fault write;
    struct fault sync;
    struct fault open; /* opening to write */
    struct fault read;
    uint64_t room;       /* bytes that files may still grow by; UINT64_MAX is no bound. Beyond it: ENOSPC */
    uint64_t sync_delay; /* microseconds that every sync takes longer */
    uint64_t kill_after; /* the process is killed in the middle of that operation; 0 is never */
    uint64_t writes;     /* counted here */
    uint64_t syncs;
    uint64_t failures;
};

/* trace.c */
void trace_open(const char *path);
void trace_lock(void);
void trace_unlock(void);
uint64_t trace_length(void);
void trace_append(enum kind kind, uint64_t file, uint64_t offset, uint64_t before, const char *names, size_t name_bytes,
                  const void *bytes, size_t length);

/* fault.c */
void fault_open(const char *path);
/* How many of `length` bytes may be written that make the file `growth` bytes larger; 0 with errno set: none. */
size_t fault_before_write(size_t length, size_t growth);
/* Whether the operation may go on; false with errno set: it may not. */
bool fault_before_sync(void);
bool fault_before_open(void);
bool fault_before_read(void);
bool fault_before_change(void);
/* Whether the process dies in this operation: whoever is told so does a half of it and calls fault_die. */
bool fault_kills(void);
void fault_die(void) __attribute__((noreturn));

#endif
