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
    bool apply, json;
    const char *svg;
    struct show_options show;
};

enum
{
    OPT_SVG = ADVICE_OPT_FIRST,
    OPT_APPLY,
};

static int advise_parse(int argc, char **argv, struct advice *advice,
                        struct advise_options *options)
{
    static const struct option longopts[] = {
        ADVICE_LONGOPTS,
        { "all", no_argument, NULL, 'a' },
        { "apply", no_argument, NULL, OPT_APPLY },
        { "json", no_argument, NULL, 'j' },
        { "svg", required_argument, NULL, OPT_SVG },
        ADVICE_TIME_LONGOPT,
        { NULL, 0, NULL, 0 },
    };
    int option, status;

    while ((option = advice_getopt(advice, argc, argv, ADVICE_SHORTOPTS
                                   ADVICE_TIME_SHORTOPT "aj", longopts,
                                   &status)) != -1) {
        if (option == 'a')
            options->show.all = true;
        else if (option == 'j')
            options->json = true;
        else if (option == OPT_SVG)
            options->svg = optarg;
        else if (option == OPT_APPLY)
            options->apply = true;
    }
    if (status)
        return status;
    if (argc != optind)
        return command_usage_error(argv[0], "'%s' is not an option",
                                   argv[optind]);
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
    struct svg_page page;
    FILE *file = NULL;
    char *text = NULL;
    size_t size = 0;
    int rc = svg_scene_fill(&page, advice->snapshot, advice->plan,
                            &advice->settings);

    if (!rc) {
        file = open_memstream(&text, &size);
        rc = file ? svg_write(&page, file) : -errno;
    }
    if (file && fclose(file) && !rc)
        rc = -ENOMEM;
    if (!rc)
        rc = jsonio_write_file(path, text, 0666);
    free(text);
    svg_page_free(&page);
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
    advice->settings.unattended = options->apply;
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
        rc = show_plan(advice->plan, advice->snapshot, &options->show,
                       stdout);
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
    int status;

    if (advice_init(&advice))
        return command_failed("no memory");
    status = advise_parse(argc, argv, &advice, &options);
    if (!status)
        status = advise_run(&advice, &options);
    advice_close(&advice);
    return status;
}
