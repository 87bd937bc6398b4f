/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The whole command `xl-shmlink advise --from FILE` on hosts of 100 to 10000
 * VMs, of one build beside another:
 *
 *     make tests/bench/bench-advise
 *     tests/bench/bench-advise OLD/xl-shmlink ./xl-shmlink [ROUNDS [VMS...]]
 *
 * Each VM has 4 vCPUs and talks to 8 others in the mean; there are half as many
 * pCPUs as VMs, at most 1024.  Both builds read the same file, in turns; CPU
 * time (user and system) is the median of the rounds, memory the peak of what
 * is resident.  "growth" is the exponent from one size to the next.
 */
#include <fcntl.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/jsonio.h"
#include "generate.h"
#include "model/snapshot-fields.h"

#define ROUNDS_MAX 99

struct figures {
    double seconds, megabytes;
};

static void fail(const char *what)
{
    perror(what);
    exit(1);
}

/* In one line: what an older build can read has a limit. */
static void write_host(const char *path, unsigned vms)
{
    unsigned pcpus = vms / 2 > 1024 ? 1024 : vms / 2;
    struct generate options = {
        .sockets = 2, .cores = pcpus / 4 ? pcpus / 4 : 1, .threads = 2,
        .caches = true, .vms = vms, .vcpus_min = 4, .vcpus_max = 4,
        .load = 0.04, .peers = 8, .bytes = 1e8, .seed = 1,
    };
    struct jsonio_out out = { .one_line = true };
    struct snapshot *snapshot = NULL;
    char *text = NULL;

    if (generate(&snapshot, &options) || jsonio_begin(&out))
        fail("generate");
    jsonio_put(&out, NULL, &snapshot_fields, snapshot, snapshot);
    if (jsonio_done(&out, &text) || jsonio_write_file(path, text, 0600))
        fail(path);
    free(text);
    snapshot_free(snapshot);
}

static struct figures run(const char *program, const char *path)
{
    struct figures figures;
    struct rusage usage;
    pid_t pid = fork();
    int status, null;

    if (pid < 0)
        fail("fork");
    if (!pid) {
        null = open("/dev/null", O_WRONLY);
        if (null < 0 || dup2(null, STDOUT_FILENO) < 0)
            fail("/dev/null");
        execl(program, program, "advise", "-c", "/dev/null", "--from", path,
              (char *)NULL);
        fail(program);
    }
    if (wait4(pid, &status, 0, &usage) < 0 || status) {
        fprintf(stderr, "%s failed on %s\n", program, path);
        exit(1);
    }
    figures.seconds = (double)(usage.ru_utime.tv_sec +
                               usage.ru_stime.tv_sec) +
                      1e-6 * (double)(usage.ru_utime.tv_usec +
                                      usage.ru_stime.tv_usec);
    figures.megabytes = (double)usage.ru_maxrss / 1024;
    return figures;
}

static int compare(const void *a, const void *b)
{
    const struct figures *p = a, *q = b;

    return (p->seconds > q->seconds) - (p->seconds < q->seconds);
}

static void measure(const char *const programs[2], const char *path,
                    unsigned rounds, struct figures medians[2])
{
    struct figures all[2][ROUNDS_MAX];
    unsigned round, i;

    for (round = 0; round < rounds; round++)
        for (i = 0; i < 2; i++)
            all[i][round] = run(programs[i], path);
    for (i = 0; i < 2; i++) {
        qsort(all[i], rounds, sizeof **all, compare);
        medians[i] = all[i][rounds / 2];
    }
}

int main(int argc, char **argv)
{
    static const unsigned usual[] = { 100, 300, 1000, 3000, 10000 };
    const char *programs[2] = { argc > 2 ? argv[1] : NULL, argv[2] };
    unsigned rounds = argc > 3 ? (unsigned)atoi(argv[3]) : 5, vms, last = 0;
    unsigned nr = argc > 4 ? (unsigned)argc - 4 : 5, i;
    struct figures m[2], before = { 0, 0 };
    char path[] = "/tmp/bench-advise-XXXXXX";

    if (!programs[0] || !rounds || rounds > ROUNDS_MAX) {
        fprintf(stderr, "usage: bench-advise OLD NEW [ROUNDS [VMS...]]\n");
        return 2;
    }
    if (mkstemp(path) < 0)
        fail(path);
    printf("%6s %9s %9s %6s %9s %9s %6s %7s\n", "VMs", "old s", "new s",
           "ratio", "old MB", "new MB", "ratio", "growth");
    for (i = 0; i < nr; i++) {
        vms = argc > 4 ? (unsigned)atoi(argv[4 + i]) : usual[i];
        write_host(path, vms);
        measure(programs, path, rounds, m);
        printf("%6u %9.3f %9.3f %6.2f %9.1f %9.1f %6.2f", vms, m[0].seconds,
               m[1].seconds, m[1].seconds / m[0].seconds, m[0].megabytes,
               m[1].megabytes, m[1].megabytes / m[0].megabytes);
        if (last)
            printf(" %7.2f", log(m[1].seconds / before.seconds) /
                             log((double)vms / last));
        printf("\n");
        fflush(stdout);
        last = vms;
        before = m[1];
    }
    unlink(path);
    return 0;
}
