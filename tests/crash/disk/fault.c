/* What goes wrong: the control page, and the decisions that follow from it. */
#define _GNU_SOURCE
#include "disk.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdatomic.h>
#include <sys/mman.h>
#include <unistd.h>

static struct control *control;

void fault_open(const char *path) {
    int fd = open(path, O_RDWR | O_CLOEXEC);
    if (fd < 0) return;
    void *page = mmap(NULL, sizeof *control, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
    if (page != MAP_FAILED) control = page;
    close(fd);
}

static void count(uint64_t *counter) { __atomic_add_fetch(counter, 1, __ATOMIC_RELAXED); }

/* Takes one from a counter that stays at zero; whether there was one. */
static bool take(uint64_t *counter) {
    uint64_t left = __atomic_load_n(counter, __ATOMIC_RELAXED);
    while (left > 0)
        if (__atomic_compare_exchange_n(counter, &left, left - 1, true, __ATOMIC_RELAXED, __ATOMIC_RELAXED)) return true;
    return false;
}

static bool passes(struct fault *fault) {
    uint64_t error = __atomic_load_n(&fault->error, __ATOMIC_RELAXED);
    if (error == 0 || take(&fault->skip)) return true;
    count(&control->failures);
    errno = (int)error;
    return false;
}

size_t fault_before_write(size_t length, size_t growth) {
    if (!control) return length;
    count(&control->writes);
    if (!passes(&control->write)) return 0;
    uint64_t room = __atomic_load_n(&control->room, __ATOMIC_RELAXED), taken;
    if (room == UINT64_MAX || growth == 0) return length;
    do taken = growth < room ? growth : room;
    while (!__atomic_compare_exchange_n(&control->room, &room, room - taken, true, __ATOMIC_RELAXED, __ATOMIC_RELAXED));
    if (taken == growth) return length;
    count(&control->failures);
    /* As a disk does: what fits is written, and the rest is refused by the next call. */
    size_t fits = length - (growth - taken);
    if (fits == 0) errno = ENOSPC;
    return fits;
}

bool fault_before_sync(void) {
    if (!control) return true;
    count(&control->syncs);
    uint64_t delay = __atomic_load_n(&control->sync_delay, __ATOMIC_RELAXED);
    if (delay) usleep((useconds_t)delay);
    return passes(&control->sync);
}

bool fault_before_open(void) { return !control || passes(&control->open); }
bool fault_before_read(void) { return !control || passes(&control->read); }
bool fault_before_change(void) { return !control || passes(&control->write); }

bool fault_kills(void) {
    return control && take(&control->kill_after) && __atomic_load_n(&control->kill_after, __ATOMIC_RELAXED) == 0;
}

void fault_die(void) {
    kill(getpid(), SIGKILL);
    for (;;) pause();
}
