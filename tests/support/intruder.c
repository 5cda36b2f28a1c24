/* A stranger who has taken over a parser: preloaded into the worker, it waits until the worker has locked itself in and reads its first request,
 * and then makes the system calls of INTRUDER ("name number argument...;...", an argument being a number or a 'text') and tells
 * on standard output what came of each: "name errno", 0 for success. */
#define _GNU_SOURCE
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>
#include <unistd.h>

static char plan[16384];

__attribute__((constructor)) static void listen(void)
{
    const char *given = getenv("INTRUDER");
    if (given)
        snprintf(plan, sizeof plan, "%s", given);
}

static void tell(const char *name, int outcome)
{
    char line[200];
    int length = snprintf(line, sizeof line, "%s %d\n", name, outcome);
    syscall(SYS_write, 1, line, length);
}

static void try(char *attempt, long self)
{
    char *rest = NULL, *name = strtok_r(attempt, " ", &rest);
    if (!name)
        return;
    long number = atol(strtok_r(NULL, " ", &rest)), arguments[6] = {0};
    for (int n = 0; n < 6; n++) {
        char *word = strtok_r(NULL, " ", &rest);
        if (!word)
            break;
        if (*word == '\'') {
            word[strlen(word) - 1] = 0;
            arguments[n] = (long)(word + 1);
        } else {
            arguments[n] = atol(word);
        }
    }
    long outcome = syscall(number, arguments[0], arguments[1], arguments[2], arguments[3], arguments[4], arguments[5]);
    if (syscall(SYS_getpid) != self)
        syscall(SYS_exit_group, 0);
    tell(name, outcome < 0 ? errno : 0);
}

ssize_t read(int descriptor, void *buffer, size_t length)
{
    if (descriptor != 0 || !*plan)
        return syscall(SYS_read, descriptor, buffer, length);
    long self = syscall(SYS_getpid);
    char *rest = NULL;
    for (char *attempt = strtok_r(plan, ";", &rest); attempt; attempt = strtok_r(NULL, ";", &rest))
        try(attempt, self);
    syscall(SYS_exit_group, 0);
    return -1;
}
