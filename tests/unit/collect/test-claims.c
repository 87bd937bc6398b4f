/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What guests say of their links: believed as far as it can be. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "collect/claims.h"

/* Domains 1 to 4 of one vCPU each, which ran half of the time. */
static struct snapshot *host(void)
{
    struct snapshot *snapshot;
    uint32_t i;

    assert_int_equal(snapshot_new(&snapshot), 0);
    snapshot->duration = 10;
    for (i = 0; i < 4; i++) {
        static const char *const names[] = { "web", "db", "cache", "log" };
        struct snapshot_domain *domain = snapshot_add_domain(snapshot);
        struct snapshot_vcpu *vcpu = snapshot_add_vcpu(snapshot);

        domain->domid = i + 1;
        domain->name = strdup(names[i]);
        domain->vcpus_online = domain->vcpus_max = 1;
        vcpu->online = true;
        vcpu->utilisation = (struct snapshot_value){
            .value = 0.5, .source = SNAPSHOT_SOURCE_COUNTER };
    }
    return snapshot;
}

/* Indices, not domids; the ends agree. */
static struct snapshot_link *add(struct snapshot *snapshot, size_t from,
                                 size_t to, double bytes)
{
    struct snapshot_link *link = snapshot_add_link(snapshot);

    assert_non_null(link);
    memset(link->nonce, 'a' + (int)snapshot->nr_links, 32);
    link->up = true;
    link->end[0] = (struct snapshot_link_end){
        .domain = from, .counters_ok = true, .tx_bytes = bytes,
        .tx_packets = bytes / 1000, .rx_bytes = bytes / 100,
        .rx_packets = bytes / 1e4 };
    link->end[1] = (struct snapshot_link_end){
        .domain = to, .counters_ok = true, .tx_bytes = bytes / 100,
        .tx_packets = bytes / 1e4, .rx_bytes = bytes,
        .rx_packets = bytes / 1000 };
    return link;
}

static double sent(const struct snapshot *snapshot, size_t from, size_t to)
{
    size_t i;

    for (i = 0; i < snapshot->nr_traffic; i++)
        if (snapshot->traffic[i].from == from &&
            snapshot->traffic[i].to == to)
            return snapshot->traffic[i].bytes.value;
    return -1;
}

static void assert_rate(double rate, double expected)
{
    assert_true(rate > 0.999 * expected && rate < 1.001 * expected);
}

static void test_smaller(void **state)
{
    struct snapshot *snapshot = host();
    struct snapshot_link *link = add(snapshot, 0, 1, 1e8);

    (void)state;
    link->end[0].tx_bytes = 9e8;
    link->end[1].tx_bytes = 3e5;
    assert_int_equal(claims_judge(snapshot), 0);
    assert_rate(sent(snapshot, 0, 1), 1e8);
    assert_rate(sent(snapshot, 1, 0), 3e5);
    assert_int_equal(snapshot->nr_notes, 0);
    snapshot_free(snapshot);
}

/* A packet holds 64 KiB and no more. */
static void test_packets(void **state)
{
    struct snapshot *snapshot = host();
    struct snapshot_link *link = add(snapshot, 0, 1, 1e8);

    (void)state;
    link->end[0].tx_packets = link->end[1].rx_packets = 10;
    assert_int_equal(claims_judge(snapshot), 0);
    assert_true(sent(snapshot, 0, 1) < 10 * 70e3);
    snapshot_free(snapshot);
}

/* The absurd end goes, the other end and all other links stay. */
static void test_absurd(void **state)
{
    struct snapshot *snapshot = host();
    struct snapshot_link *link;

    (void)state;
    link = add(snapshot, 0, 1, 1e8);
    link->end[0].rx_bytes = 1.8e18;
    link = add(snapshot, 0, 2, 1e7);
    link->end[0].tx_drops = 1.8e18;
    add(snapshot, 1, 2, 1e6);
    assert_int_equal(claims_judge(snapshot), 0);
    assert_int_equal(snapshot_check(snapshot, NULL), 0);
    assert_false(snapshot->links[0].end[0].counters_ok);
    assert_true(snapshot->links[0].end[1].counters_ok);
    assert_rate(sent(snapshot, 0, 1), 1e8);
    assert_rate(sent(snapshot, 1, 0), 1e6);
    assert_rate(sent(snapshot, 0, 2), 1e7);
    assert_rate(sent(snapshot, 1, 2), 1e6);
    /* One note names the guest, not one for each of its links. */
    assert_int_equal(snapshot->nr_notes, 1);
    assert_non_null(strstr(snapshot->notes[0].text, "web (domain 1)"));
    snapshot_free(snapshot);
}

/* Alone it may say what it and its peer had the time for, and no more. */
static void test_alone(void **state)
{
    struct snapshot *snapshot = host();

    (void)state;
    add(snapshot, 0, 1, 1e9)->end[1].counters_ok = false;
    add(snapshot, 0, 3, 1e9)->end[1].counters_ok = false;
    snapshot->vcpus[3].utilisation.value = 0.001;
    assert_int_equal(claims_judge(snapshot), 0);
    assert_rate(sent(snapshot, 0, 1), 1e9);
    assert_true(sent(snapshot, 0, 3) < 0);
    assert_int_equal(snapshot->nr_notes, 1);
    snapshot_free(snapshot);
}

/* So many liars that there is no room for more notes: no reason to fail. */
static void test_crowd(void **state)
{
    struct snapshot *snapshot = host();

    (void)state;
    while (!snapshot_note(snapshot, "links", "something"))
        ;
    add(snapshot, 0, 1, 1e17);
    assert_int_equal(claims_judge(snapshot), 0);
    assert_int_equal(snapshot->nr_traffic, 0);
    snapshot_free(snapshot);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_smaller), cmocka_unit_test(test_packets),
        cmocka_unit_test(test_absurd), cmocka_unit_test(test_alone),
        cmocka_unit_test(test_crowd),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
