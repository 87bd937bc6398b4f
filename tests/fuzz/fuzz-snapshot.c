/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A snapshot file: whatever is read is refused, or gives advice and is
 * written and read again.
 */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "choose/choose.h"
#include "model/plan.h"
#include "model/settings.h"
#include "model/snapshot.h"
#include "../unit/texts.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct snapshot *snapshot = NULL, *again = NULL;
    char *text = NULL, *why = NULL;
    struct settings settings;
    struct plan *plan = NULL;

    if (texts_snapshot(&snapshot, (const char *)data, size, &why)) {
        if (!why)
            abort();
        free(why);
        return 0;
    }
    if (texts_of_snapshot(snapshot, &text) ||
        texts_snapshot(&again, text, strlen(text), NULL))
        abort();
    snapshot_free(again);
    free(text);

    /* Large hosts are legal but slow; the search is fuzzed on small ones. */
    if (!settings_init(&settings) && snapshot->nr_vcpus < 64 &&
        snapshot->nr_pcpus < 64) {
        settings.max_moves = 4;
        text = NULL;
        if (!choose(&plan, snapshot, &settings, NULL, &why) &&
            (plan_format(plan, &text) || !text))
            abort();
        free(text);
        plan_free(plan);
        free(why);
    }
    settings_dispose(&settings);
    snapshot_free(snapshot);
    return 0;
}
