/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The subcommands of xl-shmlink.  A subcommand is one row of the table in
 * command.c and one file cmd-NAME.c, with a table of its options; help and
 * usage are printed from both.
 *
 * run() gets argv[0] = the subcommand's name and returns the exit status:
 * COMMAND_OK, COMMAND_FAILED or COMMAND_USAGE; COMMAND_HELP counts as
 * COMMAND_OK.
 */
#ifndef SHMLINK_COMMAND_H
#define SHMLINK_COMMAND_H

#include <getopt.h>
#include <stdbool.h>
#include <stdint.h>
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
    bool dry_run;           /* it heeds command_dry_run */
};

/*
 * An option; a table of them ends with COMMAND_END.  Which of the lines below
 * makes it says what becomes of `to`: a bool is set, a const char * is the
 * value, a uint32_t is it from 1 to most, or parse() gets it.
 */
struct command_option {
    char letter;            /* 0: none */
    const char *name;
    const char *value;      /* what the help calls it; NULL: there is none */
    const char *help;
    void *to;
    uint32_t most;
    /* Returns COMMAND_OK, or COMMAND_USAGE when it has said what is wrong. */
    int (*parse)(const char *command, const char *value, void *to);
};
#define COMMAND_FLAG(letter, name, help, to) \
    { letter, name, NULL, help, to, 0, NULL }
#define COMMAND_TEXT(letter, name, value, help, to) \
    { letter, name, value, help, to, 0, NULL }
#define COMMAND_NUMBER(letter, name, value, help, to, most) \
    { letter, name, value, help, to, most, NULL }
#define COMMAND_PARSED(letter, name, value, help, to, parse) \
    { letter, name, value, help, to, 0, parse }
#define COMMAND_END { 0, NULL, NULL, NULL, NULL, 0, NULL }

#define COMMAND_DRY_RUN \
    COMMAND_FLAG('N', "dry-run", "Check and say what would be done.", \
                 &command_dry_run)

/* The row called name, or NULL. */
const struct command *command_find(const char *name);

/* All commands, one line each. */
void command_print_help(FILE *file);
void command_print_names(FILE *file);

/*
 * Take the options; what is no option is then at argv[optind], least to most
 * of them.  needed: what to say where there are not so many; NULL: that the
 * first is not an option.  Returns COMMAND_OK, or what the caller returns:
 * COMMAND_USAGE when it has said what is wrong, or COMMAND_HELP.
 */
int command_parse(int argc, char **argv, const struct command_option *table,
                  int least, int most, const char *needed);

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
int cmd_serve(int argc, char **argv);
int cmd_starting(int argc, char **argv);
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
