/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Goal: busy hours are found, means are right, thinning keeps them, the file
 * stays within its size. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <errno.h>
#include <limits.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "base/db.h"
#include "model/snapshot.h"
#include "record/record.h"

#define DAY_S (24 * 3600)
#define NOW (20000 * (int64_t)DAY_S) /* midnight, UTC */
#define LIMIT RECORD_BYTES_MIN

static char path[64];

static int setup(void **state)
{
    (void)state;
    setenv("TZ", "UTC", 1);
    tzset();
    snprintf(path, sizeof(path), "%s/test-history-%d.db",
             access("/dev/shm", W_OK) ? "/tmp" : "/dev/shm", getpid());
    unlink(path);
    return 0;
}

static int teardown(void **state)
{
    (void)state;
    unlink(path);
    return 0;
}

/* nr_vms VMs of one vCPU; VM 0 sends to VM 1. */
static struct snapshot *snapshot_at(int64_t time_s, unsigned int nr_vms,
                                    double run, double bytes)
{
    struct snapshot *s = NULL;
    struct snapshot_traffic *t;
    unsigned int i;

    assert_int_equal(snapshot_new(&s), 0);
    s->time = time_s;
    s->duration = 5;
    for (i = 0; i < nr_vms; i++) {
        struct snapshot_domain *d = snapshot_add_domain(s);
        struct snapshot_vcpu *v;

        d->domid = i + 1;
        memcpy(d->uuid, &i, sizeof(i));
        d->uuid[15] = 1;
        d->vcpus_max = d->vcpus_online = 1;
        v = snapshot_add_vcpu(s);
        v->online = true;
        v->utilisation = (struct snapshot_value){ run, 0,
                                                  SNAPSHOT_SOURCE_TRACE };
        v->wait = (struct snapshot_value){ run / 4, 0.01,
                                           SNAPSHOT_SOURCE_SAMPLING };
    }
    if (bytes > 0 && nr_vms > 1) {
        t = snapshot_add_traffic(s);
        t->from = 0;
        t->to = 1;
        t->bytes = (struct snapshot_value){ bytes, bytes / 100,
                                            SNAPSHOT_SOURCE_SAMPLING };
        t->packets.value = bytes / 1000;
        t = snapshot_add_traffic(s);
        t->from = 1;
        t->to = SNAPSHOT_OUTSIDE;
        t->bytes.value = bytes / 10;
    }
    return s;
}

static void add(struct sqlite3 *h, int64_t time_s, unsigned int nr_vms,
                double run, double bytes)
{
    struct snapshot *s = snapshot_at(time_s, nr_vms, run, bytes);

    assert_int_equal(record_add(h, s), 0);
    snapshot_free(s);
}

/* Every 5 minutes of `days` up to NOW: busy from 14 to 17 o'clock. */
static void add_days(struct sqlite3 *h, unsigned int days)
{
    int64_t at;

    for (at = NOW - (int64_t)days * DAY_S; at < NOW; at += 300) {
        int64_t hour = at % DAY_S / 3600;
        bool busy = hour >= 14 && hour < 17;

        add(h, at, 2, busy ? 0.8 : 0.1, busy ? 50e6 : 1e5);
    }
}

static double total_bytes(const struct snapshot *s)
{
    double sum = 0;
    size_t i;

    for (i = 0; i < s->nr_traffic; i++)
        sum += s->traffic[i].bytes.value;
    return sum;
}

static void check_afternoon(struct sqlite3 *h)
{
    struct snapshot *now = snapshot_at(NOW, 3, 0.02, 0);
    struct record_hours hours;
    unsigned int hour;

    assert_int_equal(record_hours(h, NOW, 3, 0.5, 12, &hours), 0);
    for (hour = 0; hour < 24; hour++)
        assert_int_equal(hours.busy[hour], hour >= 14 && hour < 17);
    assert_int_equal(hours.days, 3);
    assert_true(fabs(hours.pcpus[15] - 2 * 0.8 * 1.25) < 1e-3);
    assert_int_equal(record_overlay(h, NOW, 3, &hours, now), 0);
    assert_true(fabs(now->vcpus[0].utilisation.value - 0.8) < 1e-3);
    assert_true(fabs(now->vcpus[0].wait.value - 0.2) < 1e-3);
    assert_int_equal(now->vcpus[0].utilisation.source,
                     SNAPSHOT_SOURCE_TRACE);
    assert_int_equal(now->vcpus[0].wait.source, SNAPSHOT_SOURCE_SAMPLING);
    /* 108 records of one standard error 0.01 each. */
    assert_true(now->vcpus[0].wait.error < 0.0012);
    assert_true(fabs(total_bytes(now) - 55e6) < 55e3);
    assert_int_equal(now->nr_traffic, 2);
    assert_true(fabs(now->traffic[0].packets.value - 50e3) < 50);
    /* The third VM was never seen: no load, and a note. */
    assert_int_equal(now->vcpus[2].utilisation.source, SNAPSHOT_SOURCE_NONE);
    assert_int_equal(now->nr_notes, 1);
    snapshot_free(now);
}

static void test_busy_afternoon(void **state)
{
    struct sqlite3 *h = NULL;
    struct record_stat stat;

    (void)state;
    assert_int_equal(record_open(&h, path, 0), 0);
    add_days(h, 3);
    check_afternoon(h);
    assert_int_equal(record_stat(h, &stat), 0);
    assert_int_equal(stat.records, 3 * 288);
    /* A day later the oldest day becomes one record per hour. */
    assert_int_equal(record_thin(h, NOW, 0), 0);
    assert_int_equal(record_stat(h, &stat), 0);
    assert_int_equal(stat.records, 2 * 288 + 24);
    check_afternoon(h);
    /* And again: nothing more to do. */
    assert_int_equal(record_thin(h, NOW, 0), 0);
    assert_int_equal(record_stat(h, &stat), 0);
    assert_int_equal(stat.records, 2 * 288 + 24);
    /* Kept for one day only. */
    assert_int_equal(record_thin(h, NOW, 1), 0);
    assert_int_equal(record_stat(h, &stat), 0);
    assert_int_equal(stat.records, 288);
    assert_int_equal(stat.first_s, NOW - DAY_S);
    db_close(h);
}

static void test_too_few(void **state)
{
    struct record_hours hours;
    struct sqlite3 *h = NULL;

    (void)state;
    assert_int_equal(record_open(&h, path, 0), 0);
    assert_int_equal(record_hours(h, NOW, 7, 0.5, 1, &hours), -ENODATA);
    add(h, NOW - 600, 2, 0.5, 1e6);
    assert_int_equal(record_hours(h, NOW, 7, 0.5, 12, &hours), -ENODATA);
    assert_int_equal(record_hours(h, NOW, 7, 0.5, 1, &hours), 0);
    /* Old ones do not count. */
    assert_int_equal(record_hours(h, NOW + 8 * DAY_S, 7, 0.5, 1, &hours),
                     -ENODATA);
    db_close(h);
}

/* A VM that was here half of the time: its mean is over that half; one that
 * was silent half of the time: over all of it. */
static void test_presence(void **state)
{
    struct record_hours hours;
    struct sqlite3 *h = NULL;
    struct snapshot *now;
    int i;

    (void)state;
    assert_int_equal(record_open(&h, path, 0), 0);
    for (i = 0; i < 6; i++) {
        add(h, NOW - 3600 + i * 300, 2, 0.4, 10e6);
        add(h, NOW - 1800 + i * 300, 1, 0.4, 0);
    }
    assert_int_equal(record_hours(h, NOW, 1, 0.0, 12, &hours), 0);
    now = snapshot_at(NOW, 2, 0.9, 0);
    assert_int_equal(record_overlay(h, NOW, 1, &hours, now), 0);
    assert_true(fabs(now->vcpus[0].utilisation.value - 0.4) < 1e-6);
    assert_true(fabs(now->vcpus[1].utilisation.value - 0.4) < 1e-6);
    assert_true(fabs(now->traffic[0].bytes.value - 5e6) < 1);
    assert_true(fabs(now->traffic[1].bytes.value - 1e6) < 1);
    snapshot_free(now);
    db_close(h);
}

/* What goes by one vif is not what goes by another, thinned or not. */
static void test_vifs(void **state)
{
    struct snapshot *s = snapshot_at(NOW - 3600, 2, 0.4, 10e6), *now;
    struct record_hours hours;
    struct sqlite3 *h = NULL;
    struct snapshot_traffic *t = snapshot_add_traffic(s);
    int i;

    (void)state;
    *t = s->traffic[0];
    t->from_vif = t->to_vif = 1;
    t->bytes.value = 2e6;
    assert_int_equal(record_open(&h, path, 0), 0);
    for (i = 0; i < 12; i++) {
        s->time += 60;
        assert_int_equal(record_add(h, s), 0);
    }
    snapshot_free(s);
    for (i = 0; i < 2; i++) {
        assert_int_equal(record_hours(h, NOW, 1, 0.0, 1, &hours), 0);
        now = snapshot_at(NOW, 2, 0.9, 0);
        assert_int_equal(record_overlay(h, NOW, 1, &hours, now), 0);
        assert_int_equal(now->nr_traffic, 3);
        assert_int_equal(now->traffic[0].to_vif, 1);
        assert_true(fabs(now->traffic[0].bytes.value - 2e6) < 1);
        assert_int_equal(now->traffic[1].to_vif, SNAPSHOT_NONE);
        assert_true(fabs(now->traffic[1].bytes.value - 10e6) < 1);
        snapshot_free(now);
        assert_int_equal(record_thin(h, NOW + RECORD_FINE_S + 3600, 28), 0);
    }
    db_close(h);
}

static void test_bounded(void **state)
{
    struct sqlite3 *h = NULL;
    struct record_stat have;
    struct stat st;
    int64_t first = 0;
    int i;

    (void)state;
    assert_int_equal(record_open(&h, path, LIMIT), 0);
    for (i = 0; i < 600; i++) {
        add(h, NOW + i * (int64_t)DAY_S / 10, 20, 0.5, 1e6);
        assert_int_equal(record_stat(h, &have), 0);
        assert_true(have.bytes <= LIMIT);
        first = first ? first : have.first_s;
    }
    assert_int_equal(have.last_s, NOW + 599 * (int64_t)DAY_S / 10);
    assert_true(have.first_s > first);
    assert_true(have.records > 100);
    db_close(h);
    assert_int_equal(stat(path, &st), 0);
    assert_true((uint64_t)st.st_size <= LIMIT);
}

/* The clock was wrong for a while. */
static void test_of_the_future(void **state)
{
    struct sqlite3 *h = NULL;
    struct record_stat stat;

    (void)state;
    assert_int_equal(record_open(&h, path, 0), 0);
    add(h, NOW, 2, 0.5, 1e6);
    add(h, NOW + 3600, 2, 0.5, 1e6);
    add(h, NOW + 300 * DAY_S, 2, 0.5, 1e6);
    assert_int_equal(record_thin(h, NOW, 0), 0);
    assert_int_equal(record_stat(h, &stat), 0);
    assert_int_equal(stat.records, 2);
    assert_int_equal(stat.last_s, NOW + 3600);
    db_close(h);
}

/* A large host fills the file in less than a day: that is not all lost. */
static void test_bounded_large(void **state)
{
    struct sqlite3 *h = NULL;
    struct record_stat have;
    unsigned int fewest = UINT_MAX;
    int i;

    (void)state;
    assert_int_equal(record_open(&h, path, LIMIT), 0);
    for (i = 0; i < 300; i++) {
        add(h, NOW + i * 300, 40, 0.5, 1e6);
        assert_int_equal(record_stat(h, &have), 0);
        if (i >= 150 && have.records < fewest)
            fewest = (unsigned int)have.records;
    }
    assert_true(have.records < 150); /* it was full */
    assert_true(fewest > 20);
    db_close(h);
}

/* A file of an older form is emptied, not refused; a newer one is refused. */
static void test_other_versions(void **state)
{
    struct db_options other = {
        .schema = "CREATE TABLE load(record INTEGER, data BLOB);"
                  "INSERT INTO load VALUES(1, x'00')",
        .application_id = 0x73686d68, .version = 2,
    };
    struct sqlite3 *h = NULL;
    struct record_stat have;

    (void)state;
    assert_int_equal(db_open(&h, path, &other), 0);
    db_close(h);
    assert_int_equal(record_open(&h, path, 0), 0);
    add(h, NOW, 2, 0.5, 1e6);
    assert_int_equal(record_stat(h, &have), 0);
    assert_int_equal(have.records, 1);
    db_close(h);
    assert_int_equal(record_open(&h, path, 0), 0);
    assert_int_equal(record_stat(h, &have), 0);
    assert_int_equal(have.records, 1);
    db_close(h);
    unlink(path);
    other.version = 1000;
    assert_int_equal(db_open(&h, path, &other), 0);
    db_close(h);
    assert_int_equal(record_open(&h, path, 0), -EPROTO);
}

static void test_nothing_measured(void **state)
{
    struct snapshot *s = snapshot_at(NOW, 1, 0.5, 0);
    struct sqlite3 *h = NULL;

    (void)state;
    assert_int_equal(record_open(&h, path, 0), 0);
    s->duration = 0;
    assert_int_equal(record_add(h, s), -EINVAL);
    snapshot_free(s);
    db_close(h);
    db_close(NULL);
}

int main(void)
{
#define TEST(f) cmocka_unit_test_setup_teardown(f, setup, teardown)
    const struct CMUnitTest tests[] = {
        TEST(test_busy_afternoon),
        TEST(test_too_few),
        TEST(test_presence),
        TEST(test_vifs),
        TEST(test_bounded),
        TEST(test_bounded_large),
        TEST(test_of_the_future),
        TEST(test_other_versions),
        TEST(test_nothing_measured),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
