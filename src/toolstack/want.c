// SPDX-License-Identifier: GPL-2.0-or-later
#include "config.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/parse.h"
#include "toolstack/ctx.h"
#include "toolstack/domain.h"
#include "toolstack/pick.h"
#include "toolstack/remember.h"

/* A VM's start is not to hang on links. */
enum { START_WAIT_MS = 5000 };

struct wanted {
    struct pick pick;
    bool noted;
};

/* guest: whose configuration it is, NULL: shmlink.conf. */
struct want {
    const char *guest;
    struct wanted *wanted;
    size_t nr;
};

/* The guest had that name, which is another's now. */
static bool is_renamed(struct shmlink_ctx *ctx, const struct remembered *link,
                       int end)
{
    struct shmlink_domain domain;

    return !domain_by_uuid(ctx, link->uuid[end], &domain) &&
           strcmp(domain.name, link->name[end]);
}

/* The bit of who asks now, in a note's own order; 0: not that guest's link. */
static uint32_t want_bit(struct shmlink_ctx *ctx, const struct want *want,
                         const struct remembered *link)
{
    int end;

    if (!want->guest)
        return REMEMBER_CONF;
    for (end = 0; end < 2; end++)
        if (link->name[end] && !strcmp(link->name[end], want->guest) &&
            !is_renamed(ctx, link, end))
            return REMEMBER_GUEST << end;
    return 0;
}

static enum remember_look look_wanted(struct shmlink_ctx *ctx,
                                      struct remembered *link,
                                      const void *opaque)
{
    const struct want *want = opaque;
    uint32_t bit = want_bit(ctx, want, link), asked = link->asked & ~bit;
    size_t i;

    for (i = 0; i < want->nr && bit; i++)
        if (pick_has_remembered(ctx, &want->wanted[i].pick, link)) {
            want->wanted[i].noted = true;
            asked |= bit;
        }
    if (asked == link->asked)
        return REMEMBER_AS_IT_IS;
    link->asked = asked;
    link->persist = asked;
    return asked || link->holder ? REMEMBER_CHANGED : REMEMBER_GONE;
}

/* What is not noted yet. */
static int want_add(struct shmlink_ctx *ctx, const struct want *want)
{
    struct remembered note = {
        .ring_bytes = SHMLINK_RING_BYTES_DEFAULT,
        .persist = true,
        .asked = want->guest ? REMEMBER_GUEST : REMEMBER_CONF,
        .since = time(NULL),
    };
    struct pick *pick;
    int end, rc = 0;
    size_t i;

    for (i = 0; i < want->nr && !rc; i++) {
        pick = &want->wanted[i].pick;
        if (want->wanted[i].noted)
            continue;
        for (end = 0; end < 2; end++) {
            memcpy(note.uuid[end], pick->domain[end].uuid, 16);
            note.name[end] = pick->domain[end].name;
            note.vif[end] = pick->vif[end];
        }
        rc = remember_add(ctx, &note);
    }
    return rc;
}

/* One end, by a domain that runs or by its name alone. */
static void want_end(const struct shmlink_domain *domains, size_t nr,
                     const struct want *want, struct pick *pick, int end)
{
    struct shmlink_domain *domain = &pick->domain[end];
    size_t i;

    for (i = 0; i < nr; i++)
        if (!domains[i].dying && !domains[i].shutdown &&
            !strcmp(domains[i].name, domain->name)) {
            *domain = domains[i];
            return;
        }
    /* Which says nothing of a guest that is about to start. */
    domain->domid = want->guest && !end ? 0 : SHMLINK_DOMID_NONE;
}

/* A guest's own name is as in its configuration, with no vif behind it. */
static int want_name(const struct want *want, const char *text,
                     struct pick *pick, int end)
{
    struct shmlink_domain *domain = &pick->domain[end];

    pick->vif[end] = SHMLINK_VIF_ANY;
    return want->guest && !end
               ? parse_own_name(text, domain->name, sizeof(domain->name))
               : parse_guest(text, domain->name, sizeof(domain->name),
                             &pick->vif[end]);
}

static void want_no_name(struct shmlink_ctx *ctx, const char *text)
{
    char clean[SHMLINK_NAME_BYTES];

    parse_sanitise(text, clean, sizeof(clean));
    ctx_fail(ctx, -EINVAL, "'%s' is no name of a VM", clean);
}

static int want_read(struct shmlink_ctx *ctx, const struct want *want,
                     const struct shmlink_want *pairs)
{
    struct shmlink_domain *domains = NULL;
    size_t i, nr;
    int end, rc = want->nr ? shmlink_domain_list(ctx, &domains, &nr) : 0;

    for (i = 0; i < want->nr && !rc; i++) {
        struct pick *pick = &want->wanted[i].pick;

        pick->nr = 2;
        for (end = 0; end < 2 && !rc; end++) {
            rc = want_name(want, pairs[i].dom[end], pick, end);
            if (rc)
                want_no_name(ctx, pairs[i].dom[end]);
            else
                want_end(domains, nr, want, pick, end);
        }
        if (!rc && !strcmp(pick->domain[0].name, pick->domain[1].name))
            rc = ctx_fail(ctx, -EINVAL, "%s and %s are the same VM",
                          pairs[i].dom[0], pairs[i].dom[1]);
    }
    free(domains);
    return rc;
}

/* Of each that has to wait one line, as its name may be a mistake. */
static void want_tell(struct shmlink_ctx *ctx, const struct want *want)
{
    const struct shmlink_domain *domain;
    size_t i;
    int end;

    for (i = 0; i < want->nr; i++) {
        domain = want->wanted[i].pick.domain;
        for (end = 0; end < 2; end++)
            if (domain[end].domid == SHMLINK_DOMID_NONE)
                break;
        if (end < 2)
            ctx_notice(ctx, "%s and %s are linked once a VM %s runs",
                       domain[0].name, domain[1].name, domain[end].name);
    }
}

/* 1: all is noted; 0: it is not.  Errors: those of remember_read(). */
static int want_is_noted(struct shmlink_ctx *ctx, const struct want *want)
{
    struct remembered_list list;
    int rc = remember_read(ctx, &list);
    bool noted = true;
    size_t i;

    if (rc)
        return rc;
    for (i = 0; i < list.nr_links && noted; i++)
        noted = look_wanted(ctx, &list.links[i], want) == REMEMBER_AS_IT_IS;
    for (i = 0; i < want->nr; i++)
        noted = noted && want->wanted[i].noted;
    for (i = 0; i < want->nr; i++)
        want->wanted[i].noted = false;
    remember_free(&list);
    return noted;
}

/*
 * Other commands may take their time: not waited for where all is noted, and
 * by a start of a VM for a while only.
 */
static int want_note(struct shmlink_ctx *ctx, const struct want *want)
{
    int rc = want_is_noted(ctx, want);

    if (rc)
        return rc < 0 ? rc : 0;
    rc = ctx_lock_within(ctx, want->guest ? START_WAIT_MS : INT64_MAX);
    if (rc == -EAGAIN)
        ctx_fail(ctx, rc, "the links of %s are not noted, as another command "
                 "is changing links", want->guest);
    if (rc)
        return rc;
    rc = remember_edit(ctx, look_wanted, want);
    if (!rc)
        rc = want_add(ctx, want);
    ctx_unlock(ctx);
    return rc;
}

int shmlink_want_links(struct shmlink_ctx *ctx, const char *guest,
                       const struct shmlink_want *pairs, size_t nr)
{
    struct want want = { .guest = guest, .nr = nr };
    int rc;

    ctx_begin(ctx);
    want.wanted = calloc(nr + 1, sizeof(*want.wanted));
    if (!want.wanted)
        return ctx_fail(ctx, -ENOMEM, "out of memory");
    rc = want_read(ctx, &want, pairs);
    if (!rc)
        rc = want_note(ctx, &want);
    if (!rc)
        want_tell(ctx, &want);
    free(want.wanted);
    return rc;
}
