/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Goal: what apply asks of libxl, libxc and libshmlink, and what it makes of
 * their answers.  They are played here: one VM, domid 7, on four pCPUs.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include <libxl.h>
#include <libxl_utils.h>
#include <xenctrl.h>

#include "apply/state.h"
#include "apply/xen.h"
#include "base/xen.h"
#include "shmlink.h"

enum { DOMID = 7, PCPUS = 4, VCPUS = 2 };

static struct
{
    uint8_t hard[VCPUS], soft[VCPUS]; /* one bit for each pCPU */
    uint8_t pool;
    uint8_t online; /* one bit for each vCPU */
    bool linked;
    bool stopped;
    int fail; /* this libxl error from every change */
    unsigned int effective_asked;
} xen;

static char handle; /* every handle points here */
static struct xen connection = {
    .xl = (libxl_ctx *)&handle, .xc = (xc_interface *)&handle,
};
static int heeded; /* the cancel_fd of links */

/* --- libxl ---------------------------------------------------------------- */

int libxl_get_max_cpus(libxl_ctx *ctx)
{
    (void)ctx;
    return PCPUS;
}

int libxl_bitmap_alloc(libxl_ctx *ctx, libxl_bitmap *map, int bits)
{
    (void)ctx;
    map->size = (uint32_t)(bits + 7) / 8;
    map->map = calloc(map->size, 1);
    return map->map ? 0 : ERROR_NOMEM;
}

libxl_dominfo *libxl_list_domain(libxl_ctx *ctx, int *nr)
{
    libxl_dominfo *list = calloc(1, sizeof(*list));

    (void)ctx;
    list->domid = DOMID;
    memset(libxl_uuid_bytearray(&list->uuid), 1, 16);
    *nr = 1;
    return list;
}

void libxl_dominfo_list_free(libxl_dominfo *list, int nr)
{
    (void)nr;
    free(list);
}

char *libxl_domid_to_name(libxl_ctx *ctx, uint32_t domid)
{
    (void)ctx;
    return domid == DOMID ? strdup("web") : NULL;
}

libxl_vcpuinfo *libxl_list_vcpu(libxl_ctx *ctx, uint32_t domid, int *nr,
                                int *nr_pcpus)
{
    libxl_vcpuinfo *list = calloc(VCPUS, sizeof(*list));
    unsigned int i;

    assert_int_equal(domid, DOMID);
    for (i = 0; i < VCPUS; i++) {
        list[i].vcpuid = i;
        libxl_bitmap_alloc(ctx, &list[i].cpumap, PCPUS);
        libxl_bitmap_alloc(ctx, &list[i].cpumap_soft, PCPUS);
        list[i].cpumap.map[0] = xen.hard[i];
        list[i].cpumap_soft.map[0] = xen.soft[i];
    }
    *nr = VCPUS;
    *nr_pcpus = PCPUS;
    return list;
}

void libxl_vcpuinfo_list_free(libxl_vcpuinfo *list, int nr)
{
    while (nr-- > 0) {
        free(list[nr].cpumap.map);
        free(list[nr].cpumap_soft.map);
    }
    free(list);
}

libxl_cputopology *libxl_get_cpu_topology(libxl_ctx *ctx, int *nr)
{
    (void)ctx;
    *nr = PCPUS;
    return calloc(PCPUS, sizeof(libxl_cputopology));
}

void libxl_cputopology_list_free(libxl_cputopology *list, int nr)
{
    (void)nr;
    free(list);
}

int libxl_set_vcpuaffinity(libxl_ctx *ctx, uint32_t domid, uint32_t vcpuid,
                           const libxl_bitmap *hard, const libxl_bitmap *soft)
{
    (void)ctx;
    assert_int_equal(domid, DOMID);
    assert_true(vcpuid < VCPUS);
    /* Never both: the other one is not ours to touch. */
    assert_true(!hard != !soft);
    if (xen.fail)
        return xen.fail;
    if (hard)
        xen.hard[vcpuid] = hard->map[0];
    else
        xen.soft[vcpuid] = soft->map[0];
    return 0;
}

int libxl_set_vcpuonline(libxl_ctx *ctx, uint32_t domid, libxl_bitmap *map,
                         const libxl_asyncop_how *how)
{
    (void)ctx;
    assert_int_equal(domid, DOMID);
    assert_null(how);
    if (xen.fail)
        return xen.fail;
    xen.online = map->map[0];
    return 0;
}

/* --- libxc ---------------------------------------------------------------- */

xc_cpumap_t xc_cpumap_alloc(xc_interface *xc)
{
    (void)xc;
    return calloc(1, 8);
}

int xc_get_cpumap_size(xc_interface *xc)
{
    (void)xc;
    return 8;
}

int xc_vcpu_setaffinity(xc_interface *xc, uint32_t domid, int vcpu,
                        xc_cpumap_t hard, xc_cpumap_t soft, uint32_t flags)
{
    (void)xc;
    (void)domid;
    xen.effective_asked++;
    /* What is asked again must be what is there already. */
    if (flags == XEN_VCPUAFFINITY_HARD) {
        assert_int_equal(hard[0], xen.hard[vcpu]);
        hard[0] &= xen.pool;
    } else {
        assert_int_equal(soft[0], xen.soft[vcpu]);
        soft[0] &= xen.hard[vcpu] & xen.pool;
    }
    return 0;
}

int xc_domain_getinfolist(xc_interface *xc, uint32_t first, unsigned int max,
                          xc_domaininfo_t *info)
{
    (void)xc;
    (void)max;
    memset(info, 0, sizeof(*info));
    info->domain = (domid_t)first;
    info->max_vcpu_id = VCPUS - 1;
    return 1;
}

int xc_vcpu_getinfo(xc_interface *xc, uint32_t domid, uint32_t vcpu,
                    xc_vcpuinfo_t *info)
{
    (void)xc;
    (void)domid;
    memset(info, 0, sizeof(*info));
    info->online = xen.online >> vcpu & 1;
    return 0;
}

/* --- libshmlink ----------------------------------------------------------- */

int shmlink_ctx_open(struct shmlink_ctx **ctx_r,
                     const struct shmlink_ctx_options *options, char **why_r)
{
    (void)why_r;
    assert_ptr_equal(options->xen, &connection);
    heeded = options->cancel_fd;
    *ctx_r = (struct shmlink_ctx *)&handle;
    return 0;
}

void shmlink_ctx_heed(struct shmlink_ctx *ctx, int cancel_fd)
{
    (void)ctx;
    heeded = cancel_fd;
}

void shmlink_ctx_close(struct shmlink_ctx *ctx)
{
    (void)ctx;
}

const char *shmlink_why(const struct shmlink_ctx *ctx)
{
    (void)ctx;
    return "the guest does not answer";
}

int shmlink_list(struct shmlink_ctx *ctx, const char *dom, bool counters,
                 struct shmlink_link **links_r, size_t *nr_r)
{
    (void)ctx;
    (void)counters;
    assert_string_equal(dom, "7:1");
    *links_r = calloc(1, sizeof(**links_r));
    (*links_r)->domid[0] = 8;
    (*links_r)->domid[1] = 7;
    (*links_r)->vif[0] = 3;
    (*links_r)->vif[1] = 1;
    (*links_r)->ring_bytes = 1 << 20;
    (*links_r)->limit = 1 << 21;
    strcpy((*links_r)->nonce, "00112233445566778899aabbccddeeff");
    (*links_r)->state = xen.linked ? SHMLINK_CONNECTED : SHMLINK_CONNECTING;
    *nr_r = 1;
    return 0;
}

int shmlink_enable(struct shmlink_ctx *ctx,
                   const struct shmlink_enable_options *options,
                   bool *changed_r, struct shmlink_link *link_r)
{
    (void)ctx;
    assert_null(link_r);
    /* Told to stop, it goes on only where it heeds no signal. */
    if (xen.stopped && heeded >= 0)
        return -EINTR;
    assert_string_equal(options->dom[0], "7:1");
    assert_string_equal(options->dom[1], "8");
    assert_int_equal(options->ring_bytes, 4096);
    assert_int_equal(options->limit, 5000);
    assert_false(options->force);
    *changed_r = true;
    xen.linked = !xen.fail;
    return xen.fail ? -ETIMEDOUT : 0;
}

int shmlink_disable(struct shmlink_ctx *ctx,
                    const struct shmlink_disable_options *options,
                    size_t *nr_r)
{
    (void)ctx;
    assert_string_equal(options->dom[0], "7:1");
    assert_string_equal(options->dom[1], "8");
    *nr_r = 1;
    xen.linked = false;
    return xen.fail ? -ETIMEDOUT : 0;
}

/* -------------------------------------------------------------------------- */

static struct apply_xen *host;

static int setup(void **state)
{
    char *why = NULL;

    (void)state;
    memset(&xen, 0, sizeof(xen));
    memset(xen.hard, 0xf, sizeof(xen.hard));
    memset(xen.soft, 0xf, sizeof(xen.soft));
    xen.pool = 0xf;
    xen.online = 1;
    return apply_xen_open(&host, &connection, 0, &why);
}

static int teardown(void **state)
{
    (void)state;
    apply_xen_close(host);
    return 0;
}

static struct apply_state state_of(enum plan_step_kind kind, const char *set)
{
    struct apply_state state = { .kind = kind };

    memset(state.uuid[0], 1, 16);
    state.set = hwloc_bitmap_alloc();
    hwloc_bitmap_list_sscanf(state.set, set);
    return state;
}

static int drive(struct apply_state *state)
{
    int rc = apply_state_set(state, &apply_xen_ops, host);

    return rc ? rc : apply_state_verify(state, &apply_xen_ops, host, 100);
}

static void test_pins(void **unused)
{
    struct apply_state pin = state_of(PLAN_PIN_SOFT, "2");
    struct apply_state now;

    (void)unused;
    assert_int_equal(apply_state_read(&now, &pin, &apply_xen_ops, host), 0);
    /* All that there are is "all", and reading asks Xen for nothing else. */
    assert_true(hwloc_bitmap_isfull(now.set));
    assert_int_equal(xen.effective_asked, 0);
    pin.vcpuid = 1;
    assert_int_equal(drive(&pin), 0);
    assert_int_equal(xen.soft[1], 4);
    assert_int_equal(xen.soft[0], 0xf);
    assert_int_equal(xen.hard[1], 0xf);
    pin.kind = PLAN_PIN_HARD;
    assert_int_equal(drive(&pin), 0);
    assert_int_equal(xen.hard[1], 4);
    /* Back to all. */
    hwloc_bitmap_fill(pin.set);
    assert_int_equal(drive(&pin), 0);
    assert_int_equal(xen.hard[1], 0xf);
    apply_state_dispose(&now);
    apply_state_dispose(&pin);
}

static void test_not_effective(void **unused)
{
    struct apply_state pin = state_of(PLAN_PIN_SOFT, "2");

    (void)unused;
    xen.pool = 3;
    assert_int_equal(drive(&pin), -EXDEV);
    pin.kind = PLAN_PIN_HARD;
    assert_int_equal(drive(&pin), -EXDEV);
    xen.pool = 0xf;
    xen.hard[0] = 1;
    pin.kind = PLAN_PIN_SOFT;
    assert_int_equal(drive(&pin), -EXDEV);
    apply_state_dispose(&pin);
}

static void test_vcpus(void **unused)
{
    struct apply_state vcpus = state_of(PLAN_SET_VCPUS, "0-1");
    struct apply_state now;

    (void)unused;
    assert_int_equal(drive(&vcpus), 0);
    assert_int_equal(xen.online, 3);
    xen.online = 1; /* the guest does not follow */
    assert_int_equal(apply_state_verify(&vcpus, &apply_xen_ops, host, 100),
                     -ETIMEDOUT);
    assert_int_equal(apply_state_read(&now, &vcpus, &apply_xen_ops, host), 0);
    assert_int_equal(hwloc_bitmap_weight(now.set), 1);
    apply_state_dispose(&now);
    hwloc_bitmap_zero(vcpus.set);
    assert_int_equal(apply_state_set(&vcpus, &apply_xen_ops, host), -EINVAL);
    apply_state_dispose(&vcpus);
}

static void test_links(void **unused)
{
    const uint32_t domid[2] = { 7, 8 }, vif[2] = { 1, PLAN_NONE };
    const uint32_t other[2] = { 1, 5 };
    const struct apply_link none = { 0 };
    const struct apply_link wanted = {
        .linked = true, .ring_bytes = 4096, .limit = 5000,
    };
    struct apply_link link = { .linked = true };

    (void)unused;
    /* One that still connects is none. */
    assert_int_equal(apply_xen_ops.get_link(host, domid, vif, &link), 0);
    assert_false(link.linked);
    assert_int_equal(apply_xen_ops.set_link(host, domid, vif,
                                            &wanted), 0);
    assert_int_equal(apply_xen_ops.get_link(host, domid, vif, &link), 0);
    assert_true(link.linked);
    assert_int_equal(link.ring_bytes, 1 << 20);
    assert_int_equal(link.limit, 1 << 21);
    assert_string_equal(link.nonce, "00112233445566778899aabbccddeeff");
    /* That of another pair of vifs is another link. */
    assert_int_equal(apply_xen_ops.get_link(host, domid, other, &link), 0);
    assert_false(link.linked);
    assert_int_equal(apply_xen_ops.set_link(host, domid, vif, &none), 0);
    xen.stopped = true;
    assert_int_equal(apply_xen_ops.set_link(host, domid, vif,
                                            &wanted), -EINTR);
    apply_xen_ops.going_back(host, true);
    assert_int_equal(apply_xen_ops.set_link(host, domid, vif,
                                            &wanted), 0);
    apply_xen_ops.going_back(host, false);
    xen.stopped = false;
    xen.fail = ERROR_FAIL;
    /* A link that does not come up is as good as refused; one that does not
     * go away is not to be mistaken for apply's own "it is not so". */
    assert_int_equal(apply_xen_ops.set_link(host, domid, vif,
                                            &wanted), -EPERM);
    assert_string_equal(apply_xen_ops.why(host), "the guest does not answer");
    assert_int_equal(apply_xen_ops.set_link(host, domid, vif, &none),
                     -ETIME);
    assert_string_equal(apply_xen_ops.why(host), "the guest does not answer");
}

static void test_failures(void **unused)
{
    struct apply_state pin = state_of(PLAN_PIN_HARD, "1");
    struct apply_state vcpus = state_of(PLAN_SET_VCPUS, "0-1");

    (void)unused;
    xen.fail = ERROR_INVAL;
    assert_int_equal(drive(&pin), -EINVAL);
    assert_non_null(strstr(apply_xen_ops.why(host), "domain 7"));
    assert_int_equal(drive(&vcpus), -EINVAL);
    pin.vcpuid = VCPUS;
    assert_int_equal(apply_state_verify(&pin, &apply_xen_ops, host, 0),
                     -ENOENT);
    memset(pin.uuid[0], 2, 16);
    assert_int_equal(drive(&pin), -ESRCH);
    apply_state_dispose(&pin);
    apply_state_dispose(&vcpus);
}

int main(void)
{
#define TEST(f) cmocka_unit_test_setup_teardown(f, setup, teardown)
    const struct CMUnitTest tests[] = {
        TEST(test_pins),
        TEST(test_not_effective),
        TEST(test_vcpus),
        TEST(test_links),
        TEST(test_failures),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
