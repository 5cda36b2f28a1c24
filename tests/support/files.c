/* Sees the calls by which a process changes files below one directory. Preloaded (LD_PRELOAD); nothing of this is in the program
 * that is tested. Two uses:
 *
 * FILES_ORDERS: counts the calls and makes one of them fail; files.rs beside it gives the orders, through a small file that both
 * have open. Writes to one file with nothing between them count as one call, unless FILES_EVERY is set.
 *
 * FILES_WITNESS: a socket of somebody who is told of each call before it has an effect ("<call path") and after it (">call path"),
 * and waited for: who ends the process then, ends it exactly there.
 *
 * FILES_UNDER is the directory. What SQLite keeps in -shm files is memory that processes share; it does not count. */
#define _GNU_SOURCE
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <pthread.h>
#include <signal.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/un.h>
#include <unistd.h>

enum how { BEFORE, AFTER, FOR_GOOD, DIE_BEFORE, DIE_AFTER };

static volatile struct orders {
    uint64_t armed, seen, nth, how, error;
    char call[216]; /* the first one that failed */
} *orders;

static const char *under, *witness;

__attribute__((constructor)) static void begin(void) {
    under = getenv("FILES_UNDER");
    witness = getenv("FILES_WITNESS");
    const char *path = getenv("FILES_ORDERS");
    if (!under || !path) return;
    int fd = (int)syscall(SYS_openat, AT_FDCWD, path, O_RDWR | O_CLOEXEC);
    void *shared = fd < 0 ? MAP_FAILED : mmap(NULL, sizeof *orders, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
    if (shared != MAP_FAILED) orders = shared;
}

enum fate { OBEY, FAIL_BEFORE, FAIL_AFTER };

static int ends_with(const char *text, const char *end) {
    size_t n = strlen(text), m = strlen(end);
    return n >= m && !strcmp(text + n - m, end);
}

/* Whether this goes on with what was written last. */
static int goes_on(const char *call, const char *path) {
    static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
    static char last[PATH_MAX];
    int writes = ends_with(call, "write");
    pthread_mutex_lock(&lock);
    int same = writes && !strcmp(last, path) && !getenv("FILES_EVERY");
    snprintf(last, sizeof last, "%s", writes ? path : "");
    pthread_mutex_unlock(&lock);
    return same;
}

/* The call that this thread is in, for the witness; empty: none that counts. */
static __thread char in_hand[PATH_MAX + 32];

/* Tells the witness of it, and waits to be let go on. Whoever has no witness goes on at once. */
static void tell(char when) {
    static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
    static int door = -2;
    char answer, mark[2] = {when, '\n'};
    pthread_mutex_lock(&lock);
    if (door == -2) {
        struct sockaddr_un at = {.sun_family = AF_UNIX};
        snprintf(at.sun_path, sizeof at.sun_path, "%s", witness);
        door = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
        if (door >= 0 && connect(door, (struct sockaddr *)&at, sizeof at)) door = -1;
    }
    if (door >= 0) {
        send(door, mark, 1, MSG_NOSIGNAL);
        send(door, in_hand, strlen(in_hand), MSG_NOSIGNAL);
        send(door, mark + 1, 1, MSG_NOSIGNAL);
        if (recv(door, &answer, 1, 0) != 1) door = -1;
    }
    pthread_mutex_unlock(&lock);
}

static void done(void) {
    int error = errno;
    if (in_hand[0]) tell('>');
    in_hand[0] = 0;
    errno = error;
}

static enum fate fate(const char *call, const char *path) {
    if (!under || strncmp(path, under, strlen(under)) || ends_with(path, "-shm")) return OBEY;
    if (witness) {
        snprintf(in_hand, sizeof in_hand, "%s %s", call, path + strlen(under));
        tell('<');
    }
    if (!orders || !orders->armed) return OBEY;
    int counts = !goes_on(call, path);
    uint64_t seen = __atomic_add_fetch(&orders->seen, counts, __ATOMIC_SEQ_CST);
    int for_good = orders->how == FOR_GOOD && orders->nth && seen >= orders->nth;
    if (!for_good && (!counts || seen != orders->nth)) return OBEY;
    if (!orders->call[0]) snprintf((char *)orders->call, sizeof orders->call, "%s %s", call, path + strlen(under));
    return orders->how == AFTER || orders->how == DIE_AFTER ? FAIL_AFTER : FAIL_BEFORE;
}

static enum fate fate_of_open_file(const char *call, int fd) {
    if (!witness && (!orders || !orders->armed)) return OBEY;
    char link[64], path[PATH_MAX];
    snprintf(link, sizeof link, "/proc/self/fd/%d", fd);
    ssize_t length = readlink(link, path, sizeof path - 1);
    if (length < 0) return OBEY;
    path[length] = 0;
    return fate(call, path);
}

static int fail(void) {
    if (orders->how == DIE_BEFORE || orders->how == DIE_AFTER) kill(getpid(), SIGKILL);
    errno = (int)orders->error;
    return -1;
}

/* The same function for those who call it without us. */
#define REAL(name) ((__typeof__(&name))dlsym(RTLD_NEXT, #name))
#define FAIL return fail()
#define AS_FATED(the_fate, call)                     \
    do {                                             \
        enum fate decided = (the_fate);              \
        if (decided == FAIL_BEFORE) FAIL;            \
        __typeof__(call) result = (call);            \
        done();                                      \
        if (decided == FAIL_AFTER && result >= 0) FAIL; \
        return result;                               \
    } while (0)

ssize_t write(int fd, const void *bytes, size_t n) { AS_FATED(fate_of_open_file("write", fd), REAL(write)(fd, bytes, n)); }
ssize_t pwrite64(int fd, const void *bytes, size_t n, off64_t at) {
    AS_FATED(fate_of_open_file("pwrite", fd), REAL(pwrite64)(fd, bytes, n, at));
}
int fsync(int fd) { AS_FATED(fate_of_open_file("fsync", fd), REAL(fsync)(fd)); }
int fdatasync(int fd) { AS_FATED(fate_of_open_file("fdatasync", fd), REAL(fdatasync)(fd)); }
int ftruncate64(int fd, off64_t length) { AS_FATED(fate_of_open_file("ftruncate", fd), REAL(ftruncate64)(fd, length)); }
int rename(const char *from, const char *to) { AS_FATED(fate("rename", from), REAL(rename)(from, to)); }
int unlink(const char *path) { AS_FATED(fate("unlink", path), REAL(unlink)(path)); }
int mkdir(const char *path, mode_t mode) { AS_FATED(fate("mkdir", path), REAL(mkdir)(path, mode)); }
/* Only opening that makes or changes a file counts. */
#define OPEN(name)                                                                    \
    int name(const char *path, int flags, ...) {                                      \
        va_list rest;                                                                 \
        va_start(rest, flags);                                                        \
        int mode = va_arg(rest, int);                                                 \
        va_end(rest);                                                                 \
        enum fate decided = flags & (O_CREAT | O_TRUNC) ? fate("open", path) : OBEY;  \
        if (decided == FAIL_BEFORE) FAIL;                                             \
        int fd = REAL(name)(path, flags, mode);                                       \
        done();                                                                       \
        if (decided == FAIL_AFTER && fd >= 0) {                                       \
            close(fd);                                                                \
            FAIL;                                                                     \
        }                                                                             \
        return fd;                                                                    \
    }
OPEN(open)
OPEN(open64)
