// SPDX-License-Identifier: GPL-2.0-or-later
#include "config.h"

#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "advice.h"
#include "apply/journal.h"
#include "base/jsonio.h"
#include "base/parse.h"

#define RUNS_DEFAULT 20

struct history_options
{
    bool full, json;
    uint32_t limit;
};

static int history_parse(int argc, char **argv, struct advice *advice,
                         struct history_options *options)
{
    static const struct option longopts[] = {
        { "json", no_argument, NULL, 'j' },
        { "long", no_argument, NULL, 'l' },
        { "state-dir", required_argument, NULL, ADVICE_OPT_STATE_DIR },
        { NULL, 0, NULL, 0 },
    };
    int option, status;

    while ((option = advice_getopt(advice, argc, argv, "jl", longopts,
                                   &status)) != -1) {
        if (option == 'l')
            options->full = true;
        else if (option == 'j')
            options->json = true;
    }
    if (status)
        return status;
    if (argc - optind > 1)
        return command_usage_error(argv[0], "one number at most");
    if (argc - optind == 1
        && parse_u32(argv[optind], 1, 100000, &options->limit))
        return command_usage_error(argv[0], "'%s' is not how many to show",
                                   argv[optind]);
    return COMMAND_OK;
}

static void history_print(const struct journal_run *run, bool full)
{
    time_t when = (time_t)run->started_s;
    char date[32] = "?";
    size_t i, done = 0;
    struct tm tm;

    if (localtime_r(&when, &tm))
        strftime(date, sizeof(date), "%Y-%m-%d %H:%M:%S", &tm);
    for (i = 0; i < run->nr_steps; i++)
        done += run->steps[i].state == JOURNAL_STEP_DONE;
    printf("%5lld  %s  %-16s %2zu/%-2zu  %s%s%s\n", (long long)run->id, date,
           run->command, done, run->nr_steps,
           journal_run_state_name(run->state), run->note ? ": " : "",
           run->note ? run->note : "");
    for (i = 0; full && i < run->nr_steps; i++) {
        const struct journal_step *step = &run->steps[i];

        printf("         %zu. %s: %s\n", i + 1, step->what,
               journal_step_state_name(step->state));
        if (step->before)
            printf("            before: %s\n", step->before);
    }
}

/* What the journal holds as text is JSON itself. */
static void history_put_state(struct jsonio_out *out, struct json_object *step,
                              const char *key, const char *text)
{
    struct json_object *state = text ? json_tokener_parse(text) : NULL;

    if (state)
        jsonio_put(out, step, key, state);
    else
        jsonio_put_null(out, step, key);
}

static void history_put(struct jsonio_out *out, struct json_object *list,
                        const struct journal_run *run)
{
    struct json_object *o = jsonio_put_object(out, list, NULL), *steps;
    size_t i;

    jsonio_put(out, o, "run", json_object_new_int64(run->id));
    jsonio_put(out, o, "started", json_object_new_int64(run->started_s));
    if (run->finished_s)
        jsonio_put(out, o, "finished", json_object_new_int64(run->finished_s));
    else
        jsonio_put_null(out, o, "finished");
    jsonio_put_text(out, o, "command", run->command);
    jsonio_put_text(out, o, "plan", run->plan_id);
    jsonio_put_text(out, o, "state", journal_run_state_name(run->state));
    jsonio_put_text(out, o, "note", run->note);
    steps = jsonio_put_list(out, o, "steps");
    for (i = 0; i < run->nr_steps; i++) {
        const struct journal_step *step = &run->steps[i];

        o = jsonio_put_object(out, steps, NULL);
        jsonio_put_text(out, o, "command", step->what);
        jsonio_put_text(out, o, "uuid", step->uuid);
        jsonio_put_text(out, o, "state", journal_step_state_name(step->state));
        history_put_state(out, o, "before", step->before);
        history_put_state(out, o, "after", step->after);
    }
}

static int history_run(struct advice *advice,
                       const struct history_options *options)
{
    struct journal_run *runs = NULL;
    struct jsonio_out out = { 0 };
    struct json_object *list;
    size_t nr_runs = 0, i;
    int rc;

    if (advice_journal(advice, true))
        return COMMAND_FAILED;
    rc = journal_list(advice->journal, options->limit, &runs, &nr_runs);
    if (rc)
        return advice_journal_failed(advice, rc, "");
    if (options->json) {
        list = json_object_new_array();
        for (i = 0; i < nr_runs; i++)
            history_put(&out, list, &runs[i]);
        if (!out.rc)
            printf("%s\n", json_object_to_json_string_ext(
                               list, JSON_C_TO_STRING_PRETTY));
        json_object_put(list);
    } else if (!nr_runs) {
        printf("Nothing was changed yet.\n");
    } else {
        printf("%5s  %-19s  %-16s %5s  %s\n", "run", "when", "by", "steps",
               "state");
        for (i = 0; i < nr_runs; i++)
            history_print(&runs[i], options->full);
    }
    journal_runs_free(runs, nr_runs);
    return out.rc ? command_failed("%s", strerror(-out.rc)) : COMMAND_OK;
}

int cmd_history(int argc, char **argv)
{
    struct history_options options = { .limit = RUNS_DEFAULT };
    struct advice advice;
    int status;

    if (advice_init(&advice))
        return command_failed("no memory");
    status = history_parse(argc, argv, &advice, &options);
    if (!status)
        status = history_run(&advice, &options);
    advice_close(&advice);
    return status;
}
