// SPDX-License-Identifier: GPL-2.0-or-later
#include "config.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "advice.h"
#include "advisor.h"
#ifdef HAVE_XEN
#include "base/xen.h"
#endif

static int apply_parse(int argc, char **argv, struct advice *advice)
{
    const struct command_option table[] = {
        COMMAND_DRY_RUN,
        ADVICE_APPLY(advice),
        ADVICE_STATE_DIR(advice),
        COMMAND_END,
    };

    return advice_parse(advice, argc, argv, table, 1, 1,
                        "one plan's file is needed");
}

static int apply_find_none(void *host, const uint8_t uuid[16],
                           struct apply_domain *domain_r)
{
    (void)host;
    (void)uuid;
    (void)domain_r;
    return -ESRCH;
}

/* This host, if it is one. */
static const struct apply_ops *apply_host(struct advice *advice)
{
    static const struct apply_ops none = { .find = apply_find_none };
#ifdef HAVE_XEN
    char *why = NULL;
    int rc = xen_open(&advice->xen, "/sys", &why) ?:
             apply_xen_open(&advice->host, advice->xen, -1, &why);

    free(why);
    if (!rc)
        return &apply_xen_ops;
#endif
    (void)advice;
    return &none;
}

/* Who the UUID is here, which may be called anything in the plan. */
static int apply_subject(struct advice *advice, const struct apply_ops *ops,
                         struct plan_domain *subject)
{
    struct apply_domain domain = { 0 };

    if (!subject->name)
        return 0;
    if (!ops->find(advice->host, subject->uuid, &domain))
        return plan_domain_set(subject, subject->uuid, domain.domid,
                               domain.name);
    free(subject->name);
    subject->name = NULL;
    return 0;
}

/* What a file says that a step's command is may be something else. */
static int apply_commands(struct advice *advice, const struct apply_ops *ops)
{
    struct plan *plan = advice->plan;
    struct plan_step *step;
    int rc = 0;

    for (step = plan->steps; step < plan->steps + plan->nr_steps && !rc;
         step++) {
        struct apply_state state = { 0 };

        free(step->command);
        step->command = NULL;
        rc = apply_state_target(&state, step);
        if (!rc)
            step->command = apply_state_command(&state, ops, advice->host);
        apply_state_dispose(&state);
        rc = rc ?: apply_subject(advice, ops, &step->subject[0]) ?:
             apply_subject(advice, ops, &step->subject[1]);
    }
    return rc;
}

static int apply_show(struct advice *advice)
{
    const struct apply_ops *ops = apply_host(advice);

    if (apply_commands(advice, ops))
        return command_failed("no memory");
    show_plan(advice->plan, NULL, true, stdout);
    printf("\nCommands name VMs as this host does, or by UUID what is not "
           "here; sentences are\nthe plan's own.\n"
           "Nothing was changed (-N).\n");
    return COMMAND_OK;
}

static int apply_run(struct advice *advice, const char *path)
{
    char *why = NULL;
    int rc = plan_load(&advice->plan, path, &why);

    if (rc) {
        command_failed("%s: %s", path, why ? why : strerror(-rc));
        free(why);
        return COMMAND_FAILED;
    }
    /* The file may say anything; what was bad is known by its steps. */
    plan_identify(advice->plan);
    if (command_dry_run)
        return apply_show(advice);
    if (!advice->plan->nr_steps) {
        printf("The plan has no steps.\n");
        return COMMAND_OK;
    }
    /* The isolated VMs' names, to look whether they are. */
    if (advice_settings(advice))
        return COMMAND_FAILED;
    return advice_apply(advice, "apply");
}

int cmd_apply(int argc, char **argv)
{
    struct advice advice;
    int status = advice_init(&advice) ?:
                 apply_parse(argc, argv, &advice) ?:
                 apply_run(&advice, argv[optind]);

    advice_close(&advice);
    return status;
}
