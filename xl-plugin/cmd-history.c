// SPDX-License-Identifier: GPL-2.0-or-later
#include "config.h"

#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "advice.h"
#include "advisor.h"
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
    const struct command_option table[] = {
        COMMAND_FLAG('l', "long", "The steps, and what was there before.",
                     &options->full),
        COMMAND_FLAG('j', "json", "Print JSON, complete.", &options->json),
        ADVICE_STATE_DIR(advice),
        COMMAND_END,
    };
    int status = advice_parse(advice, argc, argv, table, 0, 1,
                              "one number at most");

    if (status)
        return status;
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

/* What the journal holds as text is JSON itself, if nobody was at it. */
static void history_put_state(struct jsonio_out *out, const char *key,
                              const char *text)
{
    struct apply_state state = { 0 };

    jsonio_put_raw(out, key, apply_state_parse(&state, text) ? "null" : text);
    apply_state_dispose(&state);
}

static void history_put(struct jsonio_out *out, const struct journal_run *run)
{
    size_t i;

    jsonio_open(out, NULL, '{');
    jsonio_put_int(out, "run", run->id);
    jsonio_put_int(out, "started", run->started_s);
    if (run->finished_s)
        jsonio_put_int(out, "finished", run->finished_s);
    else
        jsonio_put_text(out, "finished", NULL);
    jsonio_put_text(out, "command", run->command);
    jsonio_put_text(out, "plan", run->plan_id);
    jsonio_put_text(out, "state", journal_run_state_name(run->state));
    jsonio_put_text(out, "note", run->note);
    jsonio_open(out, "steps", '[');
    for (i = 0; i < run->nr_steps; i++) {
        const struct journal_step *step = &run->steps[i];

        jsonio_open(out, NULL, '{');
        jsonio_put_text(out, "command", step->what);
        jsonio_put_text(out, "uuid", step->uuid);
        jsonio_put_text(out, "state", journal_step_state_name(step->state));
        history_put_state(out, "before", step->before);
        history_put_state(out, "after", step->after);
        jsonio_close(out, '}');
    }
    jsonio_close(out, ']');
    jsonio_close(out, '}');
}

static void history_json(const struct journal_run *runs, size_t nr_runs)
{
    struct jsonio_out out = { .f = stdout };
    size_t i;

    jsonio_open(&out, NULL, '[');
    for (i = 0; i < nr_runs; i++)
        history_put(&out, &runs[i]);
    jsonio_close(&out, ']');
    putchar('\n');
}

static int history_run(struct advice *advice,
                       const struct history_options *options)
{
    struct journal_run *runs = NULL;
    size_t nr_runs = 0, i;
    int rc;

    if (advice_journal(advice, true))
        return COMMAND_FAILED;
    rc = journal_list(advice->journal, options->limit, &runs, &nr_runs);
    if (rc)
        return advice_journal_failed(advice, rc, "");
    if (options->json) {
        history_json(runs, nr_runs);
    } else if (!nr_runs) {
        printf("Nothing was changed yet.\n");
    } else {
        printf("%5s  %-19s  %-16s %5s  %s\n", "run", "when", "by", "steps",
               "state");
        for (i = 0; i < nr_runs; i++)
            history_print(&runs[i], options->full);
    }
    journal_runs_free(runs, nr_runs);
    return COMMAND_OK;
}

int cmd_history(int argc, char **argv)
{
    struct history_options options = { .limit = RUNS_DEFAULT };
    struct advice advice;
    int status = advice_init(&advice) ?:
                 history_parse(argc, argv, &advice, &options) ?:
                 history_run(&advice, &options);

    advice_close(&advice);
    return status;
}
