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

#include "collect.h"
#include "psample-socket.h"
#include "sysfs.h"
#include "tap.h"

enum { VIF = 7 };

static char root[SYSFS_ROOT_BYTES];
/* Of the filter on the vif; libnl's codes of what fails, 0: nothing. */
static struct {
    bool there;
    unsigned int adds, removals, others;
    unsigned int add_at;                /* this and later ones fail */
    int add_error, remove_error;
} kernel;

/* --- libnl ----------------------------------------------------------------- */

int nl_connect(struct nl_sock *sock, int protocol)
{
    (void)sock, (void)protocol;
    return 0;
}

static int answer(const struct nlmsghdr *header)
{
    switch (header->nlmsg_type) {
    case RTM_NEWTFILTER:
        if (++kernel.adds >= kernel.add_at && kernel.add_error)
            return -kernel.add_error;
        kernel.there = true;
        return 0;
    case RTM_DELTFILTER:
        kernel.removals++;
        if (kernel.remove_error)
            return -kernel.remove_error;
        if (!kernel.there)
            return -NLE_OBJ_NOTFOUND;
        kernel.there = false;
        return 0;
    default:
        kernel.others++;
        return 0;
    }
}

int nl_send_sync(struct nl_sock *sock, struct nl_msg *msg)
{
    int r = answer(nlmsg_hdr(msg));

    (void)sock;
    nlmsg_free(msg);
    return r;
}

int nl_send_auto(struct nl_sock *sock, struct nl_msg *msg)
{
    (void)sock, (void)msg;
    return 0;
}

int nl_recvmsgs(struct nl_sock *sock, struct nl_cb *cb)
{
    (void)sock, (void)cb;
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
    bool lost = true;

    (void)state;
    kernel.there = true;
    assert_int_equal(tap_change(NULL, VIF, 8, 1, &lost), 0);
    assert_false(lost);
    /* It stays as it was. */
    kernel.remove_error = NLE_PERM;
    assert_int_equal(tap_change(NULL, VIF, 8, 1, &lost), -EPERM);
    assert_false(lost);
    assert_true(kernel.there);
    /* It goes, and does not come back. */
    kernel.remove_error = 0;
    kernel.add_error = NLE_NOMEM;
    assert_int_equal(tap_change(NULL, VIF, 8, 1, &lost), -ENOMEM);
    assert_true(lost);
    lost = false;
    assert_int_equal(tap_change(NULL, VIF, 8, 1, &lost), -ENOENT);
    assert_true(lost);
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

/* One to see whether it can be done, one to sample, others to change it. */
static void test_lost(void **state)
{
    struct snapshot *snapshot;

    (void)state;
    collect(&snapshot);
    assert_true(kernel.adds > 2);
    assert_false(kernel.there);
    assert_int_equal(notes(snapshot, "was lost"), 0);
    snapshot_free(snapshot);

    memset(&kernel, 0, sizeof(kernel));
    kernel.add_at = 3;
    kernel.add_error = NLE_NOMEM;
    collect(&snapshot);
    assert_int_equal(kernel.adds, 3);       /* it is not tried again */
    assert_int_equal(notes(snapshot, "at vif1.0 the filter was lost"), 1);
    assert_int_equal(notes(snapshot, "(error 12)"), 1);
    snapshot_free(snapshot);

    /* An interface that is gone has no filter to lose. */
    memset(&kernel, 0, sizeof(kernel));
    kernel.add_at = 3;
    kernel.add_error = NLE_NODEV;
    collect(&snapshot);
    assert_int_equal(notes(snapshot, "was lost"), 0);
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
