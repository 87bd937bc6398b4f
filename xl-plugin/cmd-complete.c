// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * complete [COMMAND]: for the shell completion: the words that may follow, one
 * per line; never a message.
 */
#include "config.h"

#include <stdlib.h>
#include <string.h>

#include "command.h"
#include "shmlink.h"

static void complete_domains(void)
{
    struct shmlink_domain *domains = NULL;
    struct shmlink_ctx *ctx = NULL;
    char *why = NULL;
    size_t i, nr = 0;

    if (!shmlink_ctx_open(&ctx, NULL, &why) &&
        !shmlink_domain_list(ctx, &domains, &nr))
        for (i = 0; i < nr; i++)
            puts(domains[i].name);
    free(domains);
    free(why);
    shmlink_ctx_close(ctx);
}

int cmd_complete(int argc, char **argv)
{
    static const char *const with_domains[] = {
        "enable", "disable", "list", "relink",
    };
    size_t i;

    if (argc < 2 || !strcmp(argv[1], "help")) {
        command_print_names(stdout);
        return COMMAND_OK;
    }
    for (i = 0; i < sizeof(with_domains) / sizeof(with_domains[0]); i++)
        if (!strcmp(argv[1], with_domains[i]))
            complete_domains();
    return COMMAND_OK;
}
