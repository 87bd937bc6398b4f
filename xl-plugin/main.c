// SPDX-License-Identifier: GPL-2.0-or-later
#include "config.h"

#include <string.h>

#include "command.h"

int main(int argc, char **argv)
{
    const struct command *command;
    int status;

    while (argc > 1 && !strcmp(argv[1], "-N")) {
        command_dry_run = true;
        argc--;
        argv++;
    }
    if (argc < 2) {
        command_print_help(stderr);
        return COMMAND_USAGE;
    }
    if (!strcmp(argv[1], "-h") || !strcmp(argv[1], "--help")) {
        command_print_help(stdout);
        return COMMAND_OK;
    }
    if (!strcmp(argv[1], "--version")) {
        puts(PACKAGE_STRING);
        return COMMAND_OK;
    }
    command = command_find(argv[1]);
    if (!command) {
        fprintf(stderr, "xl shmlink: no command '%s'; see xl shmlink help\n",
                argv[1]);
        return COMMAND_USAGE;
    }
    /* To do it after all would be the worst answer. */
    if (command_dry_run && !command->dry_run)
        return command_usage_error(command->name, "there is no -N for it");
    status = command->run(argc - 1, argv + 1);
    if (fflush(stdout) || ferror(stdout))
        return command_failed("cannot write the output");
    return status == COMMAND_HELP ? COMMAND_OK : status;
}
