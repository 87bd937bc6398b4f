/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The layout of the file, which is that of the structs in plan.h; a key means
 * what the member of the same name does.  For a new one, a line here, a member
 * there and its words in shmlink-snapshot(5) are all that is needed.
 *
 * "subjects" has as many entries as there are domains concerned.  What does
 * not apply is null.
 */
#include "model/plan-fields.h"

#include "model/plan.h"

#include <errno.h>
#include <string.h>

#define NUMBER_MAX 1e15
#define PCPUS_MAX 4096U
#define VCPUS_MAX 65536U
#define DOMID_RESERVED 0x7ff0U

#define TABLE(name) JSONIO_TABLE(name ## _keys, struct plan_ ## name)
#define REAL(key) JSONIO_KEY(#key, REAL, key, -NUMBER_MAX, NUMBER_MAX)
#define TEXT(key) \
    JSONIO_KEY(#key, TEXT, key, .missing = JSONIO_REQUIRED)
#define WORD(key, words_) \
    JSONIO_KEY(#key, WORD, key, .missing = JSONIO_REQUIRED, \
               .words = words_)
#define SUBJECTS(member, least, most) \
    JSONIO_KEY("subjects", ARRAY, member, least, most, \
               .table = &domain_fields)

static const char *const step_kinds[] = {
    "pin-hard", "pin-soft", "set-vcpus", "link-enable", "link-disable", NULL,
};
const char *const plan_reasons[] = {
    "shared-pcpu", "sibling", "contention", "distance",
    "isolation", "room", "cpu-bound", "unused", "new-vcpu", "link-gain",
    "link-loss", NULL,
};
const char *const plan_finding_kinds[] = {
    "shared-pcpu", "shared-core", "wait", "switches", "cpu-bound", "distance",
    "memory", "no-link", "idle-link", "isolation",
    NULL,
};
const char *const plan_note_kinds[] = {
    "admin-pin", "cpupool", "banned", "isolated", "unmanaged", "granularity",
    "cooldown", "bad-plan", "max-moves", "min-gain", "smt", "maxvcpus",
    "no-driver", "no-link", "data", NULL,
};
static const char *const formats[] = { "shmlink-plan", NULL };

#define AT(member) offsetof(struct plan_domain, member)
static const struct jsonio_field domain_keys[] = {
    JSONIO_KEY("uuid", UUID, uuid, .missing = JSONIO_REQUIRED),
    JSONIO_KEY("domid", U32, domid, 0, DOMID_RESERVED - 1,
               JSONIO_REQUIRED),
    TEXT(name),
};
#undef AT

static bool there(const void *object)
{
    return ((const struct plan_domain *)object)->name;
}

static const struct jsonio_table domain_fields = {
    TABLE(domain), .there = there,
};

#define AT(member) offsetof(struct plan_step, member)
static const struct jsonio_field step_keys[] = {
    WORD(kind, step_kinds),
    SUBJECTS(subject, 1, 2),
    JSONIO_KEY("vcpuid", INDEX, vcpuid, 0, VCPUS_MAX - 1),
    JSONIO_KEY("from", SET, from, 0, PCPUS_MAX),
    JSONIO_KEY("to", SET, to, 0, PCPUS_MAX),
    JSONIO_KEY("vcpus_from", U32, vcpus_from, 0, VCPUS_MAX),
    JSONIO_KEY("vcpus_to", U32, vcpus_to, 0, VCPUS_MAX),
    JSONIO_KEY("vif", INDEX, vif[0], 0, UINT32_MAX),
    JSONIO_KEY("peer_vif", INDEX, vif[1], 0, UINT32_MAX),
    JSONIO_KEY("nonce", HEX, nonce, 0, 32),
    WORD(reason, plan_reasons),
    JSONIO_KEY("peer", TEXT, peer),
    TEXT(text),
    REAL(gain),
    TEXT(command),
};
#undef AT

/* What apply needs for a step of this kind is there and makes sense. */
static void check_step(struct jsonio_in *in, const void *object)
{
    const struct plan_step *s = object;

    switch (s->kind) {
    case PLAN_PIN_HARD:
    case PLAN_PIN_SOFT:
        if (!s->from || !s->to || hwloc_bitmap_iszero(s->to) ||
            s->vcpuid == PLAN_NONE)
            jsonio_fail(in, -EINVAL, "a pin needs vcpuid, from and to");
        break;
    case PLAN_SET_VCPUS:
        if (!s->vcpus_from || !s->vcpus_to)
            jsonio_fail(in, -EINVAL,
                        "set-vcpus needs vcpus_from and vcpus_to");
        break;
    default:
        if (!s->subject[1].name ||
            !memcmp(s->subject[0].uuid, s->subject[1].uuid, 16))
            jsonio_fail(in, -EINVAL, "a link needs two domains");
        break;
    }
}

const struct jsonio_table plan_step_fields = {
    TABLE(step), .check = check_step,
};

#define AT(member) offsetof(struct plan_finding, member)
static const struct jsonio_field finding_keys[] = {
    WORD(kind, plan_finding_kinds),
    SUBJECTS(subject, 0, 2),
    JSONIO_KEY("pcpu", INDEX, pcpu, 0, UINT32_MAX),
    REAL(value),
    REAL(error),
    REAL(cost),
    TEXT(text),
};
const struct jsonio_table plan_finding_fields = { TABLE(finding) };
#undef AT

#define AT(member) offsetof(struct plan_note, member)
static const struct jsonio_field note_keys[] = {
    WORD(kind, plan_note_kinds),
    SUBJECTS(subject, 0, 1),
    TEXT(text),
};
const struct jsonio_table plan_note_fields = { TABLE(note) };
#undef AT

#define AT(member) offsetof(struct plan_place, member)
static const struct jsonio_field place_keys[] = {
    SUBJECTS(domain, 1, 1),
    JSONIO_KEY("vcpuid", U32, vcpuid, 0, VCPUS_MAX - 1, JSONIO_REQUIRED),
    JSONIO_KEY("pcpu_before", INDEX, pcpu_before, 0, UINT32_MAX),
    JSONIO_KEY("pcpu_after", INDEX, pcpu_after, 0, UINT32_MAX),
    REAL(load_before),
    REAL(load_after),
};
const struct jsonio_table plan_place_fields = { TABLE(place) };
#undef AT

#define AT(member) offsetof(struct plan_cost, member)
static const struct jsonio_field cost_keys[] = {
    REAL(contention),
    REAL(switches),
    REAL(distance),
    REAL(memory),
    REAL(path),
    REAL(starved),
    REAL(total),
};
static const struct jsonio_table cost_fields = { TABLE(cost) };
#undef AT

#define AT(member) offsetof(struct plan, member)
#define COST(key) \
    JSONIO_KEY(#key, OBJECT, key, .missing = JSONIO_REQUIRED, \
               .table = &cost_fields)
#define LIST(key, most, table_) \
    JSONIO_KEY(#key, LIST, key, 0, most, .table = &table_, \
               .offset_nr = AT(nr_ ## key))
static const struct jsonio_field all_keys[] = {
    { .key = "format", JSONIO_FORMAT, .words = formats },
    JSONIO_KEY("schema", SCHEMA, schema, 1, PLAN_SCHEMA, JSONIO_REQUIRED),
    JSONIO_KEY("time", TIME, time),
    JSONIO_KEY("host", TEXT, host),
    JSONIO_KEY("id", HEX, id, 0, 16, JSONIO_UNREAD),
    COST(before),
    COST(after),
    LIST(steps, PLAN_STEPS_MAX, plan_step_fields),
    LIST(findings, PLAN_FINDINGS_MAX, plan_finding_fields),
    JSONIO_KEY("findings_left_out", U32, findings_left_out, 0, UINT32_MAX),
    LIST(notes, PLAN_NOTES_MAX, plan_note_fields),
    JSONIO_KEY("notes_left_out", U32, notes_left_out, 0, UINT32_MAX),
    LIST(places, PLAN_PLACES_MAX, plan_place_fields),
};
const struct jsonio_table plan_fields = {
    JSONIO_TABLE(all_keys, struct plan),
};
