// SPDX-License-Identifier: GPL-2.0-or-later
#include "config.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "advice.h"
#include "apply/state.h"
#include "model/plan.h"
#include "show/show.h"

static int apply_parse(int argc, char **argv, struct advice *advice)
{
    static const struct option longopts[] = {
        ADVICE_APPLY_LONGOPTS,
        { "state-dir", required_argument, NULL, ADVICE_OPT_STATE_DIR },
        { "dry-run", no_argument, NULL, 'N' },
        { NULL, 0, NULL, 0 },
    };
    int status;

    advice_getopt(advice, argc, argv, ADVICE_APPLY_SHORTOPTS "N", longopts, &status);
    if (status)
        return status;
    if (argc - optind != 1)
        return command_usage_error(argv[0], "one plan's file is needed");
    return COMMAND_OK;
}

/* Names as the plan has them, for want of a host. */
static int apply_find(void *opaque, const uint8_t uuid[16],
                      struct apply_domain *domain_r)
{
    const struct plan *plan = opaque;
    size_t i, j;

    for (i = 0; i < plan->nr_steps; i++)
        for (j = 0; j < 2; j++) {
            const struct plan_domain *subject = &plan->steps[i].subject[j];

            if (!subject->name || memcmp(subject->uuid, uuid, 16))
                continue;
            snprintf(domain_r->name, sizeof(domain_r->name), "%s",
                     subject->name);
            return 0;
        }
    return -ESRCH;
}

/* What a file says that a step's command is may be something else. */
static int apply_commands(struct plan *plan)
{
    static const struct apply_ops ops = { .find = apply_find };
    size_t i;
    int rc = 0;

    for (i = 0; i < plan->nr_steps && !rc; i++) {
        struct apply_state state = { 0 };

        free(plan->steps[i].command);
        plan->steps[i].command = NULL;
        rc = apply_state_target(&state, &plan->steps[i]);
        if (!rc)
            plan->steps[i].command = apply_state_command(&state, &ops, plan);
        apply_state_dispose(&state);
    }
    return rc;
}

static int apply_run(struct advice *advice, const char *path)
{
    const struct show_options show = { .all = true };
    char *why = NULL;
    int rc = plan_load(&advice->plan, path, &why);

    if (rc) {
        command_failed("%s: %s", path, why ? why : strerror(-rc));
        free(why);
        return COMMAND_FAILED;
    }
    /* The file may say anything; what was bad is known by its steps. */
    plan_identify(advice->plan);
    if (command_dry_run) {
        if (apply_commands(advice->plan))
            return command_failed("no memory");
        show_plan(advice->plan, NULL, &show, stdout);
        printf("\nNothing was changed (-N).\n");
        return COMMAND_OK;
    }
    if (!advice->plan->nr_steps) {
        printf("The plan has no steps.\n");
        return COMMAND_OK;
    }
    return advice_apply(advice, "apply");
}

int cmd_apply(int argc, char **argv)
{
    struct advice advice;
    int status;

    if (advice_init(&advice))
        return command_failed("no memory");
    status = apply_parse(argc, argv, &advice);
    if (!status)
        status = apply_run(&advice, argv[optind]);
    advice_close(&advice);
    return status;
}
