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
struct sqlite3;
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
    struct sqlite3 *journal;
    struct xen *xen;          /* once advice_xen() was called */
    struct apply_xen *host;
    int signal_fd;
    int lock_fd;
};

/* Options that several commands have. */
#define ADVICE_TIME(a) \
    COMMAND_PARSED('t', "time", "SECONDS", "Measure so long; default 10 " \
                   "(record: 5).", a, advice_time)
#define ADVICE_FROM(a) \
    COMMAND_TEXT(0, "from", "FILE", \
                 "A snapshot instead of this host: needs no Xen.", &(a)->from)
#define ADVICE_QUIET(a) \
    COMMAND_FLAG('q', "quiet", "Print only what went wrong.", &(a)->quiet)
#define ADVICE_STATE_DIR(a) \
    COMMAND_TEXT(0, "state-dir", "DIR", "Journal and history; default " \
                 SHMLINK_STATE_DIR ".", &(a)->state_dir)
/* Of those that apply. */
#define ADVICE_APPLY(a) \
    COMMAND_PARSED(0, "settle", "SECONDS", "Measure so long before and " \
                   "after it, and undo what is\nworse; at least 5.", a, \
                   advice_settle_time), \
    COMMAND_FLAG('f', "force", "Although it was bad before, or a run was " \
                 "interrupted.", &(a)->force)
/* And of those that choose. */
#define ADVICE_SETTINGS(a) \
    COMMAND_TEXT('c', "config", "FILE", "Thresholds; default " \
                 SETTINGS_PATH ".", &(a)->config), \
    COMMAND_PARSED(0, "set", "NAME=VALUE", "One threshold.", a, \
                   advice_setting), \
    ADVICE_STATE_DIR(a)
int advice_time(const char *command, const char *text, void *advice);
int advice_settle_time(const char *command, const char *text, void *advice);
int advice_setting(const char *command, const char *text, void *advice);

/* Returns the exit status; advice_close() in any case. */
int advice_init(struct advice *advice);
void advice_close(struct advice *advice);
/* command_parse(); what --from makes idle, -t, --settle and -f, is wrong usage
 * beside it. */
int advice_parse(struct advice *advice, int argc, char **argv,
                 const struct command_option *table, int least, int most,
                 const char *needed);

/* Read the settings' file under what --set gave.  Call before
 * choosing. */
int advice_settings(struct advice *advice);
/* One more, as --set does. */
int advice_set(struct advice *advice, const char *name, const char *value);
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
int advice_past(struct advice *advice, bool needed, struct past **past_r);

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
