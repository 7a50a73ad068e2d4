/* Makes fsync and fdatasync take some milliseconds longer, as they do on a disk that is not a fast one. Preloaded by the
 * benchmark into the measured program alone; compiled by it with the system's C compiler. */
#define _GNU_SOURCE
#include <dlfcn.h>
#include <stdlib.h>
#include <time.h>

static void wait_a_little(void) {
    const char *text = getenv("SLOW_FSYNC_MICROS");
    long micros = text ? strtol(text, NULL, 10) : 0;
    struct timespec span = {micros / 1000000, micros % 1000000 * 1000};
    nanosleep(&span, NULL);
}

int fsync(int file) {
    int (*real)(int) = (int (*)(int))dlsym(RTLD_NEXT, "fsync");
    wait_a_little();
    return real(file);
}

int fdatasync(int file) {
    int (*real)(int) = (int (*)(int))dlsym(RTLD_NEXT, "fdatasync");
    wait_a_little();
    return real(file);
}
