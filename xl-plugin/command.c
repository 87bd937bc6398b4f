// SPDX-License-Identifier: GPL-2.0-or-later
#include "config.h"

#include <errno.h>
#include <signal.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <sys/signalfd.h>

#include "command.h"
#include "base/parse.h"

bool command_dry_run;

static const struct command commands[] = {
#ifdef HAVE_XEN
    { "enable", cmd_enable,
      "Move the traffic between two guests to shared memory",
      "[-b BRIDGE] [-s SIZE] [-w SECONDS] [-f] [-p] [-N] DOM1[:VIF] "
      "DOM2[:VIF]", true },
    { "disable", cmd_disable,
      "Move the traffic between two guests back to their vifs",
      "[-b BRIDGE] [-w SECONDS] [-N] DOM1[:VIF] DOM2[:VIF] | -a [DOM[:VIF]]",
      true },
    { "list", cmd_list, "List the links and what they carried",
      "[-l] [-j] [DOM[:VIF]]", false },
    { "relink", cmd_relink,
      "Bring back persistent links, and those taken down for a save",
      "[-q] [DOM]", false },
    { "serve", cmd_serve,
      "Keep persistent links up; what shmlinkd.service runs",
      "[-N] [-c FILE]", true },
    { "hold", cmd_hold, NULL, "-q DOM", false },
    { "starting", cmd_starting, NULL, "ARGUMENTS OF XL CREATE", false },
    { "complete", cmd_complete, NULL, "[COMMAND]", false },
#endif
    /* The advisor's commands. */
    { "advise", cmd_advise,
      "Say what is wrong on this host and what to do about it",
      "[-t SECONDS | --from FILE] [-a] [-j] [--svg FILE] [--apply ...]",
      true },
    { "apply", cmd_apply, "Carry out a plan that advise printed",
      "[-N] [-f] [--settle=SECONDS] PLAN.json", true },
    { "undo", cmd_undo,
      "Take back what was applied last, or a run of the history",
      "[-f] [-N] [RUN]", true },
    { "history", cmd_history,
      "List what was applied, and what became of it", "[-l] [-j] [COUNT]",
      false },
    { "record", cmd_record,
      "Add a short measurement to the history of the load",
      "[-q] [-t SECONDS | --from FILE] [--keep-days=N] [--max-size=MIB]",
      false },
    { "rebalance", cmd_rebalance,
      "Plan for the busy hours of the recorded days, and do it",
      "[-N] [-q] [--days=N] [--max-moves=N] [--min-gain=PCPUS] "
      "[--settle=SECONDS]", true },
#ifdef HAVE_XEN
    { "snapshot", cmd_snapshot,
      "Measure this host and write what was found to a file",
      "[-t SECONDS] [-q] [--keep-trace=FILE] [--no-trace] [--no-traffic] FILE",
      false },
#endif
    { "trace-report", cmd_trace_report, NULL, "FILE", false },
    { "help", cmd_help, "Describe all commands, or one", "[COMMAND]", false },
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

static const struct command_option help_option =
    COMMAND_FLAG('h', "help", "Print this text.", NULL);

/* Its help may have several lines. */
static void print_option(const struct command_option *option)
{
    const char *line = option->help;
    char left[32];
    int bytes;

    snprintf(left, sizeof(left), "%c%c%c --%s%s%s",
             option->letter ? '-' : ' ', option->letter ? option->letter : ' ',
             option->letter ? ',' : ' ', option->name,
             option->value ? "=" : "", option->value ? option->value : "");
    for (; line; line = line[bytes] ? line + bytes + 1 : NULL) {
        bytes = (int)strcspn(line, "\n");
        printf("%-22s %.*s\n", left, bytes, line);
        left[0] = '\0';
    }
}

static int print_usage(const struct command *command,
                       const struct command_option *table)
{
    printf("Usage: xl shmlink %s %s\n\n", command->name, command->synopsis);
    if (command->summary)
        printf("%s.\n\n", command->summary);
    for (; table->name; table++)
        print_option(table);
    print_option(&help_option);
    return COMMAND_HELP;
}

static int take(const char *command, const struct command_option *option)
{
    if (option->parse)
        return option->parse(command, optarg, option->to);
    if (!option->value)
        *(bool *)option->to = true;
    else if (!option->most)
        *(const char **)option->to = optarg;
    else if (parse_u32(optarg, 1, option->most, option->to))
        return command_usage_error(command, "--%s: '%s' is not a number from "
                                   "1 to %u", option->name, optarg,
                                   option->most);
    return COMMAND_OK;
}

/* What getopt_long() calls an option that has no letter: this and its index. */
enum { NO_LETTER = 0x100, OPTIONS_MAX = 32 };

static const struct command_option *find(const struct command_option *table,
                                         int option)
{
    if (option >= NO_LETTER)
        return &table[option - NO_LETTER];
    while (table->name && (!option || table->letter != option))
        table++;
    return table->name ? table : NULL;
}

int command_parse(int argc, char **argv, const struct command_option *table,
                  int least, int most, const char *needed)
{
    struct option options[OPTIONS_MAX + 1] = { 0 };
    char letters[2 * OPTIONS_MAX + 2], *letter = letters;
    const struct command_option *taken;
    int i, option, status = COMMAND_OK;

    for (i = 0; table[i].name && i < OPTIONS_MAX - 1; i++) {
        options[i] = (struct option){
            table[i].name, table[i].value ? required_argument : no_argument,
            NULL, table[i].letter ? table[i].letter : NO_LETTER + i,
        };
        if (table[i].letter)
            letter += sprintf(letter, "%c%s", table[i].letter,
                              table[i].value ? ":" : "");
    }
    options[i] = (struct option){ "help", no_argument, NULL, 'h' };
    strcpy(letter, "h");
    opterr = 0;
    while (!status && (option = getopt_long(argc, argv, letters, options,
                                            NULL)) != -1) {
        if (option == 'h')
            return print_usage(command_find(argv[0]), table);
        taken = find(table, option == '?' ? optopt : option);
        if (option != '?')
            status = take(argv[0], taken);
        else if (taken)
            status = command_usage_error(argv[0], "option --%s %s", taken->name,
                                         taken->value ? "needs a value"
                                                      : "takes no value");
        else
            status = command_usage_error(argv[0], "unknown option '%s'",
                                         argv[optind - 1]);
    }
    if (status || (argc - optind >= least && argc - optind <= most))
        return status;
    return needed ? command_usage_error(argv[0], "%s", needed)
                  : command_usage_error(argv[0], "'%s' is not an option",
                                        argv[optind]);
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
    static const struct command_option end = COMMAND_END;
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
    /* The options of the others are in their files. */
    if (!command->summary || command->run == cmd_help)
        return print_usage(command, &end);
    return command->run(2, (char *[]){ argv[1], (char *)"--help", NULL });
}
