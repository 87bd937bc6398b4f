/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <errno.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "apply/state.h"
#include "base/jsonio.h"
#include "model/snapshot.h"
#include "base/uuid.h"

#define POLL_MS 50

static bool state_is_pin(const struct apply_state *state)
{
    return state->kind == PLAN_PIN_HARD || state->kind == PLAN_PIN_SOFT;
}

static bool state_is_link(const struct apply_state *state)
{
    return state->kind == PLAN_LINK_ENABLE;
}

void apply_state_dispose(struct apply_state *state)
{
    hwloc_bitmap_free(state->set);
    memset(state, 0, sizeof(*state));
}

static int state_from_step(struct apply_state *state_r,
                           const struct plan_step *step, bool target)
{
    struct apply_state state = { .kind = step->kind, .vcpuid = step->vcpuid };
    uint32_t vcpus = target ? step->vcpus_to : step->vcpus_from;

    memcpy(state.uuid[0], step->subject[0].uuid, 16);
    switch (step->kind) {
    case PLAN_PIN_HARD:
    case PLAN_PIN_SOFT:
        state.set = hwloc_bitmap_dup(target ? step->to : step->from);
        break;
    case PLAN_SET_VCPUS:
        state.set = hwloc_bitmap_alloc();
        if (state.set && vcpus)
            hwloc_bitmap_set_range(state.set, 0, (int)vcpus - 1);
        break;
    default:
        memcpy(state.uuid[1], step->subject[1].uuid, 16);
        memcpy(state.vif, step->vif, sizeof(state.vif));
        state.kind = PLAN_LINK_ENABLE;
        state.link.linked = target == (step->kind == PLAN_LINK_ENABLE);
        if (!target)
            memcpy(state.link.nonce, step->nonce, sizeof(state.link.nonce));
        break;
    }
    if (!state_is_link(&state) && !state.set)
        return -ENOMEM;
    *state_r = state;
    return 0;
}

int apply_state_target(struct apply_state *state_r,
                       const struct plan_step *step)
{
    return state_from_step(state_r, step, true);
}

int apply_state_expected(struct apply_state *state_r,
                         const struct plan_step *step)
{
    return state_from_step(state_r, step, false);
}

static int state_find(const struct apply_state *state,
                      const struct apply_ops *ops, void *host,
                      struct apply_domain domain_r[2])
{
    int rc = ops->find(host, state->uuid[0], &domain_r[0]);

    if (!rc && state_is_link(state))
        rc = ops->find(host, state->uuid[1], &domain_r[1]);
    return rc;
}

/* effective: NULL, or filled in for a pin. */
static int state_read(struct apply_state *state_r,
                      const struct apply_state *like,
                      const struct apply_ops *ops, void *host,
                      hwloc_bitmap_t effective)
{
    struct apply_state state = *like;
    struct apply_domain domain[2];
    uint32_t domid[2];
    int rc;

    state.set = NULL;
    rc = state_find(like, ops, host, domain);
    if (rc)
        return rc;
    if (state_is_link(like)) {
        domid[0] = domain[0].domid;
        domid[1] = domain[1].domid;
        rc = ops->get_link(host, domid, like->vif, &state.link);
    } else {
        state.set = hwloc_bitmap_alloc();
        if (!state.set)
            return -ENOMEM;
        if (state_is_pin(like))
            rc = ops->get_pin(host, domain[0].domid, like->vcpuid,
                              like->kind == PLAN_PIN_HARD, state.set,
                              effective);
        else
            rc = ops->get_vcpus(host, domain[0].domid, state.set);
    }
    if (rc) {
        hwloc_bitmap_free(state.set);
        return rc;
    }
    *state_r = state;
    return 0;
}

int apply_state_read(struct apply_state *state_r,
                     const struct apply_state *like,
                     const struct apply_ops *ops, void *host)
{
    return state_read(state_r, like, ops, host, NULL);
}

int apply_state_set(const struct apply_state *state,
                    const struct apply_ops *ops, void *host)
{
    struct apply_domain domain[2];
    uint32_t domid[2];
    int rc = state_find(state, ops, host, domain);

    if (rc)
        return rc;
    if (state_is_pin(state))
        return ops->set_pin(host, domain[0].domid, state->vcpuid,
                            state->kind == PLAN_PIN_HARD, state->set);
    if (state->kind == PLAN_SET_VCPUS)
        return ops->set_vcpus(host, domain[0].domid, state->set);
    domid[0] = domain[0].domid;
    domid[1] = domain[1].domid;
    return ops->set_link(host, domid, state->vif, &state->link);
}

static bool link_equal(const struct apply_link *a, const struct apply_link *b)
{
    if (a->linked != b->linked)
        return false;
    /* A new link between the same VMs is another one, where that is known. */
    return !a->linked || !*a->nonce || !*b->nonce
           || !strcmp(a->nonce, b->nonce);
}

bool apply_state_equal(const struct apply_state *a,
                       const struct apply_state *b)
{
    if (a->kind != b->kind || memcmp(a->uuid, b->uuid, sizeof(a->uuid))
        || (state_is_pin(a) && a->vcpuid != b->vcpuid)
        || (state_is_link(a) && memcmp(a->vif, b->vif, sizeof(a->vif))))
        return false;
    return state_is_link(a) ? link_equal(&a->link, &b->link)
                            : hwloc_bitmap_isequal(a->set, b->set);
}

int apply_state_verify(const struct apply_state *state,
                       const struct apply_ops *ops, void *host,
                       unsigned int deadline_ms)
{
    hwloc_bitmap_t effective = hwloc_bitmap_alloc();
    struct apply_state now = { 0 };
    unsigned int waited_ms = 0;
    int rc;

    if (!effective)
        return -ENOMEM;
    for (;;) {
        hwloc_bitmap_fill(effective);
        rc = state_read(&now, state, ops, host, effective);
        if (rc)
            break;
        rc = apply_state_equal(&now, state) ? 0 : -ETIMEDOUT;
        apply_state_dispose(&now);
        if (!rc || waited_ms >= deadline_ms)
            break;
        ops->sleep_ms(host, POLL_MS);
        waited_ms += POLL_MS;
    }
    /* Pinned outside its cpupool or hard affinity, Xen runs it elsewhere. */
    if (!rc && state_is_pin(state) && !hwloc_bitmap_isfull(state->set)
        && !hwloc_bitmap_isfull(effective)
        && !hwloc_bitmap_isequal(effective, state->set))
        rc = -EXDEV;
    hwloc_bitmap_free(effective);
    return rc;
}

char *apply_state_uuids(const struct apply_state *state)
{
    char *text = calloc(2, UUID_TEXT_BYTES);

    if (!text)
        return NULL;
    uuid_text(state->uuid[0], text);
    if (state_is_link(state)) {
        text[UUID_TEXT_BYTES - 1] = ' ';
        uuid_text(state->uuid[1], text + UUID_TEXT_BYTES);
    }
    return text;
}

/* In the order of enum plan_step_kind; both link kinds are one here. */
static const char *const kinds[] = { "pin-hard", "pin-soft", "vcpus", "link",
                                     NULL };

#define AT(member) offsetof(struct apply_state, member)
#define TABLE(name) { JSONIO_TABLE(name ## _keys, struct apply_state) }
#define KIND JSONIO_KEY("kind", WORD, kind, .words = kinds)
#define UUID(key, i) \
    JSONIO_KEY(key, UUID, uuid[i], .missing = JSONIO_REQUIRED)
#define SET \
    JSONIO_KEY("set", SET, set, 0, SNAPSHOT_VCPUS_MAX, JSONIO_REQUIRED)
static const struct jsonio_field any_keys[] = { KIND };
static const struct jsonio_field pin_keys[] = {
    KIND, UUID("uuid", 0),
    JSONIO_KEY("vcpuid", U32, vcpuid, 0, SNAPSHOT_VCPUS_MAX,
               JSONIO_REQUIRED),
    SET,
};
static const struct jsonio_field vcpus_keys[] = { KIND, UUID("uuid", 0), SET };
static const struct jsonio_field link_keys[] = {
    KIND, UUID("uuid", 0), UUID("peer", 1),
    JSONIO_KEY("vif", INDEX, vif[0], 0, UINT32_MAX),
    JSONIO_KEY("peer-vif", INDEX, vif[1], 0, UINT32_MAX),
    JSONIO_KEY("linked", BOOL, link.linked),
    JSONIO_KEY("ring-bytes", U32, link.ring_bytes, 0, UINT32_MAX),
    JSONIO_KEY("limit", U32, link.limit, 0, UINT32_MAX),
};
static const struct jsonio_table kind_alone = TABLE(any);
static const struct jsonio_table of_kind[] = {
    TABLE(pin), TABLE(pin), TABLE(vcpus), TABLE(link),
};

int apply_state_format(const struct apply_state *state, char **text_r)
{
    struct jsonio_out out = { .one_line = true };

    if (jsonio_begin(&out))
        return -ENOMEM;
    jsonio_put(&out, NULL, &of_kind[state->kind], state, state);
    return jsonio_done(&out, text_r);
}

int apply_state_parse(struct apply_state *state_r, const char *text)
{
    struct apply_state state = { 0 };
    struct jsonio_in in = { 0 };
    size_t bytes;

    text = text ? text : "";
    bytes = strlen(text);
    jsonio_parse(&in, &kind_alone, &state, text, bytes);
    if (jsonio_init(&of_kind[state.kind], &state))
        jsonio_no_memory(&in);
    jsonio_parse(&in, &of_kind[state.kind], &state, text, bytes);
    if (in.rc)
        apply_state_dispose(&state);
    else
        *state_r = state;
    return jsonio_end(&in, NULL);
}

char *apply_state_command(const struct apply_state *state,
                          const struct apply_ops *ops, void *host)
{
    struct apply_domain domain[2] = { 0 };
    const char *const names[2] = { domain[0].name, domain[1].name };
    bool off = state_is_link(state) && !state->link.linked;
    uint32_t number = state->vcpuid;
    int i;

    for (i = 0; i < (state_is_link(state) ? 2 : 1); i++)
        if (ops->find(host, state->uuid[i], &domain[i]))
            uuid_text(state->uuid[i], domain[i].name);
        else if (!plan_name_plain(domain[i].name))
            snprintf(domain[i].name, sizeof(domain[i].name), "%u",
                     domain[i].domid);
    if (state->kind == PLAN_SET_VCPUS)
        number = (uint32_t)hwloc_bitmap_weight(state->set);
    return plan_command(off ? PLAN_LINK_DISABLE : state->kind, names, number,
                        state->set, state->vif);
}
