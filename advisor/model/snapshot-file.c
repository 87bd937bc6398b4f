/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "model/snapshot.h"

#include "model/snapshot-fields.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

/* The position of the domain whose domid stands there. */
static void resolve(struct jsonio_in *in, const char *key, size_t *domain)
{
    size_t found;

    if (*domain == SNAPSHOT_OUTSIDE || in->rc)
        return;
    found = snapshot_find_domid(in->root, (uint32_t)*domain);
    if (found == SNAPSHOT_OUTSIDE)
        jsonio_fail(in, -EINVAL, "%s: no domain %zu", key, *domain);
    *domain = found;
}

/* What needs the whole file, since keys may come in any order. */
static void resolve_all(struct jsonio_in *in, struct snapshot *snapshot)
{
    struct jsonio_place place = { "traffic", 0, NULL };
    size_t i;

    in->root = snapshot;
    in->place = &place;
    for (i = 0; i < snapshot->nr_traffic; i++) {
        place.index = i;
        resolve(in, "from", &snapshot->traffic[i].from);
        resolve(in, "to", &snapshot->traffic[i].to);
    }
    place.key = "links";
    for (i = 0; i < snapshot->nr_links; i++) {
        place.index = i;
        resolve(in, "domid", &snapshot->links[i].end[0].domain);
        resolve(in, "domid", &snapshot->links[i].end[1].domain);
    }
    place.key = "domains";
    for (i = 0; i < snapshot->nr_switches; i++) {
        place.index = snapshot->vcpus[snapshot->switches[i].vcpu].domain;
        resolve(in, "switched_by: domid", &snapshot->switches[i].by_domain);
    }
    in->place = NULL;
}

/* Notes that lack something are empty. */
static void fill_notes(struct jsonio_in *in, struct snapshot *snapshot)
{
    struct snapshot_note *note;
    size_t i;

    for (i = 0; i < snapshot->nr_notes; i++) {
        note = &snapshot->notes[i];
        if (!note->source)
            note->source = strdup("");
        if (!note->text)
            note->text = strdup("");
        if (!note->source || !note->text)
            jsonio_no_memory(in);
    }
}

int snapshot_load(struct snapshot **snapshot_r, const char *path,
                  char **why_r)
{
    struct snapshot *snapshot = NULL;
    struct jsonio_in in = { 0 };

    if (snapshot_new(&snapshot))
        jsonio_no_memory(&in);
    else
        jsonio_load(&in, &snapshot_fields, snapshot, path);
    if (!in.rc)
        resolve_all(&in, snapshot);
    if (!in.rc)
        fill_notes(&in, snapshot);
    if (!in.rc)
        in.rc = snapshot_check(snapshot, &in.why);

    if (in.rc)
        snapshot_free(snapshot);
    else
        *snapshot_r = snapshot;
    return jsonio_end(&in, why_r);
}

int snapshot_save(const struct snapshot *snapshot, const char *path)
{
    return jsonio_save(&snapshot_fields, snapshot, path);
}
