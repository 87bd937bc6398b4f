/* SPDX-License-Identifier: GPL-2.0-or-later */
/* dom0's interfaces from a recorded /sys/class/net, made here. */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "collect/cache-leaves.h"
#include "collect/interfaces.h"
#include "sysfs.h"

static char root[SYSFS_ROOT_BYTES];

static void interface(const char *name, const char *ifindex,
                      const char *bridge, const char *node)
{
    char path[256], target[128];

    sysfs_file(root, name, "ifindex", ifindex);
    sysfs_file(root, name, "statistics/rx_bytes", "18446744073709551615\n");
    sysfs_file(root, name, "statistics/rx_packets", "2\n");
    sysfs_file(root, name, "statistics/tx_bytes", "3\n");
    sysfs_file(root, name, "statistics/tx_packets", "4\n");
    if (node)
        sysfs_file(root, name, "device/nodename", node);
    if (!bridge)
        return;
    sysfs_file(root, name, "brport/port_no", "0x1\n");
    snprintf(path, sizeof(path), "%s/%s/brport/bridge", root, name);
    snprintf(target, sizeof(target), "../../%s", bridge);
    assert_int_equal(symlink(target, path), 0);
}

static int setup(void **state)
{
    (void)state;
    return sysfs_new(root, "test-ports");
}

static int teardown(void **state)
{
    (void)state;
    return sysfs_remove(root);
}

/* A guest's vif. */
static const struct interface *vif_of(const struct interfaces *ports,
                                      uint32_t domid, uint32_t devid)
{
    size_t i;

    for (i = 0; i < ports->nr; i++) {
        const struct interface *port = &ports->port[i];

        if (port->kind == PORT_VIF && port->domid == domid &&
            port->devid == devid)
            return port;
    }
    return NULL;
}

static void test_empty(void **state)
{
    struct interfaces ports;

    (void)state;
    assert_int_equal(interfaces_read(&ports, "/nonexistent"), -ENOENT);
    assert_int_equal(interfaces_read(&ports, root), 0);
    assert_int_equal(ports.nr, 0);
    assert_false(ports.bridge);
    interfaces_dispose(&ports);
    interfaces_dispose(&ports);
    interfaces_dispose(NULL);
}

static void test_host(void **state)
{
    struct interfaces ports;
    const struct interface *port;

    (void)state;
    interface("vif1.0", "9\n", "xenbr0", "backend/vif/1/0\n");
    interface("web-vif", "8\n", "xenbr0", "backend/vif/2/1\n");
    interface("vif2.0", "70000\n", "xenbr0", NULL);
    interface("vif3.0-emu", "11\n", "xenbr0", NULL);
    interface("eth0", "2\n", "xenbr0", NULL);
    interface("eth1", "3\n", "other", NULL);
    interface("lo", "1\n", NULL, NULL);
    interface("vif4.0", "x\n", NULL, NULL);
    interface("vif5.0", "-1\n", NULL, NULL);
    assert_int_equal(interfaces_read(&ports, root), 0);
    assert_int_equal(ports.nr, 5);
    assert_true(ports.bridge);
    assert_string_equal(ports.port[0].name, "eth0");
    assert_int_equal(ports.port[0].kind, PORT_UPLINK);

    port = vif_of(&ports, 2, 1);
    assert_non_null(port);
    assert_string_equal(port->name, "web-vif");
    assert_true(port->rx_bytes == UINT64_MAX);
    assert_int_equal(port->tx_packets, 4);
    port = vif_of(&ports, 2, 0);
    assert_string_equal(port->bridge, "xenbr0");
    /* The emulated card is not a second vif. */
    assert_null(vif_of(&ports, 3, 0));
    port = interfaces_by_ifindex(&ports, 11);
    assert_int_equal(port->kind, PORT_EMULATED);
    assert_int_equal(port->domid, 3);
    assert_null(interfaces_by_ifindex(&ports, 70000 & 0xffff));
    assert_ptr_equal(interfaces_by_ifindex(&ports, 70000),
                     vif_of(&ports, 2, 0));
    interfaces_dispose(&ports);
}

static void test_names(void **state)
{
    static const char *const bad[] = {
        "", "vif", "vif1", "vif1.", "vif.0", "vif1.0x", "vif1.0-em",
        "vif-1.0", "vif1.-0", "vif 1.0", "vif99999.0", "vif32752.0",
        "vif1.99999999999", "vif1.0-emu2", "tap1.0",
    };
    static const char *const bad_nodes[] = {
        "", "backend/vif/1", "backend/vif/1/", "backend/vif//0",
        "backend/vif/1/0/", "backend/vbd/1/0", "backend/vif/1/0x",
    };
    enum port_kind kind;
    uint32_t domid, devid;
    size_t i;

    (void)state;
    assert_true(interfaces_parse_name("vif32751.4294967295", &kind, &domid,
                                      &devid));
    assert_int_equal(domid, 32751);
    assert_true(devid == UINT32_MAX && kind == PORT_VIF);
    for (i = 0; i < sizeof(bad) / sizeof(bad[0]); i++)
        assert_false(interfaces_parse_name(bad[i], &kind, &domid, &devid));
    for (i = 0; i < sizeof(bad_nodes) / sizeof(bad_nodes[0]); i++)
        assert_false(interfaces_parse_node(bad_nodes[i], &domid, &devid));
}

/* Leaf 4 of a Xeon Gold 6230: 32 KiB L1d, 1 MiB L2, 27.5 MiB L3. */
static void test_caches(void **state)
{
    struct cache_leaf leaf;

    (void)state;
    assert_true(cache_leaf_decode(0x7c004121, 0x01c0003f, 63, &leaf));
    assert_int_equal(leaf.level, 1);
    assert_int_equal(leaf.size_bytes, 32 << 10);
    assert_int_equal(leaf.apic_shift, 1);
    assert_false(cache_leaf_decode(0x7c004122, 0x01c0003f, 63, &leaf));
    assert_true(cache_leaf_decode(0x7c004143, 0x03c0003f, 1023, &leaf));
    assert_int_equal(leaf.size_bytes, 1 << 20);
    assert_true(cache_leaf_decode(0x7c0fc163, 0x0280003f, 40959, &leaf));
    assert_int_equal(leaf.level, 3);
    assert_int_equal(leaf.size_bytes, 28835840);
    assert_int_equal(leaf.apic_shift, 6);
    assert_false(cache_leaf_decode(0, 0, 0, &leaf));
    /* Hostile: everything at its largest does not overflow. */
    assert_false(cache_leaf_decode(UINT32_MAX, UINT32_MAX, UINT32_MAX,
                                   &leaf));
    assert_false(cache_leaf_decode(0xffffff83 & ~0x1cU, UINT32_MAX,
                                   UINT32_MAX, &leaf));
    assert_true(cache_leaf_decode(0xffffff83 & ~0x1cU, UINT32_MAX,
                                  UINT32_MAX - 1, &leaf));
    assert_true(leaf.apic_shift <= 12 && leaf.size_bytes != 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(test_empty, setup, teardown),
        cmocka_unit_test_setup_teardown(test_host, setup, teardown),
        cmocka_unit_test(test_names),
        cmocka_unit_test(test_caches),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
