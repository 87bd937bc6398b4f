/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The layout of the file; a field means what the one of the same name in
 * plan.h means:
 *
 * { "format": "shmlink-plan", "schema": 1, "time", "host", "id",
 *   "before": {cost}, "after": {cost},
 *   "steps": [ {"kind", "subjects": [ {"uuid", "domid", "name"}, ... ],
 *               "vcpuid", "from", "to", "vcpus_from", "vcpus_to", "vif",
 *               "peer_vif", "nonce",
 *               "reason", "peer", "text", "gain", "command"} ],
 *   "findings": [ {"kind", "subjects", "pcpu", "node", "value", "error",
 *                  "cost", "text"} ],
 *   "notes": [ {"kind", "subjects", "text"} ],
 *   "places": [ {"subjects", "vcpuid", "pcpu_before", "pcpu_after",
 *                "load_before", "load_after"} ] }
 *
 * {cost} has the fields of struct plan_cost, in pCPUs.  "subjects" has as many
 * entries as there are domains concerned.  What does not apply is null.
 */
#include "model/plan.h"

#include "base/jsonio.h"

#include <stdlib.h>

static void put_subjects(struct jsonio_out *out, struct json_object *object,
                         const struct plan_domain *domains, size_t nr)
{
    struct json_object *list = jsonio_put_list(out, object, "subjects");
    struct json_object *item;
    size_t i;

    for (i = 0; i < nr && domains[i].name; i++) {
        item = jsonio_put_object(out, list, NULL);
        jsonio_put_uuid(out, item, "uuid", domains[i].uuid);
        jsonio_put_uint(out, item, "domid", domains[i].domid);
        jsonio_put_text(out, item, "name", domains[i].name);
    }
}

static void put_cost(struct jsonio_out *out, struct json_object *root,
                     const char *key, const struct plan_cost *cost)
{
    struct json_object *item = jsonio_put_object(out, root, key);

    jsonio_put_real(out, item, "contention", cost->contention);
    jsonio_put_real(out, item, "overload", cost->overload);
    jsonio_put_real(out, item, "switches", cost->switches);
    jsonio_put_real(out, item, "distance", cost->distance);
    jsonio_put_real(out, item, "memory", cost->memory);
    jsonio_put_real(out, item, "path", cost->path);
    jsonio_put_real(out, item, "starved", cost->starved);
    jsonio_put_real(out, item, "total", cost->total);
}

static void put_steps(struct jsonio_out *out, struct json_object *root,
                      const struct plan *plan)
{
    struct json_object *list = jsonio_put_list(out, root, "steps"), *item;
    const struct plan_step *step;
    size_t i;

    for (i = 0; i < plan->nr_steps; i++) {
        step = &plan->steps[i];
        item = jsonio_put_object(out, list, NULL);
        jsonio_put_text(out, item, "kind", plan_step_kind_name(step->kind));
        put_subjects(out, item, step->subject, 2);
        jsonio_put_index(out, item, "vcpuid", step->vcpuid);
        jsonio_put_set(out, item, "from", step->from);
        jsonio_put_set(out, item, "to", step->to);
        jsonio_put_uint(out, item, "vcpus_from", step->vcpus_from);
        jsonio_put_uint(out, item, "vcpus_to", step->vcpus_to);
        jsonio_put_index(out, item, "vif", step->vif[0]);
        jsonio_put_index(out, item, "peer_vif", step->vif[1]);
        jsonio_put_text(out, item, "nonce", *step->nonce ? step->nonce : NULL);
        jsonio_put_text(out, item, "reason", plan_reason_name(step->reason));
        jsonio_put_text(out, item, "peer", step->peer);
        jsonio_put_text(out, item, "text", step->text);
        jsonio_put_real(out, item, "gain", step->gain);
        jsonio_put_text(out, item, "command", step->command);
    }
}

static void put_rest(struct jsonio_out *out, struct json_object *root,
                     const struct plan *plan)
{
    struct json_object *list, *item;
    const struct plan_finding *finding;
    const struct plan_place *place;
    size_t i;

    list = jsonio_put_list(out, root, "findings");
    for (i = 0; i < plan->nr_findings; i++) {
        finding = &plan->findings[i];
        item = jsonio_put_object(out, list, NULL);
        jsonio_put_text(out, item, "kind",
                        plan_finding_kind_name(finding->kind));
        put_subjects(out, item, finding->subject, 2);
        jsonio_put_index(out, item, "pcpu", finding->pcpu);
        jsonio_put_index(out, item, "node", finding->node);
        jsonio_put_real(out, item, "value", finding->value);
        jsonio_put_real(out, item, "error", finding->error);
        jsonio_put_real(out, item, "cost", finding->cost);
        jsonio_put_text(out, item, "text", finding->text);
    }
    list = jsonio_put_list(out, root, "notes");
    for (i = 0; i < plan->nr_notes; i++) {
        item = jsonio_put_object(out, list, NULL);
        jsonio_put_text(out, item, "kind",
                        plan_note_kind_name(plan->notes[i].kind));
        put_subjects(out, item, &plan->notes[i].subject, 1);
        jsonio_put_text(out, item, "text", plan->notes[i].text);
    }
    list = jsonio_put_list(out, root, "places");
    for (i = 0; i < plan->nr_places; i++) {
        place = &plan->places[i];
        item = jsonio_put_object(out, list, NULL);
        put_subjects(out, item, &place->domain, 1);
        jsonio_put_uint(out, item, "vcpuid", place->vcpuid);
        jsonio_put_index(out, item, "pcpu_before", place->pcpu_before);
        jsonio_put_index(out, item, "pcpu_after", place->pcpu_after);
        jsonio_put_real(out, item, "load_before", place->load_before);
        jsonio_put_real(out, item, "load_after", place->load_after);
    }
}

int plan_format(const struct plan *plan, char **text_r)
{
    struct jsonio_out out = { 0 };
    struct json_object *root = jsonio_begin(&out, PLAN_FORMAT, PLAN_SCHEMA);

    jsonio_put(&out, root, "time", json_object_new_int64(plan->time));
    jsonio_put_text(&out, root, "host", plan->host);
    jsonio_put_text(&out, root, "id", plan->id);
    put_cost(&out, root, "before", &plan->before);
    put_cost(&out, root, "after", &plan->after);
    put_steps(&out, root, plan);
    put_rest(&out, root, plan);
    return jsonio_render(&out, root, text_r);
}

int plan_save(const struct plan *plan, const char *path)
{
    char *text = NULL;
    int rc;

    rc = plan_format(plan, &text);
    if (!rc)
        rc = jsonio_write_file(path, text, 0600);
    free(text);
    return rc;
}
