/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What the advisor's commands share: settings, a snapshot from a file or from
 * this host, the journal, and carrying out with progress on the terminal.
 *
 * Functions report on stderr what goes wrong, since they are part of the
 * program; they return 0 or -errno, or an exit status where it says so.
 */
#ifndef SHMLINK_ADVICE_H
#define SHMLINK_ADVICE_H

#include <stdbool.h>
#include <stdint.h>

#include "command.h"
#include "model/settings.h"

struct apply_xen;
struct past;
struct collect_options;
struct journal;
struct plan;
struct snapshot;
struct xen;

struct advice
{
    /* options */
    const char *from;         /* a snapshot's file; NULL: this host */
    const char *config;       /* NULL: the usual one, if there */
    const char *state_dir;    /* of the journal and the history */
    double seconds;           /* to measure */
    double seconds_min;       /* of that, as an option */
    bool timed;               /* was told how long */
    double settle;            /* to measure before and after applying; 0: do
                                 not */
    bool force;
    bool quiet;               /* tell only what went wrong */
    FILE *told;               /* progress and outcome of changes: stdout, or
                                 stderr where that is the plan's */
    bool sampling_only;       /* leave Xen's trace buffer alone */
    bool busy_ok;             /* -EBUSY at once, and not told, while another
                                 command measures; else that is waited for */
    const char *set[32];      /* NAME=VALUE, as given */
    size_t nr_set;
    /* state */
    struct settings settings;
    struct snapshot *snapshot;
    struct plan *plan;
    struct journal *journal;
    struct xen *xen;          /* once advice_xen() was called */
    struct apply_xen *host;
    int signal_fd;
    int lock_fd;
};

/* Options that several commands have: these, -c, -f, -N, -q and -t. */
enum
{
    ADVICE_OPT_FROM = 0x2000,
    ADVICE_OPT_STATE_DIR,
    ADVICE_OPT_SETTLE,
    ADVICE_OPT_SETTING,
    ADVICE_OPT_FIRST, /* a command's own begin here */
};
#define ADVICE_SOURCE_LONGOPTS                                               \
    { "from", required_argument, NULL, ADVICE_OPT_FROM },                    \
    { "state-dir", required_argument, NULL, ADVICE_OPT_STATE_DIR }
/* And of those that apply. */
#define ADVICE_APPLY_LONGOPTS                                                \
    { "settle", required_argument, NULL, ADVICE_OPT_SETTLE },                \
    { "force", no_argument, NULL, 'f' }
#define ADVICE_APPLY_SHORTOPTS "f"
/* And of those that choose, and apply what they chose. */
#define ADVICE_LONGOPTS                                                      \
    ADVICE_SOURCE_LONGOPTS,                                                  \
    ADVICE_APPLY_LONGOPTS,                                                   \
    { "config", required_argument, NULL, 'c' },                              \
    { "set", required_argument, NULL, ADVICE_OPT_SETTING }
#define ADVICE_SHORTOPTS ADVICE_APPLY_SHORTOPTS "c:"
/* And of those that measure as long as they are told to. */
#define ADVICE_TIME_LONGOPT { "time", required_argument, NULL, 't' }
#define ADVICE_TIME_SHORTOPT "t:"

/* Errors: -ENOMEM.  advice_close() in any case. */
int advice_init(struct advice *advice);
void advice_close(struct advice *advice);
/* command_getopt() that sees to the options above, where the command has them,
 * and returns only the command's own.  What --from makes idle, -t, --settle and
 * -f, is wrong usage beside it. */
int advice_getopt(struct advice *advice, int argc, char **argv,
                  const char *shortopts, const struct option *longopts,
                  int *status_r);
/* As --set does; text is kept.  Returns COMMAND_OK or COMMAND_USAGE. */
int advice_set_option(struct advice *advice, const char *command,
                      const char *text);

/* Read the settings' file under what --set gave.  Call before
 * choosing. */
int advice_settings(struct advice *advice);
/* A snapshot: from the file, or measured here; *snapshot_r is the caller's. */
int advice_snapshot(struct advice *advice, double seconds,
                    struct snapshot **snapshot_r);
/*
 * Measure here.  options: from collect_options_init(), with what is the
 * command's own; signals, progress and what the journal knows are set here.
 */
int advice_collect(struct advice *advice, struct collect_options *options,
                   struct snapshot **snapshot_r);
/* What was done before, for choose(); NULL with --from, and where the journal
 * cannot be read and is not needed.  apply_past_free(). */
int advice_past(struct advice *advice, bool needed,
                struct past **past_r);

/* Connect to Xen, once. */
int advice_xen(struct advice *advice);

/* From here on, signals end the command in an orderly way. */
int advice_signals(struct advice *advice);

/* Open the journal, and tell of an interrupted run.  needed: report why not;
 * else it is only a warning that nothing is known of the past. */
int advice_journal(struct advice *advice, bool needed);
/* Say what is wrong with it; `so` is what comes of that, "" if it is the end.
 * Returns COMMAND_FAILED. */
int advice_journal_failed(const struct advice *advice, int rc,
                          const char *so);

/* One change of this host at a time; released by advice_close(). */
int advice_lock(struct advice *advice);
/* Carry out advice->plan, and settle: see settle.h.  Returns the exit
 * status. */
int advice_apply(struct advice *advice, const char *command);
/* If the plan, just applied, was to isolate VMs: hold that against the host as
 * it is now, as another VM may have come.  Returns the exit status. */
int advice_isolation(struct advice *advice);
/* Take back run (0: the last one).  Returns the exit status. */
int advice_undo(struct advice *advice, int64_t run);

#endif
