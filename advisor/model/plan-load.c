/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "model/plan.h"

#include "base/jsonio.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#define NUMBER_MAX 1e15
#define PCPUS_MAX 4096U
#define VCPUS_MAX 65536U
#define DOMID_RESERVED 0x7ff0U

/* The kind whose name stands in the field, which there must be. */
#define GET_KIND(in, item, key, name_of) \
    get_kind(in, item, key, (const char *(*)(unsigned))(name_of))

static unsigned get_kind(struct jsonio_in *in, struct json_object *item,
                         const char *key, const char *(*name_of)(unsigned))
{
    char *text = jsonio_text(in, item, key);
    unsigned kind;

    for (kind = 0; text && name_of(kind); kind++)
        if (!strcmp(text, name_of(kind)))
            break;
    if (!text || !name_of(kind)) {
        jsonio_fail(in, -EINVAL, "%s: missing or unknown", key);
        kind = 0;
    }
    free(text);
    return kind;
}

static double get_number(struct jsonio_in *in, struct json_object *item,
                         const char *key)
{
    return jsonio_real(in, item, key, -NUMBER_MAX, NUMBER_MAX, 0);
}

static void get_subjects(struct jsonio_in *in, struct json_object *object,
                         struct plan_domain *domains, size_t min, size_t max)
{
    struct json_object *list, *item;
    size_t nr, i;

    list = jsonio_list(in, object, "subjects", max, &nr);
    if (nr < min)
        jsonio_fail(in, -EINVAL, "subjects: must have %zu entries", min);
    for (i = 0; i < nr && !in->rc; i++) {
        item = jsonio_item(in, list, i);
        jsonio_uuid(in, item, "uuid", domains[i].uuid);
        domains[i].domid = (uint32_t)jsonio_uint(in, item, "domid", 0,
                                                 DOMID_RESERVED - 1,
                                                 PLAN_NONE);
        domains[i].name = jsonio_text(in, item, "name");
        if (!domains[i].name)
            jsonio_fail(in, -EINVAL, "name: missing");
    }
}

static void get_cost(struct jsonio_in *in, struct json_object *root,
                     const char *key, struct plan_cost *cost)
{
    struct json_object *item = NULL;

    if (in->rc || !json_object_object_get_ex(root, key, &item) ||
        !json_object_is_type(item, json_type_object)) {
        jsonio_fail(in, -EINVAL, "%s: missing", key);
        return;
    }
    cost->contention = get_number(in, item, "contention");
    cost->overload = get_number(in, item, "overload");
    cost->switches = get_number(in, item, "switches");
    cost->distance = get_number(in, item, "distance");
    cost->memory = get_number(in, item, "memory");
    cost->path = get_number(in, item, "path");
    cost->starved = get_number(in, item, "starved");
    cost->total = get_number(in, item, "total");
}

/* What apply needs for a step of this kind is there and makes sense. */
static void check_step(struct jsonio_in *in, const struct plan_step *step)
{
    bool pin = step->kind == PLAN_PIN_HARD || step->kind == PLAN_PIN_SOFT;

    if (in->rc)
        return;
    if (pin && (!step->from || !step->to || hwloc_bitmap_iszero(step->to) ||
                step->vcpuid >= VCPUS_MAX))
        jsonio_fail(in, -EINVAL, "a pin needs vcpuid, from and to");
    else if (step->kind == PLAN_SET_VCPUS &&
             (!step->vcpus_from || !step->vcpus_to))
        jsonio_fail(in, -EINVAL, "set-vcpus needs vcpus_from and vcpus_to");
    else if ((step->kind == PLAN_LINK_ENABLE ||
              step->kind == PLAN_LINK_DISABLE) &&
             (!step->subject[1].name ||
              !memcmp(step->subject[0].uuid, step->subject[1].uuid, 16)))
        jsonio_fail(in, -EINVAL, "a link needs two domains");
    else if (!step->text || !step->command)
        jsonio_fail(in, -EINVAL, "text or command is missing");
}

static void get_steps(struct jsonio_in *in, struct json_object *root,
                      struct plan *plan)
{
    struct json_object *item;
    struct plan_step *step;

    for (item = jsonio_first(in, root, "steps", PLAN_STEPS_MAX); item;
         item = jsonio_next(in)) {
        step = plan_add_step(plan);
        if (!step) {
            jsonio_no_memory(in);
            break;
        }
        step->kind = GET_KIND(in, item, "kind", plan_step_kind_name);
        get_subjects(in, item, step->subject, 1, 2);
        step->vcpuid = jsonio_index(in, item, "vcpuid");
        step->from = jsonio_set(in, item, "from", PCPUS_MAX);
        step->to = jsonio_set(in, item, "to", PCPUS_MAX);
        step->vcpus_from = (uint32_t)jsonio_uint(in, item, "vcpus_from", 0,
                                                 VCPUS_MAX, 0);
        step->vcpus_to = (uint32_t)jsonio_uint(in, item, "vcpus_to", 0,
                                               VCPUS_MAX, 0);
        step->vif[0] = jsonio_index(in, item, "vif");
        step->vif[1] = jsonio_index(in, item, "peer_vif");
        jsonio_hex(in, item, "nonce", step->nonce, 32);
        step->reason = GET_KIND(in, item, "reason", plan_reason_name);
        step->peer = jsonio_text(in, item, "peer");
        step->text = jsonio_text(in, item, "text");
        step->gain = get_number(in, item, "gain");
        step->command = jsonio_text(in, item, "command");
        check_step(in, step);
    }
}

static void get_findings(struct jsonio_in *in, struct json_object *root,
                         struct plan *plan)
{
    struct plan_finding *finding;
    struct json_object *item;

    for (item = jsonio_first(in, root, "findings", PLAN_FINDINGS_MAX); item;
         item = jsonio_next(in)) {
        finding = plan_add_finding(plan);
        if (!finding) {
            jsonio_no_memory(in);
            break;
        }
        finding->kind = GET_KIND(in, item, "kind", plan_finding_kind_name);
        get_subjects(in, item, finding->subject, 0, 2);
        finding->pcpu = jsonio_index(in, item, "pcpu");
        finding->node = jsonio_index(in, item, "node");
        finding->value = get_number(in, item, "value");
        finding->error = get_number(in, item, "error");
        finding->cost = get_number(in, item, "cost");
        finding->text = jsonio_text(in, item, "text");
        if (!finding->text)
            jsonio_fail(in, -EINVAL, "text: missing");
    }
}

static void get_notes(struct jsonio_in *in, struct json_object *root,
                      struct plan *plan)
{
    struct json_object *item;
    struct plan_note *note;

    for (item = jsonio_first(in, root, "notes", PLAN_NOTES_MAX); item;
         item = jsonio_next(in)) {
        note = plan_add_note(plan);
        if (!note) {
            jsonio_no_memory(in);
            break;
        }
        note->kind = GET_KIND(in, item, "kind", plan_note_kind_name);
        get_subjects(in, item, &note->subject, 0, 1);
        note->text = jsonio_text(in, item, "text");
        if (!note->text)
            jsonio_fail(in, -EINVAL, "text: missing");
    }
}

static void get_places(struct jsonio_in *in, struct json_object *root,
                       struct plan *plan)
{
    struct json_object *item;
    struct plan_place *place;

    for (item = jsonio_first(in, root, "places", PLAN_PLACES_MAX); item;
         item = jsonio_next(in)) {
        place = plan_add_place(plan);
        if (!place) {
            jsonio_no_memory(in);
            break;
        }
        get_subjects(in, item, &place->domain, 1, 1);
        place->vcpuid = (uint32_t)jsonio_uint(in, item, "vcpuid", 0,
                                              VCPUS_MAX - 1, PLAN_NONE);
        place->pcpu_before = jsonio_index(in, item, "pcpu_before");
        place->pcpu_after = jsonio_index(in, item, "pcpu_after");
        place->load_before = get_number(in, item, "load_before");
        place->load_after = get_number(in, item, "load_after");
    }
}

static void get_all(struct jsonio_in *in, struct json_object *root,
                    struct plan *plan)
{
    jsonio_format(in, root, PLAN_FORMAT, PLAN_SCHEMA);
    plan->time = (int64_t)jsonio_uint(in, root, "time", 0, INT64_MAX, 0);
    plan->host = jsonio_text(in, root, "host");
    get_cost(in, root, "before", &plan->before);
    get_cost(in, root, "after", &plan->after);
    get_steps(in, root, plan);
    get_findings(in, root, plan);
    get_notes(in, root, plan);
    get_places(in, root, plan);
    /* Not taken from the file, which may have been edited. */
    plan_identify(plan);
}

int plan_parse(struct plan **plan_r, const char *text, size_t bytes,
               char **why_r)
{
    struct jsonio_in in = { 0 };
    struct plan *plan = NULL;
    struct json_object *root = jsonio_parse(&in, text, bytes,
                                            PLAN_FILE_BYTES_MAX);

    if (root && plan_new(&plan))
        jsonio_no_memory(&in);
    if (!in.rc)
        get_all(&in, root, plan);
    json_object_put(root);

    if (in.rc)
        plan_free(plan);
    else
        *plan_r = plan;
    return jsonio_end(&in, why_r);
}

int plan_load(struct plan **plan_r, const char *path, char **why_r)
{
    struct jsonio_in in = { 0 };
    char *text = NULL;
    size_t bytes;
    int rc;

    rc = jsonio_read_file(path, PLAN_FILE_BYTES_MAX, &text, &bytes);
    if (rc) {
        jsonio_fail(&in, rc, "%s", strerror(-rc));
        return jsonio_end(&in, why_r);
    }
    rc = plan_parse(plan_r, text, bytes, why_r);
    free(text);
    return rc;
}
