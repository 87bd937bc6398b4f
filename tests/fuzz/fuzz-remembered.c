// SPDX-License-Identifier: GPL-2.0-or-later
/* The file of remembered links, whole or torn. */
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "toolstack/ctx.h"
#include "toolstack/remember.h"
#include "shmlink-wire.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    char dir[] = "/tmp/shmlink-fuzz-XXXXXX", path[64];
    struct shmlink_ctx ctx = { .paths.state_dir = dir };
    struct remembered_list list;
    FILE *file;
    size_t i;

    if (!mkdtemp(dir))
        abort();
    snprintf(path, sizeof(path), "%s/remembered.json", dir);
    file = fopen(path, "w");
    fwrite(data, 1, size, file);
    fclose(file);
    if (!remember_read(&ctx, &list))
        for (i = 0; i < list.nr_links; i++)
            if (list.links[i].ring_bytes < SHMLINK_RING_BYTES_MIN ||
                list.links[i].ring_bytes > SHMLINK_RING_BYTES_MAX)
                abort();
    remember_free(&list);
    unlink(path);
    rmdir(dir);
    return 0;
}
