/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The subcommands of xl-shmlink.  A subcommand is one row of the table in
 * command.c and one file cmd-NAME.c; help and usage are printed from the row.
 *
 * run() gets argv[0] = the subcommand's name and returns the exit status:
 * COMMAND_OK, COMMAND_FAILED or COMMAND_USAGE; COMMAND_HELP counts as
 * COMMAND_OK.  Each long option has the row's options text for documentation,
 * and -h, --help is served by command_getopt.
 */
#ifndef SHMLINK_COMMAND_H
#define SHMLINK_COMMAND_H

#include <getopt.h>
#include <stdbool.h>
#include <stdio.h>

enum {
    COMMAND_HELP = -1,      /* --help was served, there is nothing to do */
    COMMAND_OK = 0,
    COMMAND_FAILED = 1,
    COMMAND_USAGE = 2,
};

struct command {
    const char *name;
    int (*run)(int argc, char **argv);
    const char *summary;    /* one line; NULL: not shown in the help */
    const char *synopsis;   /* what follows the name */
    const char *options;    /* lines for the command's own help, or NULL */
    bool dry_run;           /* it heeds command_dry_run */
};

/* The row called name, or NULL. */
const struct command *command_find(const char *name);

/* All commands, one line each. */
void command_print_help(FILE *file);
void command_print_names(FILE *file);
/* One command: usage, summary, options. */
void command_print_usage(const struct command *command, FILE *file);

/*
 * getopt_long for a subcommand; shortopts without the h, longopts without
 * help.  Returns an option, or -1 at the end; unless *status_r then is
 * COMMAND_OK, it has all been printed, and is what the caller returns.
 */
int command_getopt(int argc, char **argv, const char *shortopts,
                   const struct option *longopts, int *status_r);

/* "xl shmlink NAME: TEXT; see ..." to stderr; returns COMMAND_USAGE. */
int command_usage_error(const char *name, const char *format, ...)
    __attribute__((format(printf, 2, 3)));

/* "xl shmlink: TEXT" to stderr; returns COMMAND_FAILED. */
int command_failed(const char *format, ...)
    __attribute__((format(printf, 1, 2)));

/*
 * From here on SIGINT, SIGTERM and SIGHUP do not end the program, but make a
 * descriptor readable; those that were ignored stay so.  Returns it, or
 * -errno.  Owns: caller, close().
 */
int command_signals(void);

/* -N before the subcommand, as with xl itself. */
extern bool command_dry_run;

int cmd_help(int argc, char **argv);
int cmd_enable(int argc, char **argv);
int cmd_disable(int argc, char **argv);
int cmd_list(int argc, char **argv);
int cmd_hold(int argc, char **argv);
int cmd_relink(int argc, char **argv);
int cmd_complete(int argc, char **argv);
int cmd_advise(int argc, char **argv);
int cmd_apply(int argc, char **argv);
int cmd_undo(int argc, char **argv);
int cmd_history(int argc, char **argv);
int cmd_record(int argc, char **argv);
int cmd_rebalance(int argc, char **argv);
int cmd_snapshot(int argc, char **argv);
int cmd_trace_report(int argc, char **argv);

#endif /* SHMLINK_COMMAND_H */
