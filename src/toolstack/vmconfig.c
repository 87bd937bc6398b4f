// SPDX-License-Identifier: GPL-2.0-or-later
#include "config.h"

#include <errno.h>
#include <limits.h>
#include <libxlutil.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/jsonio.h"
#include "toolstack/vmconfig.h"

enum { LINKS_MAX = 1000 };

static int read_links(struct vmconfig *config, const XLU_Config *xlu)
{
    XLU_ConfigList *list;
    int i, nr = 0, r = xlu_cfg_get_list(xlu, "shmlink", &list, &nr, 1);
    const char *text;
    char **link;

    config->wrong = r && r != ESRCH;
    for (i = 0; i < nr && !r; i++) {
        text = xlu_cfg_get_listitem(list, i);
        if (!text) {
            config->wrong = 1;
            continue;
        }
        link = JSONIO_ADD(config, links, LINKS_MAX);
        if (link)
            *link = strdup(text);
        if (!link || !*link)
            return -ENOMEM;
    }
    return 0;
}

int vmconfig_read(struct vmconfig *config_r, const char *text, size_t bytes)
{
    FILE *report = fopen("/dev/null", "w");
    struct vmconfig config = { 0 };
    XLU_Config *xlu = report ? xlu_cfg_init(report, "") : NULL;
    const char *name;
    int rc = xlu ? 0 : -ENOMEM;

    *config_r = config;
    if (!rc && (bytes > INT_MAX || xlu_cfg_readdata(xlu, text, (int)bytes) ||
                xlu_cfg_get_string(xlu, "name", &name, 1)))
        rc = -EINVAL;
    if (!rc) {
        config.name = strdup(name);
        rc = config.name ? read_links(&config, xlu) : -ENOMEM;
    }
    if (rc)
        vmconfig_free(&config);
    else
        *config_r = config;
    if (xlu)
        xlu_cfg_destroy(xlu);
    if (report)
        fclose(report);
    return rc;
}

void vmconfig_free(struct vmconfig *config)
{
    while (config->nr_links)
        free(config->links[--config->nr_links]);
    free(config->links);
    free(config->name);
    *config = (struct vmconfig){ 0 };
}
