// SPDX-License-Identifier: GPL-2.0-or-later
/* enable, disable, list, relink and the sweep, against stub-xen.c. */
#include "config.h"

#include <errno.h>
#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

#include "toolstack/ctx.h"
#include "toolstack/relink.h"
#include "shmlink.h"
#include "stub-xen.h"

#define BACK    "/local/domain/1/backend/shmlink/2/0"
#define FRONT   "/local/domain/2/device/shmlink/0"
#define BACK_1  "/local/domain/1/backend/shmlink/2/1"
#define FRONT_1 "/local/domain/2/device/shmlink/1"
#define LINKS   "/tool/shmlink/links"

static char root[64];
static char sysfs[80], procfs[80], state_dir[80], lock_path[80];

__attribute__((format(printf, 2, 3)))
static void put_file(const char *value, const char *format, ...)
{
    char path[256], *slash;
    va_list args;
    FILE *file;

    va_start(args, format);
    vsnprintf(path, sizeof(path), format, args);
    va_end(args);
    for (slash = strchr(path + 1, '/'); slash; slash = strchr(slash + 1, '/')) {
        *slash = '\0';
        mkdir(path, 0700);
        *slash = '/';
    }
    file = fopen(path, "w");
    assert_non_null(file);
    fputs(value, file);
    fclose(file);
}

static void put_port(const char *ifname, const char *bridge)
{
    char link[256], target[256];

    put_file("", "%s/class/net/%s/ifindex", sysfs, ifname);
    put_file("", "%s/class/net/%s/bridge/bridge_id", sysfs, bridge);
    snprintf(link, sizeof(link), "%s/class/net/%s/master", sysfs, ifname);
    snprintf(target, sizeof(target), "../%s", bridge);
    unlink(link);
    assert_int_equal(symlink(target, link), 0);
}

static void put_vif(uint32_t domid, uint32_t devid, const char *bridge)
{
    char path[160], value[128];

    snprintf(path, sizeof(path), "/libxl/%u/device/vif/%u/backend", domid,
             devid);
    snprintf(value, sizeof(value), "/local/domain/0/backend/vif/%u/%u", domid,
             devid);
    stub_set(path, value);
    snprintf(path, sizeof(path), "%s/mac", value);
    snprintf(value, sizeof(value), "00:16:3e:00:%02x:%02x", devid, domid);
    stub_set(path, value);
    snprintf(value, sizeof(value), "vif%u.%u", domid, devid);
    put_port(value, bridge);
}

static void put_guest(uint32_t domid, const char *name)
{
    struct stub_domain *domain = &stub_domains[domid];
    char path[160];

    *domain = (struct stub_domain){ .domid = domid, .name = name };
    memset(domain->uuid, (int)(0x10 + domid), 16);
    if (!domid)
        return;
    snprintf(path, sizeof(path), "/local/domain/%u/device", domid);
    stub_set(path, "");
    snprintf(path, sizeof(path), "/local/domain/%u/data/shmlink/versions",
             domid);
    stub_set(path, "1 1");
    put_vif(domid, 0, "xenbr0");
}

static void put_process(pid_t pid)
{
    put_file("1 (a) b) S 1 2 3 4 5 6 7 8 9 10 11 12 13 14 15 16 17 18 4711 "
             "20\n", "%s/%ld/stat", procfs, (long)pid);
}

static int set_up(void **state)
{
    char path[160];

    (void)state;
    stub_reset();
    snprintf(path, sizeof(path), "%s/remembered.json", state_dir);
    unlink(path);
    put_file("4\n", "%s/hypervisor/version/major", sysfs);
    put_file(strchr(XEN_VERSION, '.') + 1, "%s/hypervisor/version/minor",
             sysfs);
    put_process(getpid());
    put_process(getppid());
    put_guest(0, "Domain-0");
    put_guest(1, "web");
    put_guest(2, "db");
    stub_set("/tool", "");
    return 0;
}

static void step(const char *path, const char *from, const char *to)
{
    if (stub_get(path) && !strcmp(stub_get(path), from))
        stub_set(path, to);
}

/* The only link's entry: put another value behind "key=". */
static void entry_set(const char *key, const char *value)
{
    const char *path = stub_below(LINKS), *text = stub_get(path), *at;
    char word[32], changed[512];

    snprintf(word, sizeof(word), " %s=", key);
    at = strstr(text, word);
    assert_non_null(at);
    at += strlen(word);
    snprintf(changed, sizeof(changed), "%.*s%s%s", (int)(at - text), text,
             value, at + strcspn(at, " "));
    stub_set(path, changed);
}

/* As a command leaves it that was killed. */
static void entry_abandon(void)
{
    entry_set("pid-start", "1");
}

static void assert_phase(const char *phase)
{
    char word[32];

    snprintf(word, sizeof(word), " phase=%s ", phase);
    assert_non_null(strstr(stub_get(stub_below(LINKS)), word));
}

/* One link of two drivers as they should be, by its two states. */
static void guests_link(const char *back_path, const char *front_path)
{
    const char *back = stub_get(back_path), *front = stub_get(front_path);

    if (!back && front)     /* the peer is gone */
        stub_set(front_path, "6");
    if (!back || !front)
        return;
    if (*back == '5' || *back == '6')
        step(front_path, front, "6");
    if (*front == '6')
        step(back_path, back, "6");
    step(back_path, "1", "2");
    if (*back == '2')
        step(front_path, "1", "3");
    if (*front == '3')
        step(back_path, "2", "4");
    if (*back == '4')
        step(front_path, "3", "4");
}

static void guests_good(void)
{
    guests_link(BACK "/state", FRONT "/state");
    guests_link(BACK_1 "/state", FRONT_1 "/state");
}

static void guests_refuse(void)
{
    step(BACK "/state", "1", "2");
    if (!stub_get(FRONT "/state"))
        return;
    stub_set(FRONT "/error-text", "no \033grants");
    stub_set(FRONT "/state", "6");
    step(BACK "/state", "5", "6");
}

static struct shmlink_ctx *open_ctx(void)
{
    struct shmlink_ctx *ctx = NULL;
    char *why = NULL;

    if (shmlink_ctx_open(&ctx, NULL, &why))
        assert_null(ctx);
    free(why);
    return ctx;
}

static int enable(struct shmlink_ctx *ctx, const char *one, const char *other,
                  bool force, bool *changed_r)
{
    struct shmlink_enable_options options = {
        .dom = { one, other }, .wait_ms = 60, .force = force,
    };

    return shmlink_enable(ctx, &options, changed_r, NULL);
}

static int disable(struct shmlink_ctx *ctx, const char *one,
                   const char *other, bool remember, size_t *nr_r)
{
    struct shmlink_disable_options options = {
        .dom = { one, other }, .wait_ms = 60, .remember = remember,
    };

    return shmlink_disable(ctx, &options, nr_r);
}

static void assert_same(char *before)
{
    char *after = stub_dump();

    assert_string_equal(after, before);
    free(after);
    free(before);
}

static void test_round(void **state)
{
    struct shmlink_ctx *ctx = open_ctx();
    char *before = stub_dump();
    bool changed = false;
    size_t nr = 9;

    (void)state;
    stub_guests = guests_good;
    assert_int_equal(enable(ctx, "web", "2", false, &changed), 0);
    assert_true(changed);
    assert_string_equal(stub_permissions(BACK), "n1,r2");
    assert_string_equal(stub_permissions(BACK "/state"), "n1,r2");
    assert_string_equal(stub_permissions(FRONT "/state"), "n2,r1");
    assert_string_equal(stub_permissions(BACK "/peer-mac"), "n0,r1");
    assert_string_equal(stub_permissions(FRONT "/nonce"), "n0,r2");
    assert_string_equal(stub_permissions("/local/domain/1/backend"), "n0,r1");
    assert_string_equal(stub_get(BACK "/peer-mac"), "00:16:3e:00:00:02");
    assert_string_equal(stub_get(FRONT "/peer-mac"), "00:16:3e:00:00:01");
    assert_string_equal(stub_get(FRONT "/backend"), BACK);
    assert_string_equal(stub_get(BACK "/frontend-id"), "2");
    assert_string_equal(stub_permissions(stub_below(LINKS)), "n0");
    assert_phase("up");
    /* Again, in the other order. */
    assert_int_equal(enable(ctx, "db", "web", false, &changed), 0);
    assert_false(changed);
    assert_int_equal(disable(ctx, "db", "web", false, &nr), 0);
    assert_int_equal(nr, 1);
    assert_same(before);
    assert_int_equal(disable(ctx, "db", "web", false, &nr), 0);
    assert_int_equal(nr, 0);
    shmlink_ctx_close(ctx);
    assert_int_equal(stub_leaks(), 0);
}

/* What a refusal of enable says must name the cause. */
static void refused(int rc_wanted, const char *one, const char *other,
                    const char *words)
{
    struct shmlink_ctx *ctx = open_ctx();
    char *before = stub_dump();
    bool changed = false;
    int rc = enable(ctx, one, other, false, &changed);

    if (rc != rc_wanted || !strstr(shmlink_why(ctx), words))
        fail_msg("%d '%s', not %d '%s'", rc, shmlink_why(ctx), rc_wanted,
                 words);
    assert_same(before);
    shmlink_ctx_close(ctx);
    assert_int_equal(stub_leaks(), 0);
}

static void test_guests_refused(void **state)
{
    (void)state;
    stub_guests = guests_good;
    refused(-ESRCH, "nobody", "db", "no domain 'nobody'");
    refused(-ESRCH, "web", "77", "no domain '77'");
    refused(-EINVAL, "web", "1", "same domain");
    refused(-EINVAL, "0", "db", "not a guest");
    stub_domains[2].paused = true;
    refused(-EBUSY, "web", "db", "db (domain 2) is paused");
    stub_domains[2].paused = false;
    stub_domains[1].dying = true;
    refused(-EBUSY, "web", "db", "going down");
    stub_domains[1].dying = false;
    stub_set("/local/domain/2/data/shmlink/versions", "2 3");
    refused(-EOPNOTSUPP, "web", "db", "1 to 1, that of db 2 to 3");
    stub_set("/local/domain/2/data/shmlink/versions", "rubbish");
    refused(-EOPNOTSUPP, "web", "db", "does not say");
    stub_remove("/local/domain/2/data/shmlink/versions");
    refused(-EOPNOTSUPP, "web", "db", "modprobe shmlink");
}

/* Enabled already is no failure, whatever a guest does meanwhile. */
static void test_linked_paused(void **state)
{
    struct shmlink_ctx *ctx = open_ctx();
    struct shmlink_enable_options options = {
        .dom = { "db", "web" }, .dry_run = true,
    };
    bool changed = true;
    int i;

    (void)state;
    stub_guests = guests_good;
    assert_int_equal(enable(ctx, "web", "db", false, &changed), 0);
    for (i = 1; i <= 2; i++) {
        stub_domains[i].paused = true;
        changed = true;
        assert_int_equal(enable(ctx, "web", "db", false, &changed), 0);
        assert_false(changed);
        changed = true;
        assert_int_equal(shmlink_enable(ctx, &options, &changed, NULL), 0);
        assert_false(changed);
        stub_domains[i].paused = false;
    }
    stub_domains[2].shutdown = true;
    assert_int_equal(enable(ctx, "web", "db", false, &changed), -EBUSY);
    shmlink_ctx_close(ctx);
    assert_int_equal(stub_leaks(), 0);
}

static void test_vifs_refused(void **state)
{
    (void)state;
    stub_guests = guests_good;
    put_port("vif2.0", "xenbr1");
    refused(-EOPNOTSUPP, "web", "db",
            "vif1.0 of web is on bridge xenbr0, vif2.0 of db on xenbr1");
    put_port("vif2.0", "xenbr0");
    stub_set("/libxl/2/device/vif/0/backend",
             "/local/domain/5/backend/vif/2/0");
    refused(-EOPNOTSUPP, "web", "db", "served by domain 5");
    stub_set("/libxl/2/device/vif/0/backend",
             "/local/domain/0/backend/vif/2/0");
    stub_set("/local/domain/0/backend/vif/2/0/mac", "00:16:3E:00:00:01");
    refused(-EOPNOTSUPP, "web", "db", "same MAC");
    stub_set("/local/domain/0/backend/vif/2/0/mac", "00:16:3e:00:00:02");
    stub_set("/local/domain/0/backend/vif/2/0/vifname", "../../etc");
    refused(-EOPNOTSUPP, "web", "db", "has no vif");
    stub_remove("/libxl/2/device");
    refused(-EOPNOTSUPP, "web", "db", "has no vif");
}

/* A link by these vifs of web and db on that bridge, made or there already. */
static void linked_by(const char *one, const char *other, const char *bridge,
                      bool changed_wanted, uint32_t vif, const char *is_on)
{
    struct shmlink_enable_options options = {
        .dom = { one, other }, .bridge = bridge, .wait_ms = 60,
    };
    struct shmlink_ctx *ctx = open_ctx();
    struct shmlink_link link;
    bool changed = false;

    assert_int_equal(shmlink_enable(ctx, &options, &changed, &link), 0);
    assert_int_equal(changed, changed_wanted);
    assert_int_equal(link.vif[0], vif);
    assert_int_equal(link.vif[1], vif);
    assert_string_equal(link.name[0], "web");
    assert_string_equal(link.bridge, is_on);
    shmlink_ctx_close(ctx);
}

/* Two vifs each: one link for each pair, and each can be named. */
static void test_vifs_two(void **state)
{
    struct shmlink_ctx *ctx = open_ctx();
    char *before;
    size_t nr;

    (void)state;
    stub_guests = guests_good;
    put_vif(1, 1, "xenbr1");
    put_vif(2, 1, "xenbr1");
    before = stub_dump();
    linked_by("web", "db", NULL, true, 0, "xenbr0");
    linked_by("web", "db:1", NULL, true, 1, "xenbr1");
    assert_string_equal(stub_get(BACK_1 "/vif"), "1");
    assert_string_equal(stub_get(FRONT_1 "/peer-mac"), "00:16:3e:00:01:01");
    linked_by("db", "web", NULL, false, 0, "xenbr0");
    linked_by("db", "1:1", NULL, false, 1, "xenbr1");
    linked_by("web", "db", "xenbr1", false, 1, "xenbr1");
    assert_int_equal(disable(ctx, "db", "web:0", false, &nr), 0);
    assert_int_equal(nr, 1);
    assert_null(stub_get(BACK));
    assert_non_null(stub_get(BACK_1 "/state"));
    linked_by("web", "db", NULL, false, 1, "xenbr1");
    linked_by("web", "db", "xenbr0", true, 0, "xenbr0");
    assert_int_equal(disable(ctx, "db", "web", false, &nr), 0);
    assert_int_equal(nr, 2);
    assert_same(before);
    shmlink_ctx_close(ctx);
}

/* What dom0 enforces on one pair is no reason to refuse the other. */
static void test_vifs_limited(void **state)
{
    struct shmlink_ctx *ctx;
    bool changed;
    size_t nr;

    (void)state;
    stub_guests = guests_good;
    put_vif(1, 1, "xenbr1");
    put_vif(2, 1, "xenbr1");
    stub_set("/local/domain/0/backend/vif/2/0/rate", "1250000,50000");
    linked_by("web", "db", NULL, true, 1, "xenbr1");
    refused(-EPERM, "web", "db:0", "vif2.0 of db has a rate limit");
    refused(-EOPNOTSUPP, "web:1", "db:0",
            "vif1.1 of web is on bridge xenbr1, vif2.0 of db on xenbr0");
    refused(-EOPNOTSUPP, "web:7", "db", "web (domain 1) has no vif 7");
    refused(-ESRCH, "web:x", "db", "no domain 'web:x'");
    refused(-ESRCH, ":1", "db", "no domain ':1'");
    ctx = open_ctx();
    assert_int_equal(enable(ctx, "web", "db:0", true, &changed), 0);
    assert_true(changed);
    assert_int_equal(disable(ctx, NULL, NULL, false, &nr), 0);
    assert_int_equal(nr, 2);
    shmlink_ctx_close(ctx);
    /* All are limited: the first says why. */
    stub_set("/local/domain/0/backend/vif/1/1/rate", "1250000,50000");
    refused(-EPERM, "web", "db", "vif2.0 of db has a rate limit");
    refused(-EPERM, "web:1", "db", "vif1.1 of web has a rate limit");
}

static void test_vifs_bridge(void **state)
{
    struct shmlink_disable_options off = { .bridge = "xenbr1", .wait_ms = 60 };
    struct shmlink_enable_options on = {
        .dom = { "web", "db" }, .bridge = "xenbr1", .wait_ms = 60,
    };
    struct shmlink_ctx *ctx = open_ctx();
    bool changed = false;
    size_t nr;

    (void)state;
    stub_guests = guests_good;
    put_vif(1, 1, "xenbr1");
    assert_int_equal(shmlink_enable(ctx, &on, &changed, NULL), -EOPNOTSUPP);
    assert_non_null(strstr(shmlink_why(ctx),
                           "vif2.0 of db is not on bridge xenbr1"));
    put_vif(2, 1, "xenbr1");
    linked_by("web", "db", NULL, true, 0, "xenbr0");
    linked_by("web", "db", "xenbr1", true, 1, "xenbr1");
    assert_int_equal(shmlink_disable(ctx, &off, &nr), 0);
    assert_int_equal(nr, 1);
    assert_non_null(stub_get(BACK "/state"));
    assert_int_equal(disable(ctx, "web:0", NULL, false, &nr), 0);
    assert_int_equal(nr, 1);
    shmlink_ctx_close(ctx);
}

/* A name may look like a guest and its vif, but never like a number's. */
static void test_vifs_names(void **state)
{
    struct shmlink_ctx *ctx = open_ctx();
    struct shmlink_link *links;
    size_t nr;

    (void)state;
    stub_guests = guests_good;
    put_guest(3, "web:0");
    put_guest(4, "2:0");
    linked_by("web", "2:0", NULL, true, 0, "xenbr0");
    assert_non_null(stub_get(FRONT "/state"));
    assert_int_equal(shmlink_list(ctx, "web:0", false, &links, &nr), 0);
    assert_int_equal(nr, 0);
    free(links);
    assert_int_equal(shmlink_list(ctx, "1:0", false, &links, &nr), 0);
    assert_int_equal(nr, 1);
    free(links);
    assert_int_equal(disable(ctx, "1:0", NULL, false, &nr), 0);
    assert_int_equal(nr, 1);
    shmlink_ctx_close(ctx);
}

/* Refused as told, but not with force. */
static void limited(const char *words)
{
    struct shmlink_ctx *ctx;
    bool changed;
    size_t nr;

    refused(-EPERM, "web", "db", words);
    refused(-EPERM, "web", "db", "--force");
    ctx = open_ctx();
    assert_int_equal(enable(ctx, "web", "db", true, &changed), 0);
    assert_int_equal(disable(ctx, "web", "db", false, &nr), 0);
    shmlink_ctx_close(ctx);
}

static void not_limited(void)
{
    struct shmlink_ctx *ctx = open_ctx();
    bool changed;
    size_t nr;

    if (enable(ctx, "web", "db", false, &changed))
        fail_msg("%s", shmlink_why(ctx));
    assert_int_equal(disable(ctx, "web", "db", false, &nr), 0);
    shmlink_ctx_close(ctx);
}

/* What dom0 does to one of the two, to their bridge, to all. */
static void test_limits(void **state)
{
    static const struct {
        struct stub_fact fact;
        const char *words;
    } facts[] = {
        { { "vif1.0", false, "is down" }, "vif1.0 of web is down" },
        { { "vif2.0", false, "is down" }, "vif2.0 of db is down" },
        { { "vif2", true, "is filtered" }, "vif2.0 of db is filtered" },
        { { "", true, "is filtered" }, "vif1.0 of web is filtered" },
        { { "xenbr0", false, "is down" }, "bridge xenbr0 is down" },
        { { "", false, "filters" }, "dom0 filters, which a link would" },
    }, nothing[] = {
        { { "vif1.01", false, "is down" }, NULL },
        { { "vif1", false, "is down" }, NULL },
        { { "vif3", true, "is filtered" }, NULL },
        { { "xenbr", true, "is down" }, NULL },
        { { "xenbr1", false, "is down" }, NULL },
    };
    size_t i;

    (void)state;
    stub_guests = guests_good;
    stub_set("/local/domain/0/backend/vif/2/0/rate", "1250000,50000");
    limited("vif2.0 of db has a rate limit");
    stub_set("/local/domain/0/backend/vif/2/0/rate", "0,50000");
    for (i = 0; i < sizeof(facts) / sizeof(facts[0]); i++) {
        stub_facts[0] = facts[i].fact;
        limited(facts[i].words);
    }
    for (i = 0; i < sizeof(nothing) / sizeof(nothing[0]); i++) {
        stub_facts[0] = nothing[i].fact;
        not_limited();
    }
    stub_facts[0] = facts[0].fact;
    stub_facts[1] = facts[1].fact;
    limited("vif1.0 of web is down; vif2.0 of db is down, which");
}

static void test_vlans(void **state)
{
    (void)state;
    stub_guests = guests_good;
    stub_vlans[0] = "1pu";
    stub_vlans[1] = "1pu 10";
    limited("different VLANs of bridge xenbr0");
    stub_vlans[0] = "1pu 10";
    not_limited();
}

/* The tables of before nf_tables. */
static void test_legacy(void **state)
{
    (void)state;
    stub_guests = guests_good;
    put_file("live\n", "%s/module/ebtable_filter/initstate", sysfs);
    limited("ebtables");
    assert_int_equal(unlink("sys/module/ebtable_filter/initstate"), 0);
    put_file("filter\n", "%s/net/ip_tables_names", procfs);
    put_file("1\n", "%s/sys/net/bridge/bridge-nf-call-iptables", procfs);
    limited("bridge-nf-call-iptables=1");
    put_file("0\n", "%s/sys/net/bridge/bridge-nf-call-iptables", procfs);
}

/* The kernel does not tell: refused, but not where it is forced. */
static void test_unread(void **state)
{
    struct shmlink_ctx *ctx;
    unsigned int call, refusals = 0;
    bool changed;
    size_t nr;
    int rc;

    (void)state;
    stub_guests = guests_good;
    for (call = 1; call < 200; call++) {
        ctx = open_ctx();
        stub_calls = 0;
        stub_fail_at = call;
        rc = enable(ctx, "web", "db", false, &changed);
        stub_fail_at = 0;
        if (rc == -EPERM) {
            refusals++;
            assert_non_null(strstr(shmlink_why(ctx), "the kernel does not "
                                   "say"));
            stub_calls = 0;
            stub_fail_at = call;
            assert_int_equal(enable(ctx, "web", "db", true, &changed), 0);
            stub_fail_at = 0;
        }
        disable(ctx, NULL, NULL, false, &nr);
        shmlink_ctx_close(ctx);
    }
    assert_int_equal(refusals, 5);      /* readers of the stub */
}

static char told[640];

static void tell(void *opaque, const char *line)
{
    (void)opaque;
    snprintf(told, sizeof(told), "%s", line);
}

/* The only link, as list tells it. */
static struct shmlink_link listed(struct shmlink_ctx *ctx)
{
    struct shmlink_link *links = NULL, link;
    size_t nr;

    assert_int_equal(shmlink_list(ctx, NULL, false, &links, &nr), 0);
    assert_int_equal(nr, 1);
    link = links[0];
    free(links);
    return link;
}

/* A quarantine that comes later: marked by list, closed by what changes. */
static void test_policy_later(void **state)
{
    struct shmlink_ctx *ctx = open_ctx();
    char *before = stub_dump();
    struct shmlink_link link;
    bool changed;
    size_t nr;
    int i;

    (void)state;
    ctx->options.notice = tell;
    stub_guests = guests_good;
    for (i = 0; i < 3; i++) {
        stub_facts[0].on = NULL;
        assert_int_equal(enable(ctx, "web", "db", false, &changed), 0);
        assert_string_equal(listed(ctx).bypasses, "");
        stub_facts[0] = (struct stub_fact){ "vif2.0", false, "is down" };
        told[0] = '\0';
        link = listed(ctx);
        assert_string_equal(link.bypasses, "vif2.0 of db is down");
        assert_false(link.forced || link.impossible);
        assert_true(link.state == SHMLINK_CONNECTED);
        if (i == 0) {
            assert_int_equal(shmlink_review(ctx, &nr), 0);
            assert_int_equal(nr, 1);
        } else if (i == 1) {
            assert_int_equal(enable(ctx, "web", "db", false, &changed),
                             -EPERM);
        } else {
            put_guest(3, "third");
            assert_int_equal(disable(ctx, "third", NULL, false, &nr), 0);
            assert_int_equal(nr, 0);
            stub_domains[3].gone = true;
            stub_remove("/local/domain/3");
            stub_remove("/local/domain/0/backend/vif/3");
            stub_remove("/libxl/3");
        }
        assert_non_null(strstr(told, "closing the link of web and db, which "
                               "is forbidden by now: vif2.0 of db is down"));
        assert_null(stub_below(LINKS));
    }
    assert_same(before);
    shmlink_ctx_close(ctx);
    assert_int_equal(stub_leaks(), 0);
}

/* One that was forced stays, but where its vifs do not meet any more. */
static void test_policy_forced(void **state)
{
    struct shmlink_ctx *ctx = open_ctx();
    struct shmlink_link link;
    bool changed;
    size_t nr;

    (void)state;
    ctx->options.notice = tell;
    stub_guests = guests_good;
    assert_int_equal(enable(ctx, "web", "db", false, &changed), 0);
    assert_false(listed(ctx).forced);
    stub_facts[0] = (struct stub_fact){ "xenbr0", false, "is down" };
    /* Forced in time, it stays. */
    assert_int_equal(enable(ctx, "web", "db", true, &changed), 0);
    assert_false(changed);
    assert_int_equal(shmlink_review(ctx, &nr), 0);
    assert_int_equal(nr, 0);
    link = listed(ctx);
    assert_true(link.forced && !link.impossible);
    assert_string_equal(link.bypasses, "bridge xenbr0 is down");
    put_port("vif2.0", "xenbr1");
    link = listed(ctx);
    assert_true(link.impossible);
    assert_non_null(strstr(link.bypasses, "vif2.0 of db on xenbr1"));
    assert_int_equal(shmlink_review(ctx, &nr), 0);
    assert_int_equal(nr, 1);
    put_port("vif2.0", "xenbr0");
    assert_int_equal(enable(ctx, "web", "db", true, &changed), 0);
    stub_remove("/libxl/2/device/vif/0");
    assert_string_equal(listed(ctx).bypasses, "vif 0 of db is gone");
    assert_int_equal(shmlink_review(ctx, &nr), 0);
    assert_int_equal(nr, 1);
    shmlink_ctx_close(ctx);
    assert_int_equal(stub_leaks(), 0);
}

/* A dry run says what would be; a kernel that does not tell closes nothing. */
static void test_policy_unread(void **state)
{
    struct shmlink_ctx *ctx = open_ctx();
    struct shmlink_enable_options options = {
        .dom = { "db", "web" }, .dry_run = true,
    };
    bool changed;
    size_t nr;

    (void)state;
    ctx->options.notice = tell;
    stub_guests = guests_good;
    assert_int_equal(enable(ctx, "web", "db", false, &changed), 0);
    stub_facts[0] = (struct stub_fact){ "vif2.0", false, "is down" };
    assert_int_equal(shmlink_enable(ctx, &options, &changed, NULL), -EPERM);
    assert_non_null(stub_below(LINKS));
    stub_unread = true;
    assert_int_equal(shmlink_review(ctx, &nr), 0);
    assert_int_equal(nr, 0);
    assert_non_null(strstr(told, "links are left as they are"));
    assert_non_null(stub_below(LINKS));
    shmlink_ctx_close(ctx);
}

static bool is_302;

static void guests_302(void)
{
    is_302 |= stub_get("/local/domain/1/backend/shmlink/2/302/state") &&
              stub_get("/local/domain/2/device/shmlink/302/state");
}

/* A number is random, and not one that is taken at either end. */
static void test_number(void **state)
{
    (void)state;
    stub_random = 300;
    stub_set("/local/domain/2/device/shmlink/300", "");
    stub_set("/local/domain/1/backend/shmlink/2/301", "");
    stub_guests = guests_302;
    refused(-ETIMEDOUT, "web", "db", "did not answer");
    assert_true(is_302);
}

static void test_headroom(void **state)
{
    struct shmlink_ctx *ctx;
    char path[128];
    bool changed;
    size_t nr;
    int i;

    (void)state;
    stub_guests = guests_good;
    stub_grant_frames = 2;
    refused(-ENOSPC, "web", "db", "may have 1024 grants");
    stub_grant_frames = 64;
    stub_event_channels_used = 64;
    refused(-ENOSPC, "web", "db", "all its 64 event channels");
    stub_event_channels_used = 63;
    ctx = open_ctx();
    assert_int_equal(enable(ctx, "web", "db", false, &changed), 0);
    assert_int_equal(disable(ctx, NULL, NULL, false, &nr), 0);
    assert_int_equal(nr, 1);
    shmlink_ctx_close(ctx);
    for (i = 0; i < 128; i++) {
        snprintf(path, sizeof(path), "/local/domain/2/device/shmlink/%d", i);
        stub_set(path, "");
    }
    refused(-ENOSPC, "web", "db", "no device number is free");
}

static void guests_half(void)
{
    step(BACK "/state", "1", "2");
    step(BACK "/state", "5", "6");
}

/* The back end does not take what the front end offers. */
static void guests_no_map(void)
{
    guests_half();
    if (stub_get(BACK "/state") && *stub_get(BACK "/state") == '2')
        step(FRONT "/state", "1", "3");
}

/* The front end does not see the back end connected. */
static void guests_no_front(void)
{
    guests_no_map();
    if (stub_get(FRONT "/state") && *stub_get(FRONT "/state") == '3')
        step(BACK "/state", "2", "4");
}

static void test_no_answer(void **state)
{
    (void)state;
    stub_guests = NULL;
    refused(-ETIMEDOUT, "web", "db", "web (domain 1) did not answer");
    stub_guests = guests_half;
    refused(-ETIMEDOUT, "web", "db", "db (domain 2) did not answer");
    stub_guests = guests_no_map;
    refused(-ETIMEDOUT, "web", "db", "web (domain 1) did not answer");
    stub_guests = guests_no_front;
    refused(-ETIMEDOUT, "web", "db", "db (domain 2) did not answer");
    stub_guests = guests_refuse;
    refused(-EPROTO, "web", "db", "db (domain 2) gave up: no ?grants");
}

/* Writes its own state over the request to close, once. */
static void guests_racing(void)
{
    static int raced;

    step(FRONT "/state", "1", "3");
    if (stub_get(BACK "/state") && *stub_get(BACK "/state") == '1')
        raced = 0;
    step(BACK "/state", "1", "2");
    if (stub_get(BACK "/state") && *stub_get(BACK "/state") == '5') {
        stub_set(BACK "/state", raced++ ? "6" : "3");
        stub_set(FRONT "/state", "6");
    }
}

static void test_race(void **state)
{
    int64_t start = ctx_now_ms();

    (void)state;
    stub_guests = guests_racing;
    refused(-ETIMEDOUT, "web", "db", "did not answer");
    assert_true(ctx_now_ms() - start < 2000);
}

static void test_cancelled(void **state)
{
    struct shmlink_ctx *ctx = open_ctx();
    char *before = stub_dump();
    bool changed;
    int fds[2];

    (void)state;
    assert_int_equal(pipe(fds), 0);
    ctx->options.cancel_fd = fds[0];
    assert_int_equal(write(fds[1], "x", 1), 1);
    assert_int_equal(enable(ctx, "web", "db", false, &changed), -EINTR);
    assert_non_null(strstr(shmlink_why(ctx), "interrupted"));
    assert_same(before);
    close(fds[0]);
    close(fds[1]);
    shmlink_ctx_close(ctx);
}

static void test_list_cancelled(void **state)
{
    struct shmlink_ctx *ctx = open_ctx();
    struct shmlink_link *links = NULL;
    bool changed;
    int fds[2];
    size_t nr;

    (void)state;
    stub_set("/local/domain/1/data/shmlink/stats-seq", "0");
    stub_guests = guests_good;
    assert_int_equal(enable(ctx, "web", "db", false, &changed), 0);
    assert_int_equal(pipe(fds), 0);
    ctx->options.cancel_fd = fds[0];
    assert_int_equal(write(fds[1], "x", 1), 1);
    assert_int_equal(shmlink_list(ctx, NULL, true, &links, &nr), -EINTR);
    assert_non_null(strstr(shmlink_why(ctx), "interrupted"));
    assert_null(links);
    close(fds[0]);
    close(fds[1]);
    shmlink_ctx_close(ctx);
    assert_int_equal(stub_leaks(), 0);
}

/* Up, and then deaf. */
static void guests_deaf(void)
{
    if (stub_get(BACK "/state") && *stub_get(BACK "/state") < '5')
        guests_good();
}

static void test_disable_unconfirmed(void **state)
{
    struct shmlink_ctx *ctx = open_ctx();
    char *before = stub_dump();
    bool changed;
    size_t nr;

    (void)state;
    stub_guests = guests_deaf;
    assert_int_equal(enable(ctx, "web", "db", false, &changed), 0);
    assert_int_equal(disable(ctx, "web", "db", false, &nr), -ETIMEDOUT);
    assert_non_null(strstr(shmlink_why(ctx), "web (domain 1) did not"));
    assert_same(before);

    /* A paused guest is to blame, whatever its peer does. */
    before = stub_dump();
    assert_int_equal(enable(ctx, "web", "db", false, &changed), 0);
    stub_domains[2].paused = true;
    assert_int_equal(disable(ctx, "web", "db", false, &nr), -ETIMEDOUT);
    assert_non_null(strstr(shmlink_why(ctx),
                           "db (domain 2), which is paused, did not"));
    assert_same(before);
    shmlink_ctx_close(ctx);
}

/* Interrupts of disable: when each comes, after the first wait, in ms. */
static struct {
    int write_fd;
    int64_t first_ms;
    unsigned int sent, nr;
    int at_ms[4];
} hurry;

/* db never closes, and somebody waits for it. */
static void guests_deaf_hurry(void)
{
    int64_t now = ctx_now_ms();

    guests_deaf();
    if (!stub_get(BACK "/state") || *stub_get(BACK "/state") < '5')
        return;
    if (!hurry.first_ms)
        hurry.first_ms = now;
    if (hurry.sent < hurry.nr &&
        now - hurry.first_ms >= hurry.at_ms[hurry.sent]) {
        assert_int_equal(write(hurry.write_fd, "x", 1), 1);
        hurry.sent++;
    }
}

/* Link, and disable with interrupts; the time it took. */
static int64_t disable_hurry(struct shmlink_ctx *ctx, bool stoppable,
                             unsigned int wait_ms, int rc_wanted)
{
    struct shmlink_disable_options options = {
        .dom = { "web", "db" }, .wait_ms = wait_ms, .stoppable = stoppable,
    };
    bool changed;
    int fds[2];
    size_t nr;

    told[0] = '\0';
    assert_int_equal(pipe(fds), 0);
    assert_int_equal(enable(ctx, "web", "db", false, &changed), 0);
    ctx->options.cancel_fd = fds[0];
    ctx->options.notice = tell;
    hurry.write_fd = fds[1];
    hurry.first_ms = 0;
    hurry.sent = 0;
    assert_int_equal(shmlink_disable(ctx, &options, &nr), rc_wanted);
    ctx->options.cancel_fd = -1;
    close(fds[0]);
    close(fds[1]);
    return ctx_now_ms() - hurry.first_ms;
}

/* Interrupted twice, disable ends; the next command finishes it. */
static void test_disable_stopped(void **state)
{
    struct shmlink_ctx *ctx = open_ctx();
    char *before = stub_dump();
    struct shmlink_link *links;
    size_t nr;

    (void)state;
    stub_guests = guests_deaf_hurry;
    hurry.nr = 2;
    hurry.at_ms[1] = 350;
    assert_true(disable_hurry(ctx, true, 20000, -EINTR) < 10000);
    assert_non_null(strstr(told, "interrupt again"));
    assert_non_null(strstr(shmlink_why(ctx), "still closing, web (domain 1)"));
    assert_phase("closing");
    assert_non_null(stub_get(BACK "/state"));
    assert_int_equal(stub_leaks(), 3);      /* the handles of ctx */

    /* While it runs nobody takes it away, afterwards the next one does. */
    stub_guests = guests_good;
    assert_int_equal(shmlink_list(ctx, NULL, false, &links, &nr), 0);
    assert_int_equal(nr, 1);
    assert_true(links[0].state == SHMLINK_CLOSING);
    free(links);
    entry_abandon();
    assert_int_equal(shmlink_list(ctx, NULL, false, &links, &nr), 0);
    assert_int_equal(nr, 0);
    free(links);
    assert_non_null(strstr(told, "killed or stopped"));
    assert_same(before);
    shmlink_ctx_close(ctx);
    assert_int_equal(stub_leaks(), 0);
}

/* Once, or twice at the same moment, it only says that it waits. */
static void test_disable_interrupted(void **state)
{
    struct shmlink_ctx *ctx = open_ctx();
    char *before = stub_dump();

    (void)state;
    stub_guests = guests_deaf_hurry;
    hurry.nr = 2;
    hurry.at_ms[1] = 1;
    assert_true(disable_hurry(ctx, true, 400, -ETIMEDOUT) >= 350);
    assert_int_equal(hurry.sent, 2);
    assert_non_null(strstr(told, "interrupt again"));
    assert_same(before);

    /* Nor where it is a part of something else. */
    before = stub_dump();
    hurry.at_ms[1] = 350;
    assert_true(disable_hurry(ctx, false, 600, -ETIMEDOUT) >= 550);
    assert_int_equal(hurry.sent, 2);
    assert_string_equal(told, "");
    assert_same(before);
    shmlink_ctx_close(ctx);
    assert_int_equal(stub_leaks(), 0);
}

/* db writes below its end of the link whenever dom0 would commit. */
static bool db_writes(void)
{
    return stub_get(FRONT) && stub_touched(FRONT);
}

static void test_guest_writes(void **state)
{
    struct shmlink_ctx *ctx = open_ctx();
    char *before = stub_dump();
    bool changed;
    size_t nr;

    (void)state;
    stub_guests = guests_good;
    assert_int_equal(enable(ctx, "web", "db", false, &changed), 0);
    stub_between = db_writes;
    assert_int_equal(disable(ctx, "web", "db", false, &nr), 0);
    assert_int_equal(nr, 1);
    assert_same(before);
    shmlink_ctx_close(ctx);
    assert_int_equal(stub_leaks(), 0);
}

/* A limit is each guest's to read and dom0's to write, and comes back. */
static void test_limit(void **state)
{
    struct shmlink_enable_options options = {
        .dom = { "web", "db" }, .wait_ms = 60, .ring_bytes = 131072,
        .limit = 131071,
    };
    struct shmlink_ctx *ctx = open_ctx();
    bool changed;
    size_t nr;

    (void)state;
    stub_guests = guests_good;
    assert_int_equal(shmlink_enable(ctx, &options, &changed, NULL), -EINVAL);
    options.limit = 131072;
    assert_int_equal(shmlink_enable(ctx, &options, &changed, NULL), 0);
    assert_string_equal(stub_get(BACK "/limit"), "131072");
    assert_string_equal(stub_permissions(BACK "/limit"), "n0,r1");
    assert_string_equal(stub_permissions(FRONT "/limit"), "n0,r2");
    assert_int_equal(listed(ctx).limit, 131072);
    assert_int_equal(enable(ctx, "web", "db", false, &changed), 0);
    options.limit = 200000;
    assert_int_equal(shmlink_enable(ctx, &options, &changed, NULL), -EEXIST);
    assert_int_equal(disable(ctx, "web", "db", true, &nr), 0);
    assert_int_equal(shmlink_relink(ctx, NULL, &nr), 0);
    assert_int_equal(listed(ctx).limit, 131072);
    shmlink_ctx_close(ctx);
}

/* An entry that cannot be read is told of, and is not used. */
static void test_entry_damaged(void **state)
{
    static const char *const damage[][2] = {
        { "uuid1", "11111111-1111-1111-1111" }, { "vif1", "" },
        { "domid2", "32752" }, { "ring-bytes", "8388608" },
        { "phase", "wet" }, { "pid-start", "4711 " }, { "force", "10" },
        { "force", "2" }, { "vif2", "-1" }, { "devid", "4294967296" },
        { "pid", "-1" }, { "pid-start", "4711 limit=0" },
        { "pid-start", "4711 limit=" },
    };
    struct shmlink_ctx *ctx = open_ctx();
    struct shmlink_link *links;
    char good[512];
    bool changed;
    size_t i, nr;

    (void)state;
    stub_guests = guests_good;
    assert_int_equal(enable(ctx, "web", "db", false, &changed), 0);
    ctx->options.notice = tell;
    snprintf(good, sizeof(good), "%s", stub_get(stub_below(LINKS)));
    /* As the version that knew no limits writes and reads it. */
    assert_null(strstr(good, " limit="));
    for (i = 0; i < sizeof(damage) / sizeof(damage[0]); i++) {
        entry_set(damage[i][0], damage[i][1]);
        told[0] = '\0';
        assert_int_equal(shmlink_list(ctx, NULL, false, &links, &nr), 0);
        assert_int_equal(nr, 0);
        free(links);
        assert_non_null(strstr(told, "ignoring " LINKS));
        stub_set(stub_below(LINKS), good);
    }
    assert_int_equal(disable(ctx, "web", "db", false, &nr), 0);
    assert_int_equal(nr, 1);
    shmlink_ctx_close(ctx);
}

/* What a killed command, a dead guest or a closed end leaves is swept. */
static void test_sweep(void **state)
{
    struct shmlink_ctx *ctx = open_ctx();
    char *before = stub_dump();
    struct shmlink_link *links;
    bool changed;
    size_t nr;

    (void)state;
    stub_guests = guests_good;
    assert_int_equal(enable(ctx, "web", "db", false, &changed), 0);
    entry_set("phase", "connecting");
    entry_abandon();
    assert_int_equal(shmlink_list(ctx, NULL, false, &links, &nr), 0);
    assert_int_equal(nr, 0);
    free(links);
    assert_same(before);

    before = stub_dump();
    assert_int_equal(enable(ctx, "web", "db", false, &changed), 0);
    stub_set(FRONT "/state", "6");
    assert_int_equal(shmlink_list(ctx, NULL, false, &links, &nr), 0);
    assert_int_equal(nr, 0);
    free(links);
    assert_same(before);

    assert_int_equal(enable(ctx, "web", "db", false, &changed), 0);
    stub_domains[1].uuid[0]++;      /* another guest, same number */
    assert_int_equal(shmlink_list(ctx, NULL, false, &links, &nr), 0);
    assert_int_equal(nr, 0);
    free(links);

    assert_int_equal(enable(ctx, "web", "db", false, &changed), 0);
    stub_domains[1].gone = true;
    stub_remove("/local/domain/1");
    stub_remove("/libxl/1");
    assert_int_equal(shmlink_list(ctx, NULL, false, &links, &nr), 0);
    assert_int_equal(nr, 0);
    free(links);
    assert_null(stub_below(LINKS));
    assert_null(stub_get("/local/domain/2/device/shmlink"));
    assert_null(stub_get("/local/domain/1"));
    shmlink_ctx_close(ctx);
}

/* db is destroyed just before what a command writes gets there. */
static bool db_goes(void)
{
    bool there = !stub_domains[2].gone;

    stub_domains[2].gone = true;
    stub_remove("/local/domain/2");
    stub_remove("/libxl/2");
    return there;
}

static void test_guest_goes(void **state)
{
    struct shmlink_ctx *ctx = open_ctx();
    struct shmlink_link *links = NULL;
    bool changed;
    size_t nr;

    stub_guests = guests_good;
    stub_between = db_goes;
    assert_int_equal(enable(ctx, "web", "db", false, &changed), -ESRCH);
    assert_non_null(strstr(shmlink_why(ctx), "gone"));
    assert_null(stub_get("/local/domain/2"));
    assert_null(stub_below(LINKS));

    set_up(state);
    stub_guests = guests_good;
    stub_set("/local/domain/2/data/shmlink/stats-seq", "0");
    assert_int_equal(enable(ctx, "web", "db", false, &changed), 0);
    stub_between = db_goes;
    assert_int_equal(shmlink_list(ctx, NULL, true, &links, &nr), 0);
    assert_null(stub_get("/local/domain/2"));
    free(links);
    shmlink_ctx_close(ctx);
}

/* Another guest has the number of one that is gone: it is not named. */
static void test_domid_again(void **state)
{
    struct shmlink_ctx *ctx = open_ctx(), *other = open_ctx();
    struct shmlink_disable_options options = {
        .dom = { "new", NULL }, .dry_run = true,
    };
    struct shmlink_link *links;
    bool changed;
    size_t nr;

    (void)state;
    stub_guests = guests_good;
    ctx->options.notice = tell;
    assert_int_equal(enable(ctx, "web", "db", false, &changed), 0);
    stub_domains[1].uuid[0]++;
    stub_domains[1].name = "new";
    assert_int_equal(shmlink_disable(ctx, &options, &nr), 0);
    assert_int_equal(nr, 0);
    /* While a command is at work nothing is swept. */
    assert_int_equal(ctx_lock_try(other), 0);
    assert_int_equal(shmlink_list(ctx, NULL, false, &links, &nr), 0);
    assert_int_equal(nr, 1);
    assert_string_equal(links[0].name[0], "?");
    assert_string_equal(links[0].name[1], "db");
    free(links);
    assert_int_equal(shmlink_list(ctx, "new", false, &links, &nr), 0);
    assert_int_equal(nr, 0);
    free(links);
    ctx_unlock(other);
    assert_int_equal(shmlink_list(ctx, NULL, false, &links, &nr), 0);
    assert_int_equal(nr, 0);
    free(links);
    assert_non_null(strstr(told, "link of a guest that is gone"));
    shmlink_ctx_close(other);
    shmlink_ctx_close(ctx);
}

static void guests_counting(void)
{
    const char *seq = stub_get("/local/domain/1/data/shmlink/stats-seq");

    guests_good();
    if (!seq || *seq == '0')
        return;
    stub_set(BACK "/stats", "tx_bytes=10 tx_packets=2 rx_bytes=30 "
             "rx_packets=4 tx_notifications=5 rx_notifications=6 tx_stalls=7 "
             "tx_drops=8 rx_drops=9 held=256 new_key=1");
    stub_set("/local/domain/1/data/shmlink/stats-ack", seq);
}

static void test_counters(void **state)
{
    struct shmlink_ctx *ctx = open_ctx();
    struct shmlink_link *links = NULL;
    bool changed;
    size_t nr;

    (void)state;
    stub_set("/local/domain/1/data/shmlink/stats-seq", "0");
    stub_guests = guests_counting;
    assert_int_equal(enable(ctx, "web", "db", false, &changed), 0);
    assert_int_equal(shmlink_list(ctx, "db", true, &links, &nr), 0);
    assert_int_equal(nr, 1);
    assert_string_equal(links[0].name[0], "web");
    assert_int_equal(links[0].state, SHMLINK_CONNECTED);
    assert_true(links[0].counters_ok[0]);
    assert_int_equal(links[0].counters[0].rx_bytes, 30);
    assert_int_equal(links[0].counters[0].rx_drops, 9);
    assert_int_equal(links[0].counters[0].held, 256);
    assert_string_equal(shmlink_held_word(8), "qdisc");
    assert_string_equal(shmlink_held_word(9), "stalled");
    assert_null(shmlink_held_word(10));
    assert_false(links[0].counters_ok[1]);
    free(links);
    shmlink_ctx_close(ctx);
}

static void test_relink(void **state)
{
    struct shmlink_ctx *ctx = open_ctx();
    char *before = stub_dump(), path[160], aside[160];
    bool changed;
    size_t nr;

    (void)state;
    stub_guests = guests_good;
    assert_int_equal(enable(ctx, "web", "db", false, &changed), 0);
    assert_int_equal(disable(ctx, "web", NULL, true, &nr), 0);
    assert_same(before);
    stub_domains[1].paused = true;
    assert_int_equal(shmlink_relink(ctx, NULL, &nr), 0);
    assert_int_equal(nr, 0);
    stub_domains[1].paused = false;
    assert_int_equal(shmlink_relink(ctx, NULL, &nr), 0);
    assert_int_equal(nr, 1);
    assert_phase("up");
    assert_int_equal(shmlink_relink(ctx, NULL, &nr), 0);
    assert_int_equal(nr, 0);
    /* A hold that ended before it began: the link was never down. */
    assert_int_equal(disable(ctx, "web", NULL, true, &nr), 0);
    snprintf(path, sizeof(path), "%s/remembered.json", state_dir);
    snprintf(aside, sizeof(aside), "%s/aside", state_dir);
    assert_int_equal(rename(path, aside), 0);
    assert_int_equal(enable(ctx, "web", "db", false, &changed), 0);
    assert_int_equal(rename(aside, path), 0);
    assert_int_equal(shmlink_relink(ctx, NULL, &nr), 0);
    assert_int_equal(nr, 0);
    assert_int_equal(access(path, F_OK), -1);
    /* What the administrator disables stays so. */
    assert_int_equal(disable(ctx, "web", NULL, true, &nr), 0);
    assert_int_equal(disable(ctx, "web", "db", false, &nr), 0);
    assert_int_equal(shmlink_relink(ctx, NULL, &nr), 0);
    assert_int_equal(nr, 0);
    shmlink_ctx_close(ctx);
}

/* Each link of a pair comes back by the vifs that it had. */
static void test_relink_vifs(void **state)
{
    struct shmlink_ctx *ctx = open_ctx();
    char path[160];
    size_t nr;

    (void)state;
    stub_guests = guests_good;
    put_vif(1, 1, "xenbr1");
    put_vif(2, 1, "xenbr1");
    linked_by("web:1", "db:1", NULL, true, 1, "xenbr1");
    linked_by("web:0", "db:0", NULL, true, 0, "xenbr0");
    assert_int_equal(disable(ctx, "db", NULL, true, &nr), 0);
    assert_int_equal(nr, 2);
    assert_int_equal(shmlink_relink(ctx, NULL, &nr), 0);
    assert_int_equal(nr, 2);
    linked_by("web:1", "db:1", NULL, false, 1, "xenbr1");
    linked_by("web:0", "db:0", NULL, false, 0, "xenbr0");
    /* One of them is not wanted any more. */
    assert_int_equal(disable(ctx, "db", NULL, true, &nr), 0);
    assert_int_equal(disable(ctx, "db:1", "web", false, &nr), 0);
    assert_int_equal(shmlink_relink(ctx, "web", &nr), 0);
    assert_int_equal(nr, 1);
    linked_by("web", "db", NULL, false, 0, "xenbr0");
    assert_int_equal(disable(ctx, "db", NULL, false, &nr), 0);
    assert_int_equal(nr, 1);

    /* Of an older version, which noted no vifs. */
    snprintf(path, sizeof(path), "%s/remembered.json", state_dir);
    put_file("{\"links\": [{\"uuid\": ["
             "\"11111111-1111-1111-1111-111111111111\", "
             "\"12121212-1212-1212-1212-121212121212\"], "
             "\"ring_bytes\": 131072, \"force\": false, "
             "\"since\": 4102444800}]}", "%s", path);
    assert_int_equal(shmlink_relink(ctx, NULL, &nr), 0);
    assert_int_equal(nr, 1);
    linked_by("web", "db", NULL, false, 0, "xenbr0");
    assert_int_equal(access(path, F_OK), -1);
    shmlink_ctx_close(ctx);
}

/* web is destroyed; it comes again as domain 3, with this UUID. */
static void web_again(const uint8_t uuid[16])
{
    stub_domains[1].gone = true;
    stub_remove("/local/domain/1");
    stub_remove("/libxl/1");
    put_guest(3, "web");
    memcpy(stub_domains[3].uuid, uuid, 16);
}

#define BACK_AGAIN  "/local/domain/3/backend/shmlink/2/0"
static int done_fd = -1;        /* what it says the service takes as a signal */

static void guests_again(void)
{
    bool up = stub_get(BACK_AGAIN "/state") &&
              *stub_get(BACK_AGAIN "/state") == '4' &&
              strstr(stub_get(stub_below(LINKS)), " phase=up ");

    guests_link(stub_domains[1].gone ? BACK_AGAIN "/state" : BACK "/state",
                FRONT "/state");
    if (done_fd >= 0 && up)
        assert_int_equal(write(done_fd, "", 1), 1);
}

/* Nobody links; what is waited for first is the service's own sleep. */
static void guests_held(void)
{
    assert_null(stub_below(LINKS));
    assert_int_equal(write(done_fd, "", 1), 1);
}

static bool enable_persist_of(struct shmlink_ctx *ctx, const char *one)
{
    struct shmlink_enable_options options = {
        .dom = { one, "db" }, .wait_ms = 60, .persist = true,
    };
    bool changed;

    assert_int_equal(shmlink_enable(ctx, &options, &changed, NULL), 0);
    return changed;
}

static bool enable_persist(struct shmlink_ctx *ctx)
{
    return enable_persist_of(ctx, "web");
}

/* How many links that are to last are not up; link_r: the first. */
static size_t nr_absent(struct shmlink_ctx *ctx, struct shmlink_link *link_r)
{
    struct shmlink_link *links;
    size_t nr;

    assert_int_equal(shmlink_list_absent(ctx, NULL, &links, &nr), 0);
    if (nr)
        *link_r = links[0];
    free(links);
    return nr;
}

static void test_persist(void **state)
{
    struct shmlink_ctx *ctx = open_ctx();
    struct shmlink_link *links, link;
    uint8_t uuid[16];
    bool changed;
    size_t nr;

    (void)state;
    stub_guests = guests_again;
    assert_int_equal(enable(ctx, "web", "db", false, &changed), 0);
    assert_int_equal(shmlink_list(ctx, NULL, false, &links, &nr), 0);
    assert_false(links[0].persist);
    free(links);
    /* One that is up becomes one that lasts, and stays so. */
    assert_false(enable_persist(ctx));
    assert_int_equal(enable(ctx, "web", "db", false, &changed), 0);
    assert_int_equal(shmlink_list(ctx, NULL, false, &links, &nr), 0);
    assert_true(links[0].persist);
    free(links);
    assert_int_equal(nr_absent(ctx, &link), 0);

    memcpy(uuid, stub_domains[1].uuid, 16);
    web_again(uuid);
    assert_int_equal(shmlink_list(ctx, NULL, false, &links, &nr), 0);
    assert_int_equal(nr, 0);
    free(links);
    assert_int_equal(nr_absent(ctx, &link), 1);
    assert_int_equal(link.state, SHMLINK_ABSENT);
    assert_int_equal(link.domid[0], 3);
    stub_domains[3].gone = true;
    assert_int_equal(nr_absent(ctx, &link), 1);
    assert_int_equal(link.domid[0], SHMLINK_DOMID_NONE);
    assert_string_equal(link.name[0], "web");
    stub_domains[3].gone = false;
    assert_int_equal(shmlink_relink(ctx, NULL, &nr), 0);
    assert_int_equal(nr, 1);
    assert_int_equal(nr_absent(ctx, &link), 0);

    /* What is disabled does not come back. */
    assert_int_equal(disable(ctx, "web", "db", false, &nr), 0);
    assert_int_equal(shmlink_relink(ctx, NULL, &nr), 0);
    assert_int_equal(nr, 0);
    assert_int_equal(nr_absent(ctx, &link), 0);
    shmlink_ctx_close(ctx);
    assert_int_equal(stub_leaks(), 0);
}

/* xl gives a guest another UUID where its configuration has none. */
static void test_persist_name(void **state)
{
    struct shmlink_ctx *ctx = open_ctx();
    struct shmlink_disable_options options = {
        .dom = { "db", "web" }, .dry_run = true,
    };
    uint8_t uuid[16] = { 0x77 };
    struct shmlink_link link;
    size_t nr;

    (void)state;
    stub_guests = guests_again;
    assert_true(enable_persist(ctx));
    web_again(uuid);
    assert_int_equal(shmlink_relink(ctx, NULL, &nr), 0);
    assert_int_equal(nr, 1);
    /* It is the new one that is noted, once. */
    memcpy(uuid, stub_domains[3].uuid, 16);
    stub_remove("/local/domain/3");
    assert_int_equal(shmlink_review(ctx, &nr), 0);
    web_again(uuid);
    stub_domains[3].name = "other";
    assert_int_equal(shmlink_relink(ctx, NULL, &nr), 0);
    assert_int_equal(nr, 1);
    stub_domains[3].gone = true;
    assert_int_equal(shmlink_review(ctx, &nr), 0);
    assert_int_equal(nr_absent(ctx, &link), 1);
    assert_string_equal(link.name[0], "other");

    /* A guest that does not run goes by its name. */
    assert_int_equal(shmlink_disable(ctx, &options, &nr), -ESRCH);
    options.dom[1] = "other";
    assert_int_equal(shmlink_disable(ctx, &options, &nr), 0);
    assert_int_equal(nr, 1);
    options.dry_run = false;
    assert_int_equal(shmlink_disable(ctx, &options, &nr), 0);
    assert_int_equal(nr, 1);
    assert_int_equal(nr_absent(ctx, &link), 0);
    assert_int_equal(shmlink_disable(ctx, &options, &nr), -ESRCH);
    assert_non_null(strstr(shmlink_why(ctx), "no domain 'other'"));
    shmlink_ctx_close(ctx);
}

/* Names that are the same but for what is not ASCII are no names to go by. */
static void test_persist_name_unclear(void **state)
{
    struct shmlink_ctx *ctx = open_ctx();
    struct shmlink_link link;
    size_t nr;

    (void)state;
    stub_guests = guests_again;
    stub_domains[1].name = "w\xc3\xa4";
    assert_true(enable_persist_of(ctx, "1"));
    stub_domains[1].gone = true;
    stub_remove("/local/domain/1");
    assert_int_equal(shmlink_review(ctx, &nr), 0);
    assert_int_equal(nr_absent(ctx, &link), 1);
    put_guest(3, "w\xc3\xb6");
    assert_int_equal(disable(ctx, "3", "db", false, &nr), 0);
    assert_int_equal(nr_absent(ctx, &link), 1);
    assert_true(enable_persist_of(ctx, "3"));
    assert_int_equal(nr_absent(ctx, &link), 1);
    assert_int_equal(disable(ctx, "db", NULL, false, &nr), 0);
    assert_int_equal(nr_absent(ctx, &link), 0);
    shmlink_ctx_close(ctx);
}

/*
 * A note that has expired, before one that lasts: what is added takes nothing
 * of either.
 */
static void test_persist_expired(void **state)
{
    struct shmlink_ctx *ctx = open_ctx();
    struct shmlink_link *links, link;
    bool changed;
    size_t nr;

    (void)state;
    stub_guests = guests_again;
    put_file("{\"links\": [{\"uuid\": ["
             "\"31111111-1111-1111-1111-111111111111\", "
             "\"32121212-1212-1212-1212-121212121212\"], "
             "\"ring_bytes\": 131072, \"force\": false, \"since\": 1}, "
             "{\"uuid\": [\"41111111-1111-1111-1111-111111111111\", "
             "\"42121212-1212-1212-1212-121212121212\"], "
             "\"vif\": [0, 0], \"name\": [\"far\", \"away\"], "
             "\"ring_bytes\": 131072, \"force\": false, "
             "\"persist\": true, \"since\": 1}]}", "%s/remembered.json",
             state_dir);
    assert_int_equal(enable(ctx, "web", "db", false, &changed), 0);
    assert_int_equal(disable(ctx, "web", NULL, true, &nr), 0);
    assert_int_equal(nr_absent(ctx, &link), 1);
    assert_string_equal(link.name[0], "far");
    assert_string_equal(link.name[1], "away");
    assert_int_equal(shmlink_relink(ctx, NULL, &nr), 0);
    assert_int_equal(nr, 1);
    assert_int_equal(shmlink_list(ctx, NULL, false, &links, &nr), 0);
    assert_int_equal(nr, 1);
    assert_false(links[0].persist);
    free(links);
    shmlink_ctx_close(ctx);
}

/* A guest that came again with another UUID, and not its link: it is meant. */
static void test_persist_disabled(void **state)
{
    struct shmlink_ctx *ctx = open_ctx();
    struct remembered note = { .persist = true, .ring_bytes = 131072 };
    struct shmlink_domain domains[2];
    uint8_t uuid[16] = { 0x77 };
    struct shmlink_link link;
    size_t nr;
    int i;

    (void)state;
    stub_guests = guests_again;
    assert_true(enable_persist(ctx));
    web_again(uuid);
    assert_int_equal(shmlink_review(ctx, &nr), 0);
    assert_int_equal(nr_absent(ctx, &link), 1);
    assert_int_equal(disable(ctx, "web", "db", false, &nr), 0);
    assert_int_equal(nr_absent(ctx, &link), 0);
    assert_int_equal(shmlink_relink(ctx, NULL, &nr), 0);
    assert_int_equal(nr, 0);

    /* Disabled by another command since the notes were read. */
    assert_int_equal(shmlink_domain_find(ctx, "web", &domains[0]), 0);
    assert_int_equal(shmlink_domain_find(ctx, "db", &domains[1]), 0);
    for (i = 0; i < 2; i++)
        memcpy(note.uuid[i], domains[i].uuid, 16);
    assert_int_equal(relink_enable(ctx, &note, domains, 60), 0);
    assert_null(stub_below(LINKS));
    shmlink_ctx_close(ctx);
}

/* A link that does not come up is not noted, nor is what was noted lost. */
static void test_persist_fails(void **state)
{
    struct shmlink_ctx *ctx = open_ctx();
    struct shmlink_enable_options options = {
        .dom = { "web", "db" }, .wait_ms = 60, .persist = true,
    };
    struct shmlink_link link;
    bool changed;
    size_t nr;

    (void)state;
    stub_guests = guests_refuse;
    assert_int_equal(shmlink_enable(ctx, &options, &changed, NULL), -EPROTO);
    assert_non_null(strstr(shmlink_why(ctx), "no ?grants"));
    assert_int_equal(nr_absent(ctx, &link), 0);
    stub_guests = guests_good;
    assert_true(enable_persist(ctx));
    /* Held, as for a save that ends with the guest still there. */
    assert_int_equal(disable(ctx, "web", NULL, true, &nr), 0);
    stub_guests = guests_refuse;
    assert_int_equal(shmlink_enable(ctx, &options, &changed, NULL), -EPROTO);
    assert_int_equal(nr_absent(ctx, &link), 1);
    stub_domains[2].gone = true;
    assert_int_equal(nr_absent(ctx, &link), 1);
    assert_string_equal(link.name[1], "db");
    stub_domains[2].gone = false;
    stub_guests = guests_good;
    assert_int_equal(disable(ctx, "web", "db", false, &nr), 0);
    assert_int_equal(nr_absent(ctx, &link), 0);
    shmlink_ctx_close(ctx);
}

static bool noted_early;

/* Not before the link is up: killed now, it leaves no note. */
static void guests_unnoted(void)
{
    char path[160];

    snprintf(path, sizeof(path), "%s/remembered.json", state_dir);
    noted_early = noted_early || !access(path, F_OK);
    guests_good();
}

/* A link that cannot be noted is no link that lasts, nor any other. */
static void test_persist_noted_last(void **state)
{
    struct shmlink_ctx *ctx = open_ctx();
    struct shmlink_enable_options options = {
        .dom = { "web", "db" }, .wait_ms = 60, .persist = true,
    };
    struct shmlink_link link;
    char *before, path[160];
    bool changed;
    size_t nr;

    (void)state;
    stub_guests = guests_unnoted;
    assert_true(enable_persist(ctx));
    assert_false(noted_early);
    stub_guests = guests_good;
    assert_int_equal(disable(ctx, "web", "db", false, &nr), 0);
    snprintf(path, sizeof(path), "%s/remembered.json", state_dir);
    assert_int_equal(mkdir(path, 0700), 0);
    before = stub_dump();
    assert_int_not_equal(shmlink_enable(ctx, &options, &changed, NULL), 0);
    assert_non_null(strstr(shmlink_why(ctx), "remembered.json"));
    assert_same(before);
    assert_int_equal(rmdir(path), 0);
    assert_int_equal(nr_absent(ctx, &link), 0);
    shmlink_ctx_close(ctx);
    assert_int_equal(stub_leaks(), 0);
}

/* What this command holds is another's, which lives or does not. */
static void hold_is(pid_t pid)
{
    char command[256];

    snprintf(command, sizeof(command), "sed -i 's/\"holder\": [1-9][0-9]*/"
             "\"holder\": %ld/' %s/remembered.json", (long)pid, state_dir);
    assert_int_equal(system(command), 0);
}

static void test_serve(void **state)
{
    enum { NO_PROCESS = 4000001 };
    struct shmlink_ctx *ctx = open_ctx();
    struct shmlink_link link;
    int fds[2];
    size_t nr;
    char byte;

    (void)state;
    assert_int_equal(pipe(fds), 0);
    done_fd = fds[1];
    stub_guests = guests_again;
    assert_true(enable_persist(ctx));
    /* While a save is at work the service is not to interfere. */
    assert_int_equal(disable(ctx, "web", NULL, true, &nr), 0);
    hold_is(getpid());
    assert_int_equal(shmlink_relink(ctx, NULL, &nr), 0);
    assert_int_equal(nr, 0);
    shmlink_ctx_heed(ctx, fds[0]);
    stub_guests = guests_held;
    assert_int_equal(shmlink_serve(ctx), 0);
    assert_int_equal(nr_absent(ctx, &link), 1);
    assert_int_equal(read(fds[0], &byte, 1), 1);
    /* Whose process is gone holds nothing. */
    hold_is(NO_PROCESS);
    web_again(stub_domains[1].uuid);
    stub_guests = guests_again;
    assert_int_equal(shmlink_serve(ctx), 0);
    assert_int_equal(nr_absent(ctx, &link), 0);
    assert_int_equal(*stub_get(BACK_AGAIN "/state"), '4');
    done_fd = -1;
    close(fds[0]);
    close(fds[1]);
    shmlink_ctx_close(ctx);
    assert_int_equal(stub_leaks(), 0);
}

/* What a file asks for: so many of these pairs, guest's or shmlink.conf's. */
static int want(struct shmlink_ctx *ctx, const char *guest, size_t nr,
                const char *one, const char *other)
{
    const struct shmlink_want pairs[] = {
        { { one, other } }, { { one, "cache" } },
    };

    told[0] = '\0';
    return shmlink_want_links(ctx, guest, pairs, nr);
}

/* A start does not wait for other commands where there is nothing to note. */
static void test_want_noted(void **state)
{
    struct shmlink_ctx *ctx = open_ctx();
    int fds[2], fd;

    (void)state;
    assert_int_equal(want(ctx, "web", 1, "web", "db"), 0);
    fd = open(lock_path, O_RDWR);
    assert_true(fd >= 0);
    assert_int_equal(flock(fd, LOCK_EX), 0);
    assert_int_equal(pipe(fds), 0);
    assert_int_equal(write(fds[1], "", 1), 1);
    shmlink_ctx_heed(ctx, fds[0]);      /* what waits is interrupted */
    assert_int_equal(want(ctx, "web", 1, "web", "db"), 0);
    assert_int_equal(want(ctx, "db", 0, NULL, NULL), 0);
    assert_int_equal(want(ctx, "web", 0, NULL, NULL), -EINTR);
    shmlink_ctx_heed(ctx, -1);          /* nor for longer than 5 s */
    assert_int_equal(want(ctx, "web", 0, NULL, NULL), -EAGAIN);
    assert_non_null(strstr(shmlink_why(ctx), "links of web are not noted"));
    /* Nor where what is noted cannot be read. */
    put_file("{", "%s/remembered.json", state_dir);
    assert_int_equal(want(ctx, "web", 1, "web", "db"), -EINVAL);
    close(fd);
    close(fds[0]);
    close(fds[1]);
    shmlink_ctx_close(ctx);
}

/* Known by their names before they run. */
static void test_want(void **state)
{
    struct shmlink_ctx *ctx = open_ctx();
    struct shmlink_link link;
    size_t nr;

    (void)state;
    ctx->options.notice = tell;
    stub_guests = guests_good;
    stub_domains[1].gone = true;
    assert_int_equal(want(ctx, NULL, 2, "web", "db"), 0);
    assert_string_equal(told, "web and cache are linked once a VM web runs");
    assert_int_equal(want(ctx, NULL, 2, "web", "db"), 0);
    assert_int_equal(nr_absent(ctx, &link), 2);
    assert_string_equal(link.name[0], "web");
    assert_int_equal(link.domid[0], SHMLINK_DOMID_NONE);
    assert_int_equal(shmlink_relink(ctx, NULL, &nr), 0);
    assert_int_equal(nr, 0);
    /* It is the file that says which. */
    assert_int_equal(want(ctx, NULL, 1, "web", "db"), 0);
    assert_int_equal(nr_absent(ctx, &link), 1);

    stub_domains[1].gone = false;
    assert_int_equal(shmlink_relink(ctx, NULL, &nr), 0);
    assert_int_equal(nr, 1);
    assert_true(listed(ctx).persist);
    assert_int_equal(nr_absent(ctx, &link), 0);
    assert_int_equal(want(ctx, NULL, 1, "web", "db"), 0);
    assert_string_equal(told, "");
    assert_int_equal(shmlink_relink(ctx, NULL, &nr), 0);
    assert_int_equal(nr, 0);

    /* One that is up stays so, and ends with its guests. */
    assert_int_equal(want(ctx, NULL, 0, NULL, NULL), 0);
    assert_false(listed(ctx).persist);
    assert_int_equal(want(ctx, NULL, 1, "web:1", "db"), 0);
    assert_false(listed(ctx).persist);
    assert_int_equal(want(ctx, NULL, 1, "web:0", "db"), 0);
    assert_int_equal(shmlink_relink(ctx, NULL, &nr), 0);
    assert_true(listed(ctx).persist);
    assert_int_equal(disable(ctx, "web", "db", false, &nr), 0);
    assert_int_equal(nr_absent(ctx, &link), 0);

    assert_int_equal(want(ctx, NULL, 1, "web", "web:1"), -EINVAL);
    assert_int_equal(want(ctx, NULL, 1, "web", "7"), -EINVAL);
    assert_int_equal(want(ctx, NULL, 1, "", "db"), -EINVAL);
    /* One that could not be read back, or that no domain is listed by. */
    assert_int_equal(want(ctx, NULL, 1, "web", "d\033b"), -EINVAL);
    assert_non_null(strstr(shmlink_why(ctx), "'d?b' is no name"));
    assert_int_equal(want(ctx, NULL, 1, "d\xc3\xbc", "web"), -EINVAL);
    assert_int_equal(nr_absent(ctx, &link), 0);
    shmlink_ctx_close(ctx);
    assert_int_equal(stub_leaks(), 0);
}

/* A link lasts for as long as anybody asks for it. */
static void test_want_several(void **state)
{
    struct shmlink_ctx *ctx = open_ctx();
    struct shmlink_link link;
    size_t nr;

    (void)state;
    ctx->options.notice = tell;
    stub_guests = guests_again;
    stub_domains[1].gone = true;
    assert_int_equal(want(ctx, "web", 1, "web", "db"), 0);
    assert_string_equal(told, "");      /* it is about to run */
    stub_domains[1].gone = false;
    assert_int_equal(shmlink_relink(ctx, NULL, &nr), 0);
    assert_int_equal(nr, 1);
    assert_int_equal(want(ctx, "db", 1, "db", "web"), 0);
    assert_int_equal(want(ctx, "web", 0, NULL, NULL), 0);
    assert_true(listed(ctx).persist);
    /* Linked again with another UUID, it is known who asked. */
    web_again((const uint8_t[16]){ 0x77 });
    assert_int_equal(shmlink_relink(ctx, NULL, &nr), 0);
    assert_int_equal(nr, 1);
    assert_true(listed(ctx).persist);
    assert_int_equal(want(ctx, "db", 0, NULL, NULL), 0);
    assert_false(listed(ctx).persist);

    assert_false(enable_persist(ctx));
    assert_int_equal(want(ctx, NULL, 1, "web", "db"), 0);
    assert_int_equal(want(ctx, NULL, 0, NULL, NULL), 0);
    assert_true(listed(ctx).persist);
    assert_int_equal(disable(ctx, "web", "db", false, &nr), 0);

    /* Of a guest that does not run. */
    stub_domains[3].gone = true;
    assert_int_equal(want(ctx, NULL, 1, "db", "web"), 0);
    assert_int_equal(nr_absent(ctx, &link), 1);
    assert_int_equal(disable(ctx, "web", "db", false, &nr), 0);
    assert_int_equal(nr, 1);
    assert_int_equal(nr_absent(ctx, &link), 0);
    shmlink_ctx_close(ctx);
}

/* A link that is up with other rings than noted is there. */
static void test_relink_other_rings(void **state)
{
    struct shmlink_ctx *ctx = open_ctx();
    struct shmlink_enable_options options = {
        .dom = { "web", "db" }, .ring_bytes = 4194304, .wait_ms = 60,
    };
    bool changed;
    size_t nr;

    (void)state;
    ctx->options.notice = tell;
    stub_guests = guests_good;
    assert_int_equal(shmlink_enable(ctx, &options, &changed, NULL), 0);
    assert_int_equal(want(ctx, NULL, 1, "web", "db"), 0);
    assert_int_equal(shmlink_relink(ctx, NULL, &nr), 0);
    assert_int_equal(nr, 0);
    assert_string_equal(told, "");
    assert_int_equal(listed(ctx).ring_bytes, 4194304);
    shmlink_ctx_close(ctx);
    assert_int_equal(stub_leaks(), 0);
}

/* Who asked is known also where the link has its guests the other way. */
static void test_want_turned(void **state)
{
    struct shmlink_ctx *ctx = open_ctx();
    bool changed;
    size_t nr;

    (void)state;
    stub_guests = guests_good;
    assert_int_equal(enable(ctx, "web", "db", false, &changed), 0);
    assert_int_equal(want(ctx, "db", 1, "db", "web"), 0);
    assert_int_equal(shmlink_relink(ctx, NULL, &nr), 0);
    assert_true(listed(ctx).persist);
    assert_int_equal(want(ctx, "db", 0, NULL, NULL), 0);
    assert_false(listed(ctx).persist);
    /* Their names were swapped: it is the UUIDs that tell. */
    assert_int_equal(want(ctx, "db", 1, "db", "web"), 0);
    assert_int_equal(shmlink_relink(ctx, NULL, &nr), 0);
    stub_domains[1].name = "db";
    stub_domains[2].name = "web";
    assert_int_equal(disable(ctx, "1", "2", true, &nr), 0);
    assert_int_equal(shmlink_relink(ctx, NULL, &nr), 0);
    assert_int_equal(nr, 1);
    assert_int_equal(want(ctx, "db", 0, NULL, NULL), 0);
    assert_true(listed(ctx).persist);
    assert_int_equal(want(ctx, "web", 0, NULL, NULL), 0);
    assert_false(listed(ctx).persist);
    shmlink_ctx_close(ctx);
    assert_int_equal(stub_leaks(), 0);
}

/* A guest that was renamed keeps its links when another gets its old name. */
static void test_want_renamed(void **state)
{
    struct shmlink_ctx *ctx = open_ctx();
    size_t nr;

    (void)state;
    stub_guests = guests_good;
    assert_int_equal(want(ctx, "web", 1, "web", "db"), 0);
    assert_int_equal(shmlink_relink(ctx, NULL, &nr), 0);
    stub_domains[1].name = "other";
    assert_int_equal(want(ctx, "web", 0, NULL, NULL), 0);
    assert_true(listed(ctx).persist);
    stub_domains[1].name = "web";
    assert_int_equal(want(ctx, "web", 0, NULL, NULL), 0);
    assert_false(listed(ctx).persist);
    shmlink_ctx_close(ctx);
    assert_int_equal(stub_leaks(), 0);
}

/* A vif of one guest only, of either. */
static void test_want_vif(void **state)
{
    struct shmlink_ctx *ctx = open_ctx();
    struct shmlink_link link;
    size_t nr;

    (void)state;
    stub_guests = guests_good;
    put_vif(1, 1, "xenbr1");
    put_vif(2, 1, "xenbr1");
    assert_int_equal(want(ctx, NULL, 1, "web", "db:1"), 0);
    assert_int_equal(nr_absent(ctx, &link), 1);
    assert_int_equal(link.vif[0], SHMLINK_VIF_ANY);
    assert_int_equal(link.vif[1], 1);
    assert_int_equal(shmlink_relink(ctx, NULL, &nr), 0);
    assert_int_equal(nr, 1);
    assert_int_equal(listed(ctx).vif[1], 1);
    assert_int_equal(disable(ctx, "web", "db", false, &nr), 0);
    assert_int_equal(want(ctx, NULL, 1, "db:1", "web"), 0);
    assert_int_equal(nr_absent(ctx, &link), 1);
    assert_int_equal(link.vif[0], 1);
    assert_int_equal(link.vif[1], SHMLINK_VIF_ANY);
    assert_int_equal(want(ctx, NULL, 0, NULL, NULL), 0);

    /* Of one that does not run. */
    stub_domains[1].gone = true;
    assert_int_equal(want(ctx, NULL, 1, "web:1", "db"), 0);
    assert_int_equal(disable(ctx, "web:0", "db", false, &nr), -ESRCH);
    assert_int_equal(nr_absent(ctx, &link), 1);
    assert_int_equal(disable(ctx, "db", "web:1", false, &nr), 0);
    assert_int_equal(nr, 1);
    assert_int_equal(nr_absent(ctx, &link), 0);
    stub_domains[1].gone = false;

    /* A guest's own name has none, and one that ends like it is another's. */
    assert_int_equal(want(ctx, "web:1", 1, "web:1", "db"), 0);
    assert_int_equal(nr_absent(ctx, &link), 1);
    assert_string_equal(link.name[0], "web:1");
    assert_int_equal(link.vif[0], SHMLINK_VIF_ANY);
    assert_int_equal(shmlink_relink(ctx, NULL, &nr), 0);
    assert_int_equal(nr, 0);
    assert_int_equal(want(ctx, "web:1", 0, NULL, NULL), 0);
    assert_int_equal(nr_absent(ctx, &link), 0);
    assert_int_equal(want(ctx, "7", 1, "7", "db"), -EINVAL);
    shmlink_ctx_close(ctx);
    assert_int_equal(stub_leaks(), 0);
}

/* A UUID of zeros is none, also where a domain has it. */
static void test_want_no_uuid(void **state)
{
    struct shmlink_ctx *ctx = open_ctx();
    struct shmlink_link link;
    size_t nr;

    (void)state;
    stub_guests = guests_good;
    put_guest(3, "xenstore");
    memset(stub_domains[3].uuid, 0, 16);
    stub_domains[1].gone = true;
    assert_int_equal(want(ctx, NULL, 1, "web", "db"), 0);
    assert_int_equal(nr_absent(ctx, &link), 1);
    assert_string_equal(link.name[0], "web");
    assert_int_equal(link.domid[0], SHMLINK_DOMID_NONE);
    assert_int_equal(shmlink_relink(ctx, NULL, &nr), 0);
    assert_int_equal(nr, 0);
    stub_domains[1].gone = false;
    assert_int_equal(want(ctx, NULL, 1, "web", "db"), 0);
    assert_int_equal(nr_absent(ctx, &link), 1);
    assert_int_equal(link.domid[0], 1);
    assert_int_equal(disable(ctx, "web", "db", false, &nr), 0);
    assert_int_equal(nr_absent(ctx, &link), 0);
    shmlink_ctx_close(ctx);
    assert_int_equal(stub_leaks(), 0);
}

static unsigned int lists_of_pass, requests_of_pass;

static void guests_pass_over(void)
{
    lists_of_pass = stub_lists;
    requests_of_pass = stub_requests;
    assert_int_equal(write(done_fd, "", 1), 1);
}

/* The service's first pass over so many links that wait for web's driver. */
static unsigned int lists_for(int nr_links)
{
    struct shmlink_ctx *ctx;
    char text[2048] = "{\"links\": [";
    int fds[2], i;

    set_up(NULL);
    stub_remove("/local/domain/1/data");
    for (i = 0; i < nr_links; i++)
        snprintf(text + strlen(text), sizeof(text) - strlen(text),
                 "%s{\"uuid\": [\"11111111-1111-1111-1111-111111111111\", "
                 "\"12121212-1212-1212-1212-121212121212\"], "
                 "\"vif\": [%d, 0], \"ring_bytes\": 131072, "
                 "\"force\": false, \"persist\": true, \"since\": 1}",
                 i ? ", " : "", i);
    strcat(text, "]}");
    put_file(text, "%s/remembered.json", state_dir);
    assert_int_equal(pipe(fds), 0);
    done_fd = fds[1];
    ctx = open_ctx();
    shmlink_ctx_heed(ctx, fds[0]);
    stub_guests = guests_pass_over;
    stub_lists = 0;
    assert_int_equal(shmlink_serve(ctx), 0);
    shmlink_ctx_close(ctx);
    done_fd = -1;
    close(fds[0]);
    close(fds[1]);
    assert_int_equal(stub_leaks(), 0);
    return lists_of_pass;
}

static void test_serve_lists(void **state)
{
    (void)state;
    assert_int_equal(lists_for(0), 0);
    assert_int_equal(lists_for(1), 1);
    assert_int_equal(lists_for(6), 1);
}

/* What a look costs that finds all as it is to be; shmlinkd(8) says so. */
static void test_serve_idle(void **state)
{
    enum { NR_VIFS = 3, OF_A_PASS = 3, OF_A_LINK = 29 };
    struct shmlink_ctx *ctx = open_ctx();
    struct shmlink_enable_options options = {
        .dom = { "web:0", "db:0" }, .wait_ms = 60, .persist = true,
    };
    bool changed;
    uint32_t i;
    int fds[2];

    (void)state;
    stub_guests = guests_good;
    for (i = 1; i < NR_VIFS; i++) {
        put_vif(1, i, "xenbr0");
        put_vif(2, i, "xenbr0");
    }
    assert_int_equal(shmlink_enable(ctx, &options, &changed, NULL), 0);
    options.dom[0] = "web:1";
    options.dom[1] = "db:1";
    assert_int_equal(shmlink_enable(ctx, &options, &changed, NULL), 0);
    assert_int_equal(pipe(fds), 0);
    done_fd = fds[1];
    shmlink_ctx_heed(ctx, fds[0]);
    stub_guests = guests_pass_over;
    stub_lists = stub_requests = 0;
    assert_int_equal(shmlink_serve(ctx), 0);
    assert_int_equal(lists_of_pass, 0);
    /* But for the connection and the watches of the start. */
    assert_true(requests_of_pass <= 3 + OF_A_PASS + 2 * OF_A_LINK);
    shmlink_ctx_close(ctx);
    done_fd = -1;
    close(fds[0]);
    close(fds[1]);
}

/* What is remembered is no reason to fail, nor to leave a link up. */
static void test_remembered_unreadable(void **state)
{
    struct shmlink_ctx *ctx = open_ctx();
    char *before = stub_dump();
    bool changed = false;
    char path[160];
    size_t nr;

    (void)state;
    stub_guests = guests_good;
    snprintf(path, sizeof(path), "%s/remembered.json", state_dir);
    put_file("{", "%s", path);
    assert_int_equal(enable(ctx, "web", "db", false, &changed), 0);
    assert_true(changed);
    assert_phase("up");
    /* Not to be taken down where it would not come back. */
    assert_int_equal(disable(ctx, "web", NULL, true, &nr), -EINVAL);
    assert_phase("up");
    assert_int_equal(disable(ctx, "web", "db", false, &nr), -EINVAL);
    assert_non_null(strstr(shmlink_why(ctx), "remembered.json holds no list"));
    assert_same(before);
    unlink(path);
    shmlink_ctx_close(ctx);
    assert_int_equal(stub_leaks(), 0);
}

/*
 * Each call fails once: either the link is up, or nothing is left, and the
 * next enable works.
 */
static void test_each_call_fails(void **state)
{
    unsigned int at = 0, failures = 0;
    bool changed;
    size_t nr;

    for (;;) {
        struct shmlink_ctx *ctx;
        char *before;
        int rc = -EIO;

        set_up(state);
        before = stub_dump();
        stub_guests = guests_good;
        stub_fail_at = ++at;
        ctx = open_ctx();
        if (ctx)
            rc = enable(ctx, "web", "db", false, &changed);
        if (ctx && rc)
            assert_true(shmlink_why(ctx)[0] != '\0');
        if (stub_calls < at) {
            assert_int_equal(rc, 0);
            shmlink_ctx_close(ctx);
            free(before);
            break;
        }
        failures += rc != 0;
        if (!rc)
            assert_int_equal(disable(ctx, "web", "db", false, &nr), 0);
        assert_same(before);
        shmlink_ctx_close(ctx);
        assert_int_equal(stub_leaks(), 0);
    }
    /* Most calls matter. */
    assert_true(failures > at / 2);
}

/* Each call of disable fails once: the next one clears up. */
static void test_each_call_of_disable_fails(void **state)
{
    unsigned int at = 0, before_calls;
    bool changed;
    size_t nr;

    for (;;) {
        struct shmlink_ctx *ctx;
        char *before;

        set_up(state);
        before = stub_dump();
        stub_guests = guests_good;
        ctx = open_ctx();
        assert_int_equal(enable(ctx, "web", "db", false, &changed), 0);
        before_calls = stub_calls;
        stub_fail_at = before_calls + ++at;
        if (disable(ctx, "web", "db", false, &nr))
            assert_true(shmlink_why(ctx)[0] != '\0');
        if (stub_calls < stub_fail_at) {
            assert_same(before);
            shmlink_ctx_close(ctx);
            break;
        }
        assert_int_equal(disable(ctx, "web", "db", false, &nr), 0);
        assert_same(before);
        shmlink_ctx_close(ctx);
        assert_int_equal(stub_leaks(), 0);
    }
    assert_true(at > 30);
}

static void test_other_xen(void **state)
{
    struct shmlink_ctx *ctx = NULL;
    char *why = NULL;

    (void)state;
    put_file("99\n", "%s/hypervisor/version/minor", sysfs);
    assert_int_equal(shmlink_ctx_open(&ctx, NULL, &why), -EPROTO);
    assert_non_null(strstr(why, "but Xen 4.99 runs"));
    free(why);
}

int main(void)
{
    static const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup(test_round, set_up),
        cmocka_unit_test_setup(test_limit, set_up),
        cmocka_unit_test_setup(test_guests_refused, set_up),
        cmocka_unit_test_setup(test_linked_paused, set_up),
        cmocka_unit_test_setup(test_vifs_refused, set_up),
        cmocka_unit_test_setup(test_vifs_two, set_up),
        cmocka_unit_test_setup(test_vifs_limited, set_up),
        cmocka_unit_test_setup(test_vifs_bridge, set_up),
        cmocka_unit_test_setup(test_vifs_names, set_up),
        cmocka_unit_test_setup(test_limits, set_up),
        cmocka_unit_test_setup(test_vlans, set_up),
        cmocka_unit_test_setup(test_legacy, set_up),
        cmocka_unit_test_setup(test_unread, set_up),
        cmocka_unit_test_setup(test_policy_later, set_up),
        cmocka_unit_test_setup(test_policy_forced, set_up),
        cmocka_unit_test_setup(test_policy_unread, set_up),
        cmocka_unit_test_setup(test_number, set_up),
        cmocka_unit_test_setup(test_headroom, set_up),
        cmocka_unit_test_setup(test_no_answer, set_up),
        cmocka_unit_test_setup(test_race, set_up),
        cmocka_unit_test_setup(test_cancelled, set_up),
        cmocka_unit_test_setup(test_list_cancelled, set_up),
        cmocka_unit_test_setup(test_disable_unconfirmed, set_up),
        cmocka_unit_test_setup(test_disable_stopped, set_up),
        cmocka_unit_test_setup(test_disable_interrupted, set_up),
        cmocka_unit_test_setup(test_guest_writes, set_up),
        cmocka_unit_test_setup(test_entry_damaged, set_up),
        cmocka_unit_test_setup(test_sweep, set_up),
        cmocka_unit_test_setup(test_guest_goes, set_up),
        cmocka_unit_test_setup(test_domid_again, set_up),
        cmocka_unit_test_setup(test_counters, set_up),
        cmocka_unit_test_setup(test_relink, set_up),
        cmocka_unit_test_setup(test_relink_vifs, set_up),
        cmocka_unit_test_setup(test_persist, set_up),
        cmocka_unit_test_setup(test_persist_name, set_up),
        cmocka_unit_test_setup(test_persist_name_unclear, set_up),
        cmocka_unit_test_setup(test_persist_expired, set_up),
        cmocka_unit_test_setup(test_persist_disabled, set_up),
        cmocka_unit_test_setup(test_persist_fails, set_up),
        cmocka_unit_test_setup(test_persist_noted_last, set_up),
        cmocka_unit_test_setup(test_serve, set_up),
        cmocka_unit_test(test_serve_lists),
        cmocka_unit_test_setup(test_serve_idle, set_up),
        cmocka_unit_test_setup(test_want_noted, set_up),
        cmocka_unit_test_setup(test_want, set_up),
        cmocka_unit_test_setup(test_want_several, set_up),
        cmocka_unit_test_setup(test_relink_other_rings, set_up),
        cmocka_unit_test_setup(test_want_turned, set_up),
        cmocka_unit_test_setup(test_want_renamed, set_up),
        cmocka_unit_test_setup(test_want_vif, set_up),
        cmocka_unit_test_setup(test_want_no_uuid, set_up),
        cmocka_unit_test_setup(test_remembered_unreadable, set_up),
        cmocka_unit_test(test_each_call_fails),
        cmocka_unit_test(test_each_call_of_disable_fails),
        cmocka_unit_test_setup(test_other_xen, set_up),
    };
    int failed;

    strcpy(root, "/tmp/test-toolstack.XXXXXX");
    if (!mkdtemp(root) || chdir(root))
        return 1;
    snprintf(sysfs, sizeof(sysfs), "%s/sys", root);
    snprintf(procfs, sizeof(procfs), "%s/proc", root);
    snprintf(state_dir, sizeof(state_dir), "%s/state", root);
    snprintf(lock_path, sizeof(lock_path), "%s/lock", root);
    ctx_paths = (struct ctx_paths){ sysfs, procfs, state_dir, lock_path };
    failed = cmocka_run_group_tests(tests, NULL, NULL);
    if (!failed && chdir("/") == 0 && strlen(root) > 20) {
        char command[128];

        snprintf(command, sizeof(command), "rm -r %s", root);
        failed = system(command) != 0;
    }
    return failed;
}
