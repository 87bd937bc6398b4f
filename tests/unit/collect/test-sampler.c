/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The sampling of vifs, with a kernel made here that answers netlink. */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>
#include <linux/rtnetlink.h>
#include <netlink/errno.h>
#include <netlink/msg.h>
#include <netlink/netlink.h>

#include "collect/collect.h"
#include "collect/psample-socket.h"
#include "sysfs.h"
#include "collect/sampler.h"

enum { VIF = 7 };

static char root[SYSFS_ROOT_BYTES];
/* Of the filter on the vif; libnl's code for what fails, 0: nothing. */
static struct {
    bool there, clsact;
    unsigned int adds, changes;
    unsigned int take_at;       /* before this change somebody removes it */
    int change_error;
} kernel;

/* --- libnl ----------------------------------------------------------------- */

int nl_connect(struct nl_sock *sock, int protocol)
{
    (void)sock, (void)protocol;
    return 0;
}

static int answer(const struct nlmsghdr *header)
{
    const struct tcmsg *tc = nlmsg_data(header);

    switch (header->nlmsg_type) {
    case RTM_NEWQDISC:
        kernel.clsact = true;
        return 0;
    case RTM_DELQDISC:
        kernel.clsact = false;
        return 0;
    case RTM_NEWTFILTER:
        kernel.adds++;
        kernel.there = true;
        return 0;
    case RTM_DELTFILTER:
        if (!kernel.there || tc->tcm_handle != SAMPLER_HANDLE_MADE)
            return -NLE_OBJ_NOTFOUND;
        kernel.there = false;
        return 0;
    case RTM_NEWACTION:
        if (kernel.change_error)
            return -kernel.change_error;
        if (++kernel.changes == kernel.take_at)
            kernel.there = false;
        return 0;
    default:
        return -NLE_INVAL;
    }
}

int nl_send_sync(struct nl_sock *sock, struct nl_msg *msg)
{
    int r = answer(nlmsg_hdr(msg));

    (void)sock;
    nlmsg_free(msg);
    return r;
}

/* A dump of filters: who is told, and of what. */
static struct {
    nl_recvmsg_msg_cb_t told;
    void *opaque;
    uint32_t parent;
} dump;

int nl_cb_set(struct nl_cb *cb, enum nl_cb_type type, enum nl_cb_kind kind,
              nl_recvmsg_msg_cb_t function, void *opaque)
{
    (void)cb, (void)type, (void)kind;
    dump.told = function;
    dump.opaque = opaque;
    return 0;
}

int nl_send_auto(struct nl_sock *sock, struct nl_msg *msg)
{
    const struct tcmsg *tc = nlmsg_data(nlmsg_hdr(msg));

    (void)sock;
    dump.parent = tc->tcm_parent;
    return 0;
}

int nl_recvmsgs(struct nl_sock *sock, struct nl_cb *cb)
{
    struct nl_msg *msg;

    (void)sock, (void)cb;
    if (!kernel.there || dump.parent != 0xfffffff3)
        return 0;
    msg = sampler_filter_request(VIF, SAMPLER_PREFERENCE_FIRST,
                                 SAMPLER_HANDLE_MADE, 64, 1);
    assert_non_null(msg);
    dump.told(msg, dump.opaque);
    nlmsg_free(msg);
    return 0;
}

/* --- psample: a busy vif, whose rate has to change ------------------------- */

static struct {
    void (*take)(void *opaque, const struct psample_sample *sample);
    void *opaque;
    uint64_t got;
} samples;
static int samples_place;

int psample_socket_open(struct psample_socket **socket_r, uint32_t group,
                        void (*take)(void *opaque,
                                     const struct psample_sample *sample),
                        void *opaque)
{
    (void)group;
    samples.take = take;
    samples.opaque = opaque;
    samples.got = 0;
    *socket_r = (struct psample_socket *)&samples_place;
    return 0;
}

void psample_socket_close(struct psample_socket *socket)
{
    (void)socket;
}

int psample_socket_fd(const struct psample_socket *socket)
{
    (void)socket;
    return -1;
}

int psample_socket_read(struct psample_socket *socket, bool *links_r)
{
    (void)socket;
    *links_r = false;
    return 0;
}

void psample_socket_counts(const struct psample_socket *socket,
                           uint64_t *got_r, uint64_t *lost_r)
{
    (void)socket;
    *got_r = samples.got;
    *lost_r = 0;
}

static void busy(void)
{
    const struct psample_sample sample = {
        .oif = VIF, .wide = true, .size_bytes = 1000, .rate = 64,
    };
    unsigned int i;

    for (i = 0; i < 1000; i++, samples.got++)
        samples.take(samples.opaque, &sample);
}

/* --------------------------------------------------------------------------- */

static int setup(void **state)
{
    (void)state;
    memset(&kernel, 0, sizeof(kernel));
    if (sysfs_new(root, "test-tap"))
        return -1;
    sysfs_file(root, "vif1.0", "ifindex", "7\n");
    sysfs_file(root, "vif1.0", "device/nodename", "backend/vif/1/0\n");
    sysfs_file(root, "vif1.0", "statistics/rx_bytes", "1\n");
    sysfs_file(root, "vif1.0", "statistics/rx_packets", "1\n");
    sysfs_file(root, "vif1.0", "statistics/tx_bytes", "1\n");
    sysfs_file(root, "vif1.0", "statistics/tx_packets", "1\n");
    return 0;
}

static int teardown(void **state)
{
    (void)state;
    return sysfs_remove(root);
}

static void test_change(void **state)
{
    bool late = true;

    (void)state;
    assert_int_equal(sampler_change(NULL, VIF, 8, 1), -ENOENT);
    assert_int_equal(kernel.changes, 0);
    assert_int_equal(sampler_attach(NULL, VIF, 64, 1, &late), 0);
    assert_false(late);
    assert_int_equal(sampler_change(NULL, VIF, 8, 1), 0);
    assert_int_equal(kernel.changes, 2);
    /* In place: there is no moment without it. */
    assert_int_equal(kernel.adds, 1);
    assert_true(kernel.clsact);
    kernel.change_error = NLE_NOMEM;
    assert_int_equal(sampler_change(NULL, VIF, 4, 1), -ENOMEM);
    assert_true(kernel.there);
    assert_int_equal(sampler_detach(NULL, VIF), 0);
    assert_false(kernel.there);
    assert_false(kernel.clsact);
    assert_int_equal(sampler_detach(NULL, VIF), -ENOENT);
    /* What was made goes when the rate cannot be set. */
    assert_int_equal(sampler_attach(NULL, VIF, 64, 1, &late), -ENOMEM);
    assert_false(kernel.there);
    assert_false(kernel.clsact);
}

/* Sample the busy vif; *snapshot_r with what is noted. */
static void collect(struct snapshot **snapshot_r)
{
    struct collect_options options;
    struct collect collect = { .options = &options };
    struct snapshot_domain *domain;
    void *opaque;
    int i;

    collect_options_init(&options);
    options.sysfs_net = root;
    assert_int_equal(snapshot_new(&collect.snapshot), 0);
    domain = snapshot_add_domain(collect.snapshot);
    domain->domid = 1;
    collect.start_ns = collect_now_ns();
    assert_int_equal(collect_traffic.begin(&collect, &opaque), 0);
    for (i = 0; i < 3; i++) {
        busy();
        usleep(210000);     /* rates are looked at so often */
        assert_int_equal(collect_traffic.step(&collect, opaque, false), 0);
    }
    assert_int_equal(collect_traffic.finish(&collect, opaque), 0);
    collect_traffic.close(opaque);
    *snapshot_r = collect.snapshot;
}

static unsigned int notes(const struct snapshot *snapshot, const char *words)
{
    unsigned int nr = 0;
    size_t i;

    for (i = 0; i < snapshot->nr_notes; i++)
        nr += strstr(snapshot->notes[i].text, words) != NULL;
    return nr;
}

static void test_lost(void **state)
{
    struct snapshot *snapshot;

    (void)state;
    collect(&snapshot);
    assert_true(kernel.changes > 2);
    assert_false(kernel.there);
    assert_false(kernel.clsact);
    assert_int_equal(notes(snapshot, "removed the filter"), 0);
    snapshot_free(snapshot);

    /* The first two set the rates of new filters. */
    memset(&kernel, 0, sizeof(kernel));
    kernel.take_at = 3;
    collect(&snapshot);
    assert_int_equal(kernel.changes, 3);    /* it is not tried again */
    assert_int_equal(notes(snapshot, "at vif1.0 another program removed"), 1);
    snapshot_free(snapshot);
}

int main(void)
{
    static const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(test_change, setup, teardown),
        cmocka_unit_test_setup_teardown(test_lost, setup, teardown),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
