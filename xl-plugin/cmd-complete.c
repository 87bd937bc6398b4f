// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * complete [COMMAND]: for the shell completion: the words that may follow, one
 * per line; never a message.
 */
#include "config.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "command.h"
#include "shmlink.h"

/* One by one where there is a choice. */
static void complete_vifs(struct shmlink_ctx *ctx,
                          const struct shmlink_domain *domain)
{
    uint32_t *vifs = NULL;
    size_t i, nr;

    if (!shmlink_vif_list(ctx, domain->domid, &vifs, &nr))
        for (i = 0; i < nr && nr > 1; i++)
            printf("%s:%" PRIu32 "\n", domain->name, vifs[i]);
    free(vifs);
}

static void complete_domains(bool with_vifs)
{
    struct shmlink_domain *domains = NULL;
    struct shmlink_ctx *ctx = NULL;
    char *why = NULL;
    size_t i, nr = 0;

    if (!shmlink_ctx_open(&ctx, NULL, &why) &&
        !shmlink_domain_list(ctx, &domains, &nr))
        for (i = 0; i < nr; i++) {
            puts(domains[i].name);
            if (with_vifs)
                complete_vifs(ctx, &domains[i]);
        }
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
            complete_domains(strcmp(argv[1], "relink"));
    return COMMAND_OK;
}
