// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * xl: runs xl-shmlink for "xl shmlink ..." and the real xl for everything
 * else, by exec, with nothing read or written between: xl migrate-receive
 * speaks a binary protocol here.
 *
 * xl-shmlink, and the real xl for a few commands, is a child (guard.c).
 * Links no Xen library and needs no Xen: what fails here is the real xl's to
 * report.
 */
#include "config.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "guard.h"
#include "realxl.h"

/* Index of the command after xl's global options, -v -f -t -T -N. */
static int find_command(int argc, char **argv, int *dry_run_r)
{
    int i;

    for (i = 1; i < argc && argv[i][0] == '-'; i++) {
        if (!strcmp(argv[i], "--"))
            return i + 1;
        /* What xl does not know it reports itself. */
        if (!argv[i][1] || strspn(argv[i] + 1, "vftTN") != strlen(argv[i] + 1))
            return argc;
        if (strchr(argv[i], 'N'))
            *dry_run_r = 1;
    }
    return i;
}

/* argv from the subcommand on, with xl-shmlink and -N before it. */
static int run_shmlink(char **rest, int dry_run)
{
    char *argv[GUARD_ARGS_MAX];
    int argc = 0;

    argv[argc++] = (char *)"xl-shmlink";
    if (dry_run)
        argv[argc++] = (char *)"-N";
    while (*rest && argc < GUARD_ARGS_MAX - 1)
        argv[argc++] = *rest++;
    argv[argc] = NULL;
    return guard_shmlink(argv);
}

int main(int argc, char **argv)
{
    int dry_run = 0, command = find_command(argc, argv, &dry_run);
    const char *name = command < argc ? argv[command] : "";
    const char *topic = command + 1 < argc ? argv[command + 1] : NULL;
    const struct guard *guard;

    if (!strcmp(name, "shmlink"))
        return run_shmlink(argv + command + 1, dry_run);
    if (!strcmp(name, "help") && topic && !strcmp(topic, "shmlink")) {
        argv[command + 1] = argv[command];
        return run_shmlink(argv + command + 1, 0);
    }
    if (!strcmp(name, "help") && !topic)
        return guard_help(argv);
    /* With -N the real xl refuses these, so no link is touched either. */
    guard = command < argc && !dry_run ? guard_find(argv, command) : NULL;
    if (guard)
        return guard_run(guard, argc, argv, command);
    realxl_exec(argv);
    fprintf(stderr, "xl: cannot run the real xl: %s\n", strerror(errno));
    return 127;
}
