// SPDX-License-Identifier: GPL-2.0-or-later
#include "config.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "advice.h"
#include "advisor.h"
#include "base/jsonio.h"

struct advise_options
{
    bool apply, json, all;
    const char *svg;
};

static int advise_parse(int argc, char **argv, struct advice *advice,
                        struct advise_options *options)
{
    const struct command_option table[] = {
        ADVICE_TIME(advice),
        ADVICE_FROM(advice),
        COMMAND_FLAG('a', "all", "Every VM and pair, not only the busiest.",
                     &options->all),
        COMMAND_FLAG('j', "json", "Print the plan as JSON, as apply takes it; "
                     "with --apply\nthe progress goes to standard error.",
                     &options->json),
        COMMAND_TEXT(0, "svg", "FILE",
                     "Draw the host, now and after the plan.", &options->svg),
        COMMAND_FLAG(0, "apply", "Do it, step by step; take all back if one "
                     "fails.", &options->apply),
        ADVICE_APPLY(advice),
        ADVICE_SETTINGS(advice),
        COMMAND_END,
    };
    int status = advice_parse(advice, argc, argv, table, 0, 0, NULL);

    if (status)
        return status;
    if (options->json)
        advice->told = stderr;
    if (options->apply && advice->from)
        return command_usage_error(argv[0], "a plan made --from a file is "
                                   "not for this host: --apply needs a "
                                   "measurement here");
    if (!options->apply && (advice->settle > 0 || advice->force))
        return command_usage_error(argv[0], "--settle and -f are for "
                                   "--apply");
    return COMMAND_OK;
}

/* Drawn in memory first: a full disk leaves an older picture as it was. */
static int advise_svg(struct advice *advice, const char *path)
{
    char *text = NULL;
    size_t size = 0;
    FILE *file = open_memstream(&text, &size);
    int rc = file ? svg_write(advice->snapshot, advice->plan,
                              &advice->settings, file) : -errno;

    if (file && fclose(file) && !rc)
        rc = -ENOMEM;
    if (!rc)
        rc = jsonio_write_file(path, text, 0666);
    free(text);
    return rc ? command_failed("%s: %s", path, strerror(-rc)) : COMMAND_OK;
}

static int advise_json(const struct plan *plan)
{
    char *text = NULL;
    int rc = plan_format(plan, &text);

    if (rc)
        return command_failed("%s", strerror(-rc));
    fputs(text, stdout);
    free(text);
    return COMMAND_OK;
}

static int advise_choose(struct advice *advice, bool apply)
{
    struct past *past = NULL;
    char *why = NULL;
    int rc = advice_past(advice, apply, &past);

    if (rc)
        return rc;
    rc = choose(&advice->plan, advice->snapshot, &advice->settings, past,
                &why);
    if (rc)
        command_failed("%s", why ? why : strerror(-rc));
    free(why);
    apply_past_free(past);
    return rc;
}

static int advise_run(struct advice *advice,
                      const struct advise_options *options)
{
    int status = COMMAND_OK;
    int rc;

    if (advice_settings(advice))
        return COMMAND_FAILED;
    /* Advice needs no journal, changes do. */
    if (!advice->from && advice_journal(advice, options->apply)
        && options->apply)
        return COMMAND_FAILED;
    if (advice_snapshot(advice, advice->seconds, &advice->snapshot)
        || advise_choose(advice, options->apply))
        return COMMAND_FAILED;
    if (options->svg)
        status = advise_svg(advice, options->svg);
    if (options->json) {
        if (advise_json(advice->plan))
            return COMMAND_FAILED;
    } else {
        rc = show_plan(advice->plan, advice->snapshot, options->all, stdout);
        if (rc)
            return command_failed("%s", strerror(-rc));
    }
    if (options->apply && advice->plan->nr_steps && !status) {
        if (!options->json)
            printf("\n");
        if (command_dry_run) {
            fprintf(advice->told, "Nothing was changed (-N).\n");
            return status;
        }
        status = advice_apply(advice, "advise --apply");
    }
    return status;
}

int cmd_advise(int argc, char **argv)
{
    struct advise_options options = { 0 };
    struct advice advice;
    int status = advice_init(&advice) ?:
                 advise_parse(argc, argv, &advice, &options) ?:
                 advise_run(&advice, &options);

    advice_close(&advice);
    return status;
}
