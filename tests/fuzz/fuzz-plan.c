/* SPDX-License-Identifier: GPL-2.0-or-later */
/* A plan file: refused, or written and read again with the same identity. */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "model/plan.h"
#include "../unit/texts.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct plan *plan = NULL, *again = NULL;
    char *text = NULL, *why = NULL;

    if (texts_plan(&plan, (const char *)data, size, &why)) {
        if (!why)
            abort();
        free(why);
        return 0;
    }
    if (plan_format(plan, &text) ||
        texts_plan(&again, text, strlen(text), NULL) ||
        strcmp(plan->id, again->id))
        abort();
    plan_free(again);
    plan_free(plan);
    free(text);
    return 0;
}
