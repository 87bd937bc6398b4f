// SPDX-License-Identifier: GPL-2.0-or-later
#include "config.h"

#include <errno.h>
#include <fcntl.h>
#include <getopt.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include "guard.h"
#include "realxl.h"
#include "session.h"

/*
 * shortopts, args: as in xl's own source, to find the domain among the
 * options; xl does nothing with fewer arguments than args.
 */
static const struct guard {
    const char *name;
    const char *shortopts;
    int args;
    enum { HOLD = 1, RELINK, STARTING } what;
} guards[] = {
    { "save", "cpDh", 2, HOLD },
    { "migrate", "FC:s:epDh", 2, HOLD },
    { "suspend", "h", 1, HOLD },
    { "remus", "Fbundi:s:N:ecph", 2, HOLD },
    { "restore", "FdepVAch", 1, RELINK },
    { "resume", "h", 1, RELINK },
    { "create", NULL, 0, STARTING },
};

/* Exit status of a child that could not be started, as a shell's. */
enum { STATUS_NOT_RUN = 127 };

#define NR_GUARDS (sizeof(guards) / sizeof(guards[0]))

/* Of the caller: a job in a script's background ignores SIGINT, say. */
static struct {
    bool saved;
    sigset_t mask;
    struct sigaction sigint, sigquit, sigchld;
} inherited;

/* Before the first change; later calls do nothing. */
static void signals_save(void)
{
    if (inherited.saved)
        return;
    inherited.saved = true;
    sigprocmask(SIG_SETMASK, NULL, &inherited.mask);
    sigaction(SIGINT, NULL, &inherited.sigint);
    sigaction(SIGQUIT, NULL, &inherited.sigquit);
    sigaction(SIGCHLD, NULL, &inherited.sigchld);
    signal(SIGCHLD, SIG_DFL);   /* or there is no child to wait for */
}

/* In a child: as if the caller had started it. */
static void signals_restore(void)
{
    sigaction(SIGINT, &inherited.sigint, NULL);
    sigaction(SIGQUIT, &inherited.sigquit, NULL);
    sigaction(SIGCHLD, &inherited.sigchld, NULL);
    sigprocmask(SIG_SETMASK, &inherited.mask, NULL);
}

/* Run argv in a child by exec_child, fds >= 0 in place of 1 and 2. */
static pid_t guard_spawn(int (*exec_child)(char **argv), char **argv,
                         int stdout_fd, int stderr_fd)
{
    pid_t pid;

    signals_save();
    pid = fork();
    if (pid)
        return pid;
    signals_restore();
    if (stdout_fd >= 0)
        dup2(stdout_fd, STDOUT_FILENO);
    if (stderr_fd >= 0)
        dup2(stderr_fd, STDERR_FILENO);
    exec_child(argv);
    fprintf(stderr, "xl: cannot run %s: %s\n", argv[0], strerror(errno));
    _exit(STATUS_NOT_RUN);
}

static int guard_wait(pid_t pid)
{
    int status;

    if (pid < 0)
        return -1;
    while (waitpid(pid, &status, 0) < 0)
        if (errno != EINTR)
            return -1;
    return status;
}

/* Exit status of a child that is not the real xl. */
static int guard_status(int status)
{
    return status != -1 && WIFEXITED(status) ? WEXITSTATUS(status) : 1;
}

/*
 * xl takes any unambiguous beginning of a command's name.  Which those are
 * depends on its version, so ask it; a full name needs no asking.
 */
static int guard_resolves(const char *text, const char *name)
{
    static char *const help[] = {
        (char *)"xl", (char *)"help", NULL,
    };
    size_t len = strlen(text);
    int fds[2], matches = 0, found = 0, null;
    char line[512], word[64];
    FILE *file;
    pid_t pid;

    if (pipe2(fds, O_CLOEXEC))
        return 0;
    null = open("/dev/null", O_WRONLY | O_CLOEXEC);
    pid = guard_spawn(realxl_exec, (char **)help, fds[1], null);
    close(fds[1]);
    if (null >= 0)
        close(null);
    file = fdopen(fds[0], "r");
    while (file && fgets(line, sizeof(line), file)) {
        if (sscanf(line, " %63s", word) != 1 || line[0] != ' ' ||
            line[1] == ' ' || strncmp(word, text, len))
            continue;
        matches++;
        found = found || !strcmp(word, name);
    }
    if (file)
        fclose(file);
    guard_wait(pid);
    return found && matches == 1;
}

const struct guard *guard_find(char **argv, int command)
{
    const char *off = getenv("XL_SHMLINK"), *text = argv[command];
    size_t i;

    if (off && !strcmp(off, "off"))
        return NULL;
    for (i = 0; i < NR_GUARDS; i++)
        if (!strcmp(guards[i].name, text))
            return &guards[i];
    for (i = 0; i < NR_GUARDS; i++)
        if (text[0] && !strncmp(guards[i].name, text, strlen(text)) &&
            guard_resolves(text, guards[i].name))
            return &guards[i];
    return NULL;
}

/* The first argument that is no option; getopt works on a copy of argv. */
static char *guard_domain(const struct guard *guard, int argc, char **argv,
                          int command)
{
    static const struct option longopts[] = {
        { "debug", no_argument, NULL, 0x100 },
        { "live", no_argument, NULL, 0x200 },
        { "vncviewer", no_argument, NULL, 'V' },
        { "vncviewer-autopass", no_argument, NULL, 'A' },
        { "help", no_argument, NULL, 'h' },
        { NULL, 0, NULL, 0 },
    };
    char *copy[GUARD_ARGS_MAX];
    int i, option, nr = argc - command;

    if (nr >= GUARD_ARGS_MAX)
        return NULL;
    for (i = 0; i < nr; i++)
        copy[i] = argv[command + i];
    copy[nr] = NULL;
    opterr = 0;
    optind = 1;
    while ((option = getopt_long(nr, copy, guard->shortopts, longopts,
                                 NULL)) != -1)
        if (option == 'h' || option == '?')
            return NULL;    /* xl will print its help, and nothing more */
    return optind + guard->args <= nr ? copy[optind] : NULL;
}

/* Said once: the libraries that it was built for are gone after an upgrade. */
static void not_run(void)
{
    static bool said;

    if (!said)
        fprintf(stderr, "xl: xl-shmlink was built for Xen %s and does not "
                "start here; build or install it again for this host's Xen\n",
                XEN_VERSION);
    said = true;
}

static int run_shmlink(char **argv)
{
    int null = open("/dev/null", O_WRONLY | O_CLOEXEC);
    int status;

    /* Not a byte of ours on the real xl's standard output. */
    status = guard_wait(guard_spawn(realxl_exec_shmlink, argv, null, -1));
    if (null >= 0)
        close(null);
    if (guard_status(status) == STATUS_NOT_RUN)
        not_run();
    return guard_status(status);
}

static int run_quietly(const char *command, const char *argument)
{
    const char *argv[] = { "xl-shmlink", command, "-q", argument, NULL };

    return run_shmlink((char **)argv);
}

static volatile sig_atomic_t child_pid;

static void pass_on(int signal_number)
{
    if (child_pid > 0)
        kill((pid_t)child_pid, signal_number);
}

/*
 * The terminal sends SIGINT and SIGQUIT to the child by itself; others are
 * passed on.
 */
static int run_child(int (*exec_child)(char **argv), char **argv)
{
    static const int passed[] = { SIGTERM, SIGHUP, SIGUSR1, SIGUSR2 };
    struct sigaction pass = { .sa_handler = pass_on };
    sigset_t block;
    int status;
    size_t i;

    signals_save();
    signal(SIGINT, SIG_IGN);
    signal(SIGQUIT, SIG_IGN);
    sigemptyset(&block);
    for (i = 0; i < sizeof(passed) / sizeof(passed[0]); i++)
        sigaddset(&block, passed[i]);
    sigprocmask(SIG_BLOCK, &block, NULL);
    child_pid = guard_spawn(exec_child, argv, -1, -1);
    for (i = 0; i < sizeof(passed) / sizeof(passed[0]); i++)
        sigaction(passed[i], &pass, NULL);
    sigprocmask(SIG_SETMASK, &inherited.mask, NULL);
    status = guard_wait((pid_t)child_pid);
    child_pid = 0;
    return status;
}

static int end_as(int status)
{
    if (status != -1 && WIFSIGNALED(status)) {
        signal(WTERMSIG(status), SIG_DFL);
        raise(WTERMSIG(status));
        return 128 + WTERMSIG(status);
    }
    return guard_status(status);
}

static const int ending[] = { SIGINT, SIGTERM, SIGHUP };

/* The signal that would have ended this program meanwhile; 0: none. */
static int signal_pending(void)
{
    struct sigaction action;
    sigset_t pending;
    size_t i;

    sigpending(&pending);
    for (i = 0; i < sizeof(ending) / sizeof(ending[0]); i++)
        if (sigismember(&pending, ending[i]) &&
            !sigismember(&inherited.mask, ending[i]) &&
            !sigaction(ending[i], NULL, &action) &&
            action.sa_handler != SIG_IGN)
            return ending[i];
    return 0;
}

/* 0: go ahead; else the exit status, and all is as before. */
static int guard_hold(const struct guard *guard, const char *domain)
{
    int interrupted, status;
    sigset_t block;
    size_t i;

    /* Closing is not cut short, but then nothing more is begun. */
    signals_save();
    sigemptyset(&block);
    for (i = 0; i < sizeof(ending) / sizeof(ending[0]); i++)
        sigaddset(&block, ending[i]);
    sigprocmask(SIG_BLOCK, &block, NULL);
    status = run_quietly("hold", domain);
    interrupted = signal_pending();
    /* What comes from here on run_real() passes on. */
    if (!interrupted && (status == 0 || status == SESSION_UNAVAILABLE ||
                         status == STATUS_NOT_RUN))
        return 0;
    if (!interrupted)
        fprintf(stderr, "xl: a link of %s is not closed, so no %s; "
                "XL_SHMLINK=off xl %s ... goes ahead regardless\n", domain,
                guard->name, guard->name);
    run_quietly("relink", NULL);
    return interrupted ? 128 + interrupted : 1;
}

/* The real xl follows in this process: it may have the VM's console. */
static int guard_starting(int argc, char **argv, int command)
{
    char *copy[GUARD_ARGS_MAX] = {
        (char *)"xl-shmlink", (char *)"starting",
    };

    if (argc - command < GUARD_ARGS_MAX - 1) {
        memcpy(copy + 2, argv + command + 1,
               (size_t)(argc - command) * sizeof(*argv));
        run_shmlink(copy);
        signals_restore();
    }
    realxl_exec(argv);
    return STATUS_NOT_RUN;
}

int guard_run(const struct guard *guard, int argc, char **argv, int command)
{
    char *domain;
    int status = 0;

    if (guard->what == STARTING)
        return guard_starting(argc, argv, command);
    domain = guard_domain(guard, argc, argv, command);
    if (domain && guard->what == HOLD)
        status = guard_hold(guard, domain);
    if (status)
        return status;
    status = run_child(realxl_exec, argv);
    if (domain)
        run_quietly("relink", NULL);
    return end_as(status);
}

static pid_t dispatcher;

static int exec_shmlink(char **argv)
{
    /* Not to be outlived by it is what who kills us expects. */
    prctl(PR_SET_PDEATHSIG, SIGKILL);
    if (getppid() != dispatcher)
        _exit(STATUS_NOT_RUN);
    return realxl_exec_shmlink(argv);
}

int guard_shmlink(char **argv)
{
    int status;

    dispatcher = getpid();
    status = run_child(exec_shmlink, argv);
    if (guard_status(status) == STATUS_NOT_RUN)
        not_run();
    return end_as(status);
}

int guard_help(char **argv)
{
    int status = run_child(realxl_exec, argv);

    if (status == 0)
        printf(" %-19s %s\n", "shmlink",
               "Traffic between two guests by shared memory");
    fflush(stdout);
    return end_as(status);
}
