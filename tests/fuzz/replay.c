// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * A main for a fuzz target where libFuzzer is not at hand: run the target once
 * on each file named, as libFuzzer itself does with files.
 */
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static int replay(const char *path)
{
    enum { LIMIT = 1 << 20 };
    uint8_t *data = NULL;
    FILE *file = NULL;
    size_t size;
    int rc = -1;

    file = fopen(path, "rb");
    data = malloc(LIMIT);
    if (!file || !data)
        goto out;
    size = fread(data, 1, LIMIT, file);
    if (ferror(file))
        goto out;
    /* An exact copy, so that the sanitizer sees a read past its end. */
    data = realloc(data, size ? size : 1);
    LLVMFuzzerTestOneInput(data, size);
    rc = 0;
 out:
    if (file)
        fclose(file);
    free(data);
    if (rc)
        perror(path);
    return rc;
}

int main(int argc, char **argv)
{
    int i, status = 0;

    for (i = 1; i < argc; i++)
        if (replay(argv[i]))
            status = 1;
    return status;
}
