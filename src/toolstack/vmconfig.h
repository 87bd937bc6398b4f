/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The key shmlink of a VM's own configuration, shmlink = [ "db", "log:1" ],
 * read as xl reads it, by libxlutil; xl itself ignores keys that it does not
 * know, and keeps none of them.  Prints nothing.
 */
#ifndef SHMLINK_TOOLSTACK_VMCONFIG_H
#define SHMLINK_TOOLSTACK_VMCONFIG_H

#include <stddef.h>

/* links: as they are written.  wrong: the key, or some of it, is no text. */
struct vmconfig {
    char *name;
    char **links;
    size_t nr_links;
    int wrong;
};

/*
 * Errors: EINVAL no configuration, or of a VM without a name: xl says so;
 * ENOMEM.  *config_r is the caller's to vmconfig_free(), empty after an error.
 */
int vmconfig_read(struct vmconfig *config_r, const char *text, size_t bytes);
void vmconfig_free(struct vmconfig *config);

#endif /* SHMLINK_TOOLSTACK_VMCONFIG_H */
