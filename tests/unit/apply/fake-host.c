/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "fake-host.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

void fake_uuid(uint8_t uuid[16], unsigned int vm)
{
    memset(uuid, (int)vm + 1, 16);
}

void fake_host_init(struct fake_host *host)
{
    unsigned int i, j, k;

    memset(host, 0, sizeof(*host));
    for (i = 0; i < FAKE_VMS; i++) {
        for (j = 0; j < FAKE_VCPUS; j++)
            for (k = 0; k < 2; k++)
                host->pin[i][j][k] = hwloc_bitmap_alloc_full();
        host->online[i] = hwloc_bitmap_alloc();
        hwloc_bitmap_set(host->online[i], 0);
    }
    /* One affinity is not the default: undo has to bring it back. */
    hwloc_bitmap_zero(host->pin[1][0][0]);
    hwloc_bitmap_set_range(host->pin[1][0][0], 4, 5);
    host->linked[1][2] = host->linked[2][1] = true;
    host->pool = hwloc_bitmap_alloc_full();
}

void fake_host_dispose(struct fake_host *host)
{
    unsigned int i, j, k;

    for (i = 0; i < FAKE_VMS; i++) {
        for (j = 0; j < FAKE_VCPUS; j++)
            for (k = 0; k < 2; k++)
                hwloc_bitmap_free(host->pin[i][j][k]);
        hwloc_bitmap_free(host->online[i]);
    }
    hwloc_bitmap_free(host->pool);
}

char *fake_host_text(const struct fake_host *host)
{
    char *text = NULL, *list = NULL;
    size_t size = 0;
    FILE *f = open_memstream(&text, &size);
    unsigned int i, j, k;

    for (i = 0; i < FAKE_VMS; i++) {
        hwloc_bitmap_list_asprintf(&list, host->online[i]);
        fprintf(f, "vm%u online %s linked", i, list);
        free(list);
        for (j = 0; j < FAKE_VMS; j++)
            fprintf(f, " %d", host->linked[i][j]);
        for (j = 0; j < FAKE_VCPUS; j++)
            for (k = 0; k < 2; k++) {
                hwloc_bitmap_list_asprintf(&list, host->pin[i][j][k]);
                fprintf(f, " %s", list);
                free(list);
            }
        fprintf(f, "\n");
    }
    fclose(f);
    return text;
}

/* Before a change: -errno, 1 to ignore it, or 0 to make it. */
static int fake_fault(struct fake_host *host)
{
    unsigned int n = ++host->changes;

    if (n < host->fault_at || n > host->fault_until)
        return 0;
    if (host->fault == FAKE_FAIL)
        return -EIO;
    if (host->fault == FAKE_REFUSE)
        return -EPERM;
    return host->fault == FAKE_IGNORE;
}

static void fake_exit(const struct fake_host *host)
{
    if (host->fault == FAKE_EXIT && host->changes == host->fault_at)
        _exit(9);
}

static int fake_find(void *opaque, const uint8_t uuid[16],
                     struct apply_domain *domain_r)
{
    struct fake_host *host = opaque;
    uint8_t mine[16];
    unsigned int i;

    for (i = 0; i < FAKE_VMS; i++) {
        fake_uuid(mine, i);
        if (memcmp(mine, uuid, 16) || host->gone[i])
            continue;
        domain_r->domid = 10 + i;
        snprintf(domain_r->name, sizeof(domain_r->name), "vm%u", i);
        return 0;
    }
    return -ESRCH;
}

static int fake_get_pin(void *opaque, uint32_t domid, uint32_t vcpuid,
                        bool hard, hwloc_bitmap_t requested,
                        hwloc_bitmap_t effective)
{
    struct fake_host *host = opaque;

    if (vcpuid >= FAKE_VCPUS)
        return -ENOENT;
    hwloc_bitmap_copy(requested, host->pin[domid - 10][vcpuid][hard]);
    if (effective)
        hwloc_bitmap_and(effective, requested, host->pool);
    return 0;
}

static int fake_set_pin(void *opaque, uint32_t domid, uint32_t vcpuid,
                        bool hard, hwloc_const_bitmap_t pcpus)
{
    struct fake_host *host = opaque;
    int rc = fake_fault(host);

    if (!rc)
        hwloc_bitmap_copy(host->pin[domid - 10][vcpuid][hard], pcpus);
    fake_exit(host);
    return rc < 0 ? rc : 0;
}

static int fake_get_vcpus(void *opaque, uint32_t domid, hwloc_bitmap_t online)
{
    struct fake_host *host = opaque;

    hwloc_bitmap_copy(online, host->online[domid - 10]);
    return 0;
}

static int fake_set_vcpus(void *opaque, uint32_t domid,
                          hwloc_const_bitmap_t online)
{
    struct fake_host *host = opaque;
    int rc = fake_fault(host);

    if (!rc)
        hwloc_bitmap_copy(host->online[domid - 10], online);
    fake_exit(host);
    return rc < 0 ? rc : 0;
}

static int fake_get_link(void *opaque, const uint32_t domid[2],
                         const uint32_t vif[2], struct apply_link *link_r)
{
    struct fake_host *host = opaque;

    (void)vif;
    memset(link_r, 0, sizeof(*link_r));
    link_r->linked = host->linked[domid[0] - 10][domid[1] - 10];
    if (link_r->linked) {
        link_r->ring_bytes = 1 << 20;
        snprintf(link_r->nonce, sizeof(link_r->nonce), "%032u", host->nonce);
    }
    return 0;
}

static int fake_set_link(void *opaque, const uint32_t domid[2],
                         const uint32_t vif[2],
                         const struct apply_link *link)
{
    struct fake_host *host = opaque;
    int rc = fake_fault(host);

    (void)vif;
    if (host->stopped && !host->back)
        return -EINTR;
    if (!rc)
        host->linked[domid[0] - 10][domid[1] - 10]
            = host->linked[domid[1] - 10][domid[0] - 10] = link->linked;
    fake_exit(host);
    return rc < 0 ? rc : 0;
}

static void fake_going_back(void *opaque, bool on)
{
    ((struct fake_host *)opaque)->back = on;
}

static void fake_sleep_ms(void *opaque, unsigned int ms)
{
    ((struct fake_host *)opaque)->slept_ms += ms;
}

static const char *fake_why(void *opaque)
{
    (void)opaque;
    return "the fake host was told to fail";
}

const struct apply_ops fake_ops = {
    .find = fake_find,
    .get_pin = fake_get_pin,
    .set_pin = fake_set_pin,
    .get_vcpus = fake_get_vcpus,
    .set_vcpus = fake_set_vcpus,
    .get_link = fake_get_link,
    .set_link = fake_set_link,
    .going_back = fake_going_back,
    .sleep_ms = fake_sleep_ms,
    .why = fake_why,
};

static struct plan_step *fake_step(struct plan *plan, enum plan_step_kind kind,
                                   unsigned int vm)
{
    struct plan_step *step = plan_add_step(plan);
    uint8_t uuid[16];
    char name[8];

    fake_uuid(uuid, vm);
    snprintf(name, sizeof(name), "vm%u", vm);
    plan_domain_set(&step->subject[0], uuid, 10 + vm, name);
    step->kind = kind;
    return step;
}

void fake_step_pin(struct plan *plan, enum plan_step_kind kind,
                          unsigned int vm, const char *from, unsigned int to)
{
    struct plan_step *step = fake_step(plan, kind, vm);

    step->vcpuid = 0;
    step->from = hwloc_bitmap_alloc_full();
    if (from)
        hwloc_bitmap_list_sscanf(step->from, from);
    step->to = hwloc_bitmap_alloc();
    hwloc_bitmap_set(step->to, to);
}

static void fake_step_link(struct plan *plan, enum plan_step_kind kind,
                           unsigned int a, unsigned int b)
{
    struct plan_step *step = fake_step(plan, kind, a);
    uint8_t uuid[16];
    char name[8];

    fake_uuid(uuid, b);
    snprintf(name, sizeof(name), "vm%u", b);
    plan_domain_set(&step->subject[1], uuid, 10 + b, name);
}

struct plan *fake_plan(void)
{
    struct plan *plan = NULL;
    struct plan_step *step;

    if (plan_new(&plan))
        return NULL;
    step = fake_step(plan, PLAN_SET_VCPUS, 0);
    step->vcpus_from = 1;
    step->vcpus_to = 2;
    fake_step_pin(plan, PLAN_PIN_SOFT, 0, NULL, 2);
    fake_step_pin(plan, PLAN_PIN_SOFT, 1, "4-5", 3);
    fake_step_pin(plan, PLAN_PIN_HARD, 2, NULL, 6);
    fake_step_link(plan, PLAN_LINK_DISABLE, 1, 2);
    fake_step_link(plan, PLAN_LINK_ENABLE, 0, 1);
    plan_identify(plan);
    return plan;
}
