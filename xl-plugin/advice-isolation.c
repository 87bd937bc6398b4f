// SPDX-License-Identifier: GPL-2.0-or-later
/* After a plan: are those VMs isolated that are to be? */
#include "advice.h"

#include "advisor.h"

static bool advice_isolates(const struct plan *plan)
{
    size_t i;

    for (i = 0; i < plan->nr_steps; i++)
        if (plan->steps[i].reason == PLAN_REASON_ISOLATION)
            return true;
    return false;
}

int advice_isolation(struct advice *advice)
{
    struct snapshot *now = NULL;
    struct plan *plan = NULL;
    bool asked = false, lacks;
    size_t i;
    int rc;

    if (!advice_isolates(advice->plan))
        return COMMAND_OK;
    rc = advice_snapshot(advice, 0, &now) ?:
         choose(&plan, now, &advice->settings, NULL, NULL);
    for (i = 0; !rc && i < plan->nr_notes; i++) {
        if (plan->notes[i].kind != PLAN_NOTE_ISOLATED
            || !plan->notes[i].subject.name)
            continue;
        asked = true;
        if (!advice->quiet)
            fprintf(advice->told, "Looked again: %s.\n",
                    plan->notes[i].text);
    }
    lacks = !rc && asked && advice_isolates(plan);
    plan_free(plan);
    snapshot_free(now);
    if (rc)
        return command_failed("whether VMs are isolated now was not seen");
    return lacks ? command_failed("a VM is not isolated yet: something came "
                                  "or was changed meanwhile; do it again")
                 : COMMAND_OK;
}
