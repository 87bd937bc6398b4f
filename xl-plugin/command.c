// SPDX-License-Identifier: GPL-2.0-or-later
#include "config.h"

#include <errno.h>
#include <signal.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <sys/signalfd.h>

#include "command.h"

#define HELP_OPTION "-h, --help             Print this text.\n"
#define DRY_OPTION  "-N, --dry-run          Check and say what would be done.\n"
#define BRIDGE_OPTION "-b, --bridge=BRIDGE    By vifs on this bridge.\n"
#define WAIT_OPTION "-w, --wait=SECONDS     Wait this long for the guests; " \
                    "default 10.\n"

#define MEASURE_OPTIONS \
    "-t, --time=SECONDS     Measure so long; default 10 (record: 5).\n" \
    "    --from=FILE        A snapshot instead of this host: needs no Xen.\n"
#define APPLY_OPTIONS \
    "    --settle=SECONDS   Measure so long before and after it, and undo " \
    "what is\n" \
    "                       worse; at least 5.\n" \
    "-f, --force            Although it was bad before, or a run was " \
    "interrupted.\n"
#define STATE_OPTION \
    "    --state-dir=DIR    Journal and history; default " \
    SHMLINK_STATE_DIR ".\n"
#define SETTING_OPTIONS \
    "-c, --config=FILE      Thresholds; default /etc/xen/shmlink.conf.\n" \
    "    --set=NAME=VALUE   One threshold.\n" \
    STATE_OPTION
#define QUIET_OPTION \
    "-q, --quiet            Print only what went wrong.\n"

bool command_dry_run;

static const struct command commands[] = {
#ifdef HAVE_XEN
    { "enable", cmd_enable,
      "Move the traffic between two guests to shared memory",
      "[-b BRIDGE] [-s SIZE] [-w SECONDS] [-f] [-N] DOM1[:VIF] DOM2[:VIF]",
      BRIDGE_OPTION
      "-s, --size=SIZE        Ring of each direction: 128K to 4M, a power of "
      "two.\n"
      WAIT_OPTION
      "-f, --force            Link although dom0's limits or filters no "
      "longer apply.\n"
      DRY_OPTION, true },
    { "disable", cmd_disable,
      "Move the traffic between two guests back to their vifs",
      "[-b BRIDGE] [-w SECONDS] [-N] DOM1[:VIF] DOM2[:VIF] | -a [DOM[:VIF]]",
      "-a, --all              All links, or all of DOM.\n"
      BRIDGE_OPTION
      WAIT_OPTION
      DRY_OPTION, true },
    { "list", cmd_list,
      "List the links and what they carried",
      "[-l] [-j] [DOM[:VIF]]",
      "-l, --long             Notifications, stalls and drops too.\n"
      "-j, --json             Print JSON, complete.\n", false },
    { "relink", cmd_relink,
      "Bring back links taken down for a save or migration",
      "[-q] [DOM]",
      "-q, --quiet            Say nothing where there is nothing to do.\n",
      false },
    { "hold", cmd_hold, NULL, "-q DOM", NULL, false },
    { "complete", cmd_complete, NULL, "[COMMAND]", NULL, false },
#endif
    /* The advisor's commands. */
    { "advise", cmd_advise,
      "Say what is wrong on this host and what to do about it",
      "[-t SECONDS | --from FILE] [-a] [-j] [--svg FILE] [--apply ...]",
      MEASURE_OPTIONS
      "-a, --all              Every VM and pair, not only the busiest.\n"
      "-j, --json             Print the plan as JSON, as apply takes it; with "
      "--apply\n"
      "                       the progress goes to standard error.\n"
      "    --svg=FILE         Draw the host, now and after the plan.\n"
      "    --apply            Do it, step by step; take all back if one "
      "fails.\n"
      APPLY_OPTIONS
      SETTING_OPTIONS, true },
    { "apply", cmd_apply,
      "Carry out a plan that advise printed",
      "[-N] [-f] [--settle=SECONDS] PLAN.json",
      DRY_OPTION
      APPLY_OPTIONS
      STATE_OPTION, true },
    { "undo", cmd_undo,
      "Take back what was applied last, or a run of the history",
      "[-f] [-N] [RUN]",
      "-f, --force            Also what somebody changed since.\n"
      DRY_OPTION
      STATE_OPTION, true },
    { "history", cmd_history,
      "List what was applied, and what became of it",
      "[-l] [-j] [COUNT]",
      "-l, --long             The steps, and what was there before.\n"
      "-j, --json             Print JSON, complete.\n"
      STATE_OPTION, false },
    { "record", cmd_record,
      "Add a short measurement to the history of the load",
      "[-q] [-t SECONDS | --from FILE] [--keep-days=N] [--max-size=MIB]",
      MEASURE_OPTIONS
      "    --keep-days=N      Forget what is older; default 28.\n"
      "    --max-size=MIB     Of the file, the oldest goes first; default "
      "64.\n"
      QUIET_OPTION
      STATE_OPTION, false },
    { "rebalance", cmd_rebalance,
      "Plan for the busy hours of the recorded days, and do it",
      "[-N] [-q] [--days=N] [--max-moves=N] [--min-gain=PCPUS] "
      "[--settle=SECONDS]",
      "    --days=N           Look at so many days back; default 7.\n"
      "    --max-moves=N      Pin at most so many vCPUs; default 16.\n"
      "    --min-gain=PCPUS   Do nothing for less; default 0.1.\n"
      "    --from=FILE        Plan for a recorded host; changes nothing.\n"
      "-N, --dry-run          Only log what would be done.\n"
      QUIET_OPTION
      APPLY_OPTIONS
      SETTING_OPTIONS, true },

#ifdef HAVE_XEN
    { "snapshot", cmd_snapshot,
      "Measure this host and write what was found to a file",
      "[-t SECONDS] [-q] [--keep-trace=FILE] [--no-trace] [--no-traffic] FILE",
      "-t, --time=SECONDS     Measure so long, 0 to 3600; default 10.\n"
      "    --keep-trace=FILE  Keep Xen's trace too, for xenalyze.\n"
      "    --no-trace         Sample at random times instead of tracing.\n"
      "    --no-traffic       Only count the traffic, do not sample it.\n"
      QUIET_OPTION
      STATE_OPTION, false },
#endif
    { "trace-report", cmd_trace_report, NULL, "FILE", NULL, false },
    { "help", cmd_help, "Describe all commands, or one", "[COMMAND]", NULL,
      false },
};

#define NR_COMMANDS (sizeof(commands) / sizeof(commands[0]))

const struct command *command_find(const char *name)
{
    size_t i;

    for (i = 0; i < NR_COMMANDS; i++)
        if (!strcmp(commands[i].name, name))
            return &commands[i];
    return NULL;
}

void command_print_help(FILE *file)
{
    size_t i;

    fputs("Usage: xl shmlink [-N] COMMAND [OPTIONS...]\n\n"
          "Traffic between two guests of this host by shared memory, past "
          "dom0.\n\n", file);
    for (i = 0; i < NR_COMMANDS; i++)
        if (commands[i].summary)
            fprintf(file, " %-12s %s\n", commands[i].name,
                    commands[i].summary);
    fputs("\nxl shmlink help COMMAND says more; xl-shmlink(8) says all.\n",
          file);
}

void command_print_names(FILE *file)
{
    size_t i;

    for (i = 0; i < NR_COMMANDS; i++)
        if (commands[i].summary)
            fprintf(file, "%s\n", commands[i].name);
}

void command_print_usage(const struct command *command, FILE *file)
{
    fprintf(file, "Usage: xl shmlink %s%s%s\n\n", command->name,
            command->synopsis[0] ? " " : "", command->synopsis);
    if (command->summary)
        fprintf(file, "%s.\n\n", command->summary);
    fprintf(file, "%s%s", command->options ? command->options : "",
            HELP_OPTION);
}

/* The caller's options with -h, --help appended; both arrays are bounded. */
int command_getopt(int argc, char **argv, const char *shortopts,
                   const struct option *longopts, int *status_r)
{
    enum { OPTIONS_MAX = 32 };
    struct option options[OPTIONS_MAX] = { 0 };
    const struct command *command;
    char letters[64];
    int i, option;

    for (i = 0; longopts[i].name && i < OPTIONS_MAX - 2; i++)
        options[i] = longopts[i];
    options[i] = (struct option){ "help", no_argument, NULL, 'h' };
    snprintf(letters, sizeof(letters), "%sh", shortopts);

    *status_r = COMMAND_OK;
    opterr = 0;
    option = getopt_long(argc, argv, letters, options, NULL);
    command = command_find(argv[0]);
    if (option == 'h') {
        if (command)
            command_print_usage(command, stdout);
        *status_r = COMMAND_HELP;
        return -1;
    }
    if (option == '?') {
        if (optopt && strchr(letters, optopt))
            *status_r = command_usage_error(argv[0], "option -%c needs a "
                                            "value", optopt);
        else
            *status_r = command_usage_error(argv[0], "unknown option '%s'",
                                            argv[optind - 1]);
        return -1;
    }
    return option;
}

int command_usage_error(const char *name, const char *format, ...)
{
    va_list args;

    fprintf(stderr, "xl shmlink %s: ", name);
    va_start(args, format);
    vfprintf(stderr, format, args);
    va_end(args);
    fprintf(stderr, "; see xl shmlink help %s\n", name);
    return COMMAND_USAGE;
}

int command_failed(const char *format, ...)
{
    va_list args;

    fputs("xl shmlink: ", stderr);
    va_start(args, format);
    vfprintf(stderr, format, args);
    va_end(args);
    fputc('\n', stderr);
    return COMMAND_FAILED;
}

int command_signals(void)
{
    static const int ending[] = { SIGINT, SIGTERM, SIGHUP };
    struct sigaction action;
    sigset_t signals;
    size_t i;
    int fd;

    sigemptyset(&signals);
    /* What nohup, or a script's background, ignores would be readable too. */
    for (i = 0; i < sizeof(ending) / sizeof(ending[0]); i++)
        if (!sigaction(ending[i], NULL, &action) &&
            action.sa_handler != SIG_IGN)
            sigaddset(&signals, ending[i]);
    sigprocmask(SIG_BLOCK, &signals, NULL);
    fd = signalfd(-1, &signals, SFD_CLOEXEC | SFD_NONBLOCK);
    return fd < 0 ? -errno : fd;
}

int cmd_help(int argc, char **argv)
{
    const struct command *command;

    if (argc < 2) {
        command_print_help(stdout);
        return COMMAND_OK;
    }
    if (argc > 2)
        return command_usage_error("help", "one command at most");
    if (!strcmp(argv[1], "-h") || !strcmp(argv[1], "--help"))
        command = command_find("help");
    else
        command = command_find(argv[1]);
    if (!command)
        return command_usage_error("help", "no command '%s'", argv[1]);
    command_print_usage(command, stdout);
    return COMMAND_OK;
}
