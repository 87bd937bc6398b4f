/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Snapshots as files: what is written is read again, and nothing else is. */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "generate.h"
#include "base/jsonio.h"
#include "model/snapshot.h"
#include "../texts.h"

#define HEAD "{\"format\":\"shmlink-snapshot\",\"schema\":1"
#define POOL ",\"pools\":[{\"pool\":0,\"pcpus\":\"0\"}]"
#define PCPU ",\"pcpus\":[{\"pcpu\":0,\"core\":0,\"socket\":0,\"pool\":0}]"
#define UUID "\"uuid\":\"00000000-0000-0000-0000-000000000000\""
#define DOMAIN(id, rest) \
    "{\"domid\":" #id ",\"name\":\"d" #id "\"," UUID rest "}"

static int parse(const char *text, struct snapshot **snapshot_r, char **why_r)
{
    return texts_snapshot(snapshot_r, text, strlen(text), why_r);
}

/* Formatted, parsed and formatted again it is the same. */
static void assert_round_trip(const struct snapshot *snapshot)
{
    struct snapshot *again = NULL;
    char *text = NULL, *second = NULL, *why = NULL;

    assert_int_equal(texts_of_snapshot(snapshot, &text), 0);
    if (parse(text, &again, &why))
        fail_msg("not read again: %s", why);
    assert_int_equal(texts_of_snapshot(again, &second), 0);
    assert_string_equal(text, second);
    free(text);
    free(second);
    snapshot_free(again);
}

static void test_empty(void **state)
{
    struct snapshot *snapshot = NULL;

    (void)state;
    snapshot_free(NULL);
    assert_int_equal(snapshot_new(&snapshot), 0);
    assert_int_equal(snapshot_check(snapshot, NULL), 0);
    assert_round_trip(snapshot);
    assert_true(snapshot_find_domid(snapshot, 0) == SNAPSHOT_OUTSIDE);
    assert_null(snapshot_find_pcpu(snapshot, 0));
    assert_null(snapshot_find_pool(snapshot, 0));
    assert_null(snapshot_add_vcpu(snapshot));
    snapshot_free(snapshot);

    assert_int_equal(parse(HEAD "}", &snapshot, NULL), 0);
    assert_int_equal(snapshot->nr_pcpus, 0);
    snapshot_free(snapshot);
}

static void test_full(void **state)
{
    struct generate options = {
        .sockets = 4, .cores = 16, .threads = 2, .caches = true, .vms = 200,
        .vcpus_min = 1, .vcpus_max = 8, .load = 0.2, .peers = 8,
        .bytes = 1e9, .seed = 1,
    };
    struct snapshot *snapshot;

    (void)state;
    assert_int_equal(generate(&snapshot, &options), 0);
    assert_round_trip(snapshot);
    assert_int_equal(snapshot_find_domid(snapshot, 200), 200);
    assert_true(snapshot_find_domid(snapshot, 201) == SNAPSHOT_OUTSIDE);
    assert_int_equal(snapshot_find_pcpu(snapshot, 127)->os_index, 127);
    assert_null(snapshot_find_pcpu(snapshot, 128));
    snapshot_free(snapshot);
}

/* Every field that a collector can set comes back. */
static void test_fields(void **state)
{
    struct generate options = {
        .sockets = 1, .cores = 2, .threads = 1, .vms = 2, .vcpus_min = 1,
        .vcpus_max = 1, .load = 0.2, .peers = 0, .seed = 1,
    };
    struct snapshot *snapshot, *read;
    struct snapshot_switch *by;
    struct snapshot_traffic *traffic;
    struct snapshot_link *link;
    char *text;

    (void)state;
    assert_int_equal(generate(&snapshot, &options), 0);
    snapshot->domains[1].isolated = true;
    snapshot->domains[1].managed = false;
    snapshot->domains[1].cap = 150;
    snapshot->domains[1].vifs[0].no_link = strdup("rate limit");
    snapshot->domains[1].vifs[0].vlans = strdup("1pu 10");
    snapshot->vcpus[1].soft_owner = SNAPSHOT_OWNER_ADMIN;
    snapshot->vcpus[1].hard_effective = hwloc_bitmap_dup(
        snapshot->pools[0].pcpus);
    by = snapshot_add_switch(snapshot);
    *by = (struct snapshot_switch) { 2, 1, 1234.5 };
    by = snapshot_add_switch(snapshot);
    *by = (struct snapshot_switch) { 2, SNAPSHOT_OUTSIDE, 7 };
    traffic = snapshot_add_traffic(snapshot);
    traffic->from = 1;
    traffic->to = SNAPSHOT_OUTSIDE;
    traffic->from_vif = 3;
    traffic->via = SNAPSHOT_VIA_LINK;
    traffic->bytes = (struct snapshot_value) { 5e6, 1e5,
                                               SNAPSHOT_SOURCE_SAMPLING };
    link = snapshot_add_link(snapshot);
    strcpy(link->nonce, "00112233445566778899aabbccddeeff");
    link->up = true;
    link->since = 1700000001;
    link->end[0].domain = 1;
    link->end[1].domain = 2;
    link->end[1].rx_drops = 9;
    assert_int_equal(snapshot_note(snapshot, "trace", "busy\tby %d", 3), 0);
    assert_int_equal(snapshot_check(snapshot, NULL), 0);
    assert_round_trip(snapshot);

    assert_int_equal(texts_of_snapshot(snapshot, &text), 0);
    assert_int_equal(parse(text, &read, NULL), 0);
    assert_true(read->domains[1].isolated && !read->domains[1].managed);
    assert_int_equal(read->domains[1].cap, 150);
    assert_string_equal(read->domains[1].vifs[0].no_link, "rate limit");
    assert_string_equal(read->domains[1].vifs[0].vlans, "1pu 10");
    assert_memory_equal(read->domains[1].vifs[0].mac,
                        "\x00\x16\x3e\x00\x00\x01", 6);
    assert_int_equal(read->vcpus[1].soft_owner, SNAPSHOT_OWNER_ADMIN);
    assert_true(hwloc_bitmap_isfull(read->vcpus[1].soft));
    assert_true(hwloc_bitmap_isequal(read->vcpus[1].hard_effective,
                                     snapshot->pools[0].pcpus));
    assert_int_equal(read->nr_switches, 2);
    assert_int_equal(read->switches[0].by_domain, 1);
    assert_true(read->switches[1].by_domain == SNAPSHOT_OUTSIDE);
    assert_true(read->traffic[0].to == SNAPSHOT_OUTSIDE);
    assert_int_equal(read->traffic[0].from_vif, 3);
    assert_int_equal(read->traffic[0].to_vif, SNAPSHOT_NONE);
    assert_true(read->traffic[0].bytes.error == 1e5);
    assert_int_equal(read->traffic[0].bytes.source, SNAPSHOT_SOURCE_SAMPLING);
    assert_string_equal(read->links[0].nonce, link->nonce);
    assert_true(read->links[0].end[1].rx_drops == 9);
    assert_string_equal(read->notes[0].text, "busy?by 3");
    free(text);
    snapshot_free(read);
    snapshot_free(snapshot);
}

/* A text that is refused, with what, and what the message must say. */
struct hostile {
    const char *text;
    int rc;
    const char *why;
};

static const struct hostile hostiles[] = {
    { "", -EINVAL, "truncated" },
    { "null\n", -EINVAL, "not a JSON object" },
    { "[]", -EINVAL, "not a JSON object" },
    { "{}", -EINVAL, "not a snapshot" },
    { "{\"schema\":1}", -EINVAL, "not a snapshot" },
    { "{\"format\":\"shmlink-plan\",\"schema\":1}", -EINVAL,
      "not a snapshot" },
    { "{\"format\":\"shmlink-snapshot\",\"schema\":2}", -EPROTONOSUPPORT,
      "use a newer one" },
    { "{\"format\":\"shmlink-snapshot\",\"schema\":-1}", -EINVAL,
      "schema: must not be negative" },
    { "{\"format\":\"shmlink-snapshot\",\"schema\":1.5}", -EINVAL,
      "schema: must be a whole number" },
    { HEAD ",", -EINVAL, "truncated" },
    { HEAD "} x", -EINVAL, "not JSON" },
    { HEAD ",\"duration\":NaN}", -EINVAL, "duration" },
    { HEAD ",\"duration\":1e999}", -EINVAL, "duration" },
    { HEAD ",\"duration\":\"10\"}", -EINVAL, "duration: must be a number" },
    { HEAD ",\"host\":\"a\\u0000b\"}", -EINVAL, "host: too long, or with" },
    { HEAD ",\"host\":\"\\u001b[31m\"}", -EINVAL, "control characters" },
    { HEAD ",\"host\":\"\\u009b31m\"}", -EINVAL, "control characters" },
    { HEAD ",\"host\":\"\\ud800\"}", -EINVAL, "no UTF-8" },
    { HEAD ",\"host\":\"\xc1\x9b[31m\"}", -EINVAL, "not JSON, at byte" },
    { HEAD ",\"host\":\"a\",\"host\":null}", -EINVAL, "host: stands twice" },
    { HEAD ",\"time\":18446744073709551616}", -EINVAL,
      "time: out of range" },
    { HEAD ",\"pcpus\":{}}", -EINVAL, "pcpus: must be a list" },
    { HEAD ",\"pcpus\":[1]}", -EINVAL, "pcpus[0]: must be an object" },
    { HEAD ",\"pcpus\":[{\"pcpu\":5000,\"core\":0,\"socket\":0}]}", -EINVAL,
      "pcpus[0]: pcpu: out of range" },
    { HEAD ",\"pcpus\":[{\"pcpu\":0}]}", -EINVAL, "has no core or socket" },
    { HEAD ",\"pcpus\":[{\"pcpu\":0,\"core\":0,\"socket\":0,\"node\":3}]}",
      -EINVAL, "on node 3, which is not listed" },
    { HEAD PCPU "}", -EINVAL, "in cpupool 0, which is not listed" },
    { HEAD ",\"pools\":[{\"pool\":0,\"pcpus\":\"0-4294967295\"}]}", -EINVAL,
      "pcpus: not a list" },
    { HEAD ",\"pools\":[{\"pool\":0,\"pcpus\":\"3-1\"}]}", -EINVAL,
      "not a list" },
    { HEAD ",\"pools\":[{\"pool\":0,\"pcpus\":\"1,\"}]}", -EINVAL,
      "not a list" },
    { HEAD ",\"pools\":[{\"pool\":0},{\"pool\":0}]}", -EINVAL,
      "listed twice" },
    { HEAD ",\"nodes\":[{\"node\":0,\"distances\":[10,20]}]}", -EINVAL,
      "nodes[0]: distances" },
    { HEAD ",\"nodes\":[{\"node\":0,\"distances\":[10,20]},{\"node\":1}]}",
      -EINVAL, "distance" },
    { HEAD ",\"nodes\":[{\"node\":0,\"distances\":[0]}]}", -EINVAL,
      "distances[0]: out of range" },
    { HEAD ",\"caches\":[{\"level\":3,\"pcpus\":\"all\"}]}", -EINVAL,
      "needs a set" },
    { HEAD ",\"domains\":[{\"domid\":1,\"name\":\"x\"}]}", -EINVAL,
      "domains[0]: uuid: missing" },
    { HEAD ",\"domains\":[{\"domid\":1,\"name\":\"x\",\"uuid\":\"1-2\"}]}",
      -EINVAL, "uuid: malformed" },
    { HEAD ",\"domains\":[" DOMAIN(2, "") "," DOMAIN(1, "") "]}", -EINVAL,
      "domids must ascend" },
    { HEAD ",\"domains\":[" DOMAIN(32752, "") "]}", -EINVAL,
      "domid: out of range" },
    { HEAD ",\"domains\":[" DOMAIN(1, ",\"vcpus_online\":1") "]}", -EINVAL,
      "vCPUs are missing" },
    { HEAD ",\"domains\":[" DOMAIN(1, ",\"type\":\"lxc\"") "]}", -EINVAL,
      "unknown word \"lxc\"" },
    { HEAD ",\"domains\":[" DOMAIN(1, ",\"vcpus\":[{\"vcpuid\":1}]") "]}",
      -EINVAL, "must count up" },
    { HEAD ",\"domains\":[" DOMAIN(1, ",\"vcpus\":[{\"pcpu\":9}]") "]}",
      -EINVAL, "on pCPU 9, which is not listed" },
    { HEAD ",\"domains\":[" DOMAIN(1, ",\"vcpus\":[{\"wait\":{\"value\":2,"
                                      "\"source\":\"trace\"}}]") "]}",
      -EINVAL, "domains[0].vcpus[0].wait: value: out of range" },
    { HEAD ",\"domains\":[" DOMAIN(1, ",\"vcpus\":[{\"switched_by\":[{"
                                      "\"domid\":7}]}]") "]}",
      -EINVAL, "no domain 7" },
    { HEAD ",\"domains\":[" DOMAIN(1, ",\"vifs\":[{\"mac\":\"00:16:3e\"}]")
      "]}", -EINVAL, "mac: malformed" },
    { HEAD ",\"traffic\":[{}]}", -EINVAL, "two different domains" },
    { HEAD ",\"domains\":[" DOMAIN(1, "") "],\"traffic\":[{\"from\":1,"
      "\"to\":1}]}", -EINVAL, "two different domains" },
    { HEAD ",\"links\":[{\"ends\":[{}]}]}", -EINVAL, "ends: must have 2" },
    { HEAD ",\"links\":[{\"nonce\":\"xyz\"}]}", -EINVAL,
      "32 hexadecimal digits" },
    { HEAD ",\"x\":[[[[[[[[[[[[[[[[[[[[]]]]]]]]]]]]]]]]]]]]}", -EINVAL,
      "not JSON" },
};

static void test_hostile(void **state)
{
    struct snapshot *snapshot = NULL;
    char *why;
    size_t i;
    int rc;

    (void)state;
    for (i = 0; i < sizeof hostiles / sizeof *hostiles; i++) {
        why = NULL;
        rc = parse(hostiles[i].text, &snapshot, &why);
        if (rc != hostiles[i].rc || !why || !strstr(why, hostiles[i].why))
            fail_msg("%s: %d, \"%s\" instead of %d, \"%s\"",
                     hostiles[i].text, rc, why, hostiles[i].rc,
                     hostiles[i].why);
        free(why);
        assert_null(snapshot);
        assert_int_equal(parse(hostiles[i].text, &snapshot, NULL), rc);
    }
    /* The rest of a list of good things. */
    assert_int_equal(parse(HEAD POOL PCPU ",\"unknown\":{}}", &snapshot,
                           NULL), 0);
    snapshot_free(snapshot);
    /* In any order. */
    assert_int_equal(parse("{\"traffic\":[{\"to\":1,\"bytes\":{"
                           "\"value\":-0.0e+1}}],\"domains\":["
                           DOMAIN(1, ",\"vcpus\":[{\"switched_by\":[{}]}],"
                                     "\"node_memory_bytes\":[7]")
                           "],\"nodes\":[{\"node\":0}],\"schema\":1,"
                           "\"format\":\"shmlink-snapshot\"}", &snapshot,
                           NULL), 0);
    assert_int_equal(snapshot->traffic[0].to, 0);
    assert_int_equal(snapshot->domains[0].node_memory_bytes[0], 7);
    assert_int_equal(snapshot->nr_switches, 1);
    snapshot_free(snapshot);
}

/* Cut anywhere it is refused, with any byte changed it does not matter how. */
static void test_damage(void **state)
{
    struct generate options = {
        .sockets = 2, .cores = 1, .threads = 1, .caches = true, .vms = 2,
        .vcpus_min = 1, .vcpus_max = 1, .load = 0.2, .peers = 2,
        .bytes = 1e6, .seed = 3,
    };
    struct snapshot *snapshot, *read;
    char *text, *why, *copy;
    size_t bytes, i;
    uint64_t seed = 1;

    (void)state;
    assert_int_equal(generate(&snapshot, &options), 0);
    assert_int_equal(texts_of_snapshot(snapshot, &text), 0);
    bytes = strlen(text);
    for (i = 0; i + 2 < bytes; i += 7) {
        why = NULL;
        assert_int_equal(texts_snapshot(&read, text, i, &why), -EINVAL);
        assert_non_null(strstr(why, "truncated"));
        free(why);
    }
    for (i = 0; i < 3000; i++) {
        copy = strdup(text);
        copy[generate_draw(&seed, (uint32_t)bytes)] =
            (char)generate_draw(&seed, 256);
        if (!texts_snapshot(&read, copy, bytes, NULL))
            snapshot_free(read);
        free(copy);
    }
    free(text);
    snapshot_free(snapshot);
}

static void test_check(void **state)
{
    struct snapshot *snapshot = NULL;
    struct snapshot_domain *domain;
    char *why = NULL;

    (void)state;
    assert_int_equal(snapshot_new(&snapshot), 0);
    domain = snapshot_add_domain(snapshot);
    domain->name = strdup("bell\a");
    assert_int_equal(snapshot_check(snapshot, &why), -EINVAL);
    assert_non_null(strstr(why, "control characters"));
    free(why);
    free(domain->name);
    domain->name = snapshot_copy_text("bell\a");
    assert_string_equal(domain->name, "bell?");
    assert_int_equal(snapshot_check(snapshot, NULL), 0);
    /* A vCPU that vcpus_max does not count. */
    assert_non_null(snapshot_add_vcpu(snapshot));
    assert_int_equal(snapshot_check(snapshot, NULL), -EINVAL);
    snapshot->domains[0].vcpus_max = 1;
    assert_int_equal(snapshot_check(snapshot, NULL), 0);
    snapshot_free(snapshot);
}

static void test_files(void **state)
{
    char path[] = "/tmp/test-snapshot-XXXXXX", *why = NULL;
    struct snapshot *snapshot = NULL, *read = NULL;
    int fd;

    (void)state;
    assert_int_equal(snapshot_new(&snapshot), 0);
    fd = mkstemp(path);
    assert_true(fd >= 0);
    close(fd);
    assert_int_equal(snapshot_save(snapshot, path), 0);
    assert_int_equal(snapshot_load(&read, path, &why), 0);
    snapshot_free(read);
    assert_int_equal(snapshot_save(snapshot, "/dev/full"), -ENOSPC);
    assert_int_equal(snapshot_save(snapshot, "/no/such/file"), -ENOENT);
    assert_int_equal(snapshot_load(&read, "/no/such/file", &why), -ENOENT);
    assert_string_equal(why, strerror(ENOENT));
    free(why);
    assert_int_equal(snapshot_load(&read, "/", NULL), -EISDIR);
    assert_int_equal(unlink(path), 0);
    snapshot_free(snapshot);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_empty), cmocka_unit_test(test_full),
        cmocka_unit_test(test_fields), cmocka_unit_test(test_files),
        cmocka_unit_test(test_check), cmocka_unit_test(test_hostile),
        cmocka_unit_test(test_damage),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
