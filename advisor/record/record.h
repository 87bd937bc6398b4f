/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The load of past days, in SQLite: what rebalance plans for.
 *
 * A record is what one short measurement saw: per vCPU run, wait, block,
 * switches; per pair bytes and packets.  Records are thinned: those of the
 * last RECORD_FINE_S stay as they are, older ones become one per hour, and
 * after `keep_days` they go.  The file never grows beyond `max_bytes`: when it
 * would, the oldest day goes first, or where it has no two days the older
 * half.
 *
 * VMs are kept by UUID, so that a reboot or a migration and back does not
 * lose them.  Errors: those of db.h.  Nothing is printed; the clock is an
 * argument.
 */
#ifndef SHMLINK_RECORD_RECORD_H
#define SHMLINK_RECORD_RECORD_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define RECORD_FINE_S (2 * 24 * 3600)
#define RECORD_COARSE_S 3600
#define RECORD_DAYS_DEFAULT 28
#define RECORD_BYTES_DEFAULT (64U * 1024 * 1024)
#define RECORD_BYTES_MIN (256U * 1024)

struct snapshot;
struct sqlite3;

/*
 * Open the file, and make it where it is not there; one that an older version
 * wrote in another form is emptied.
 * max_bytes: at least RECORD_BYTES_MIN; 0: the default.
 * Owns: the caller, db_close().
 */
int record_open(struct sqlite3 **db_r, const char *path, uint64_t max_bytes);

/* Add what a snapshot measured.  Errors: -EINVAL it measured nothing. */
int record_add(struct sqlite3 *db, const struct snapshot *snapshot);
/* Thin, and forget what is older, or more than a day ahead; keep_days 0: the
 * default. */
int record_thin(struct sqlite3 *db, int64_t now_s, unsigned int keep_days);

struct record_stat {
    uint64_t records;
    int64_t first_s, last_s;    /* 0: none */
    uint64_t bytes;             /* of the file */
};
int record_stat(struct sqlite3 *db, struct record_stat *stat_r);

/* How busy the hours of the day are, in the host's own time zone. */
struct record_hours {
    double pcpus[24];           /* mean demand (run + wait) of all VMs */
    unsigned int records[24];
    bool busy[24];
    unsigned int days;          /* that have records in them */
};

/*
 * Which hours are busy: those whose mean demand is at least the quietest's
 * plus `share` (0..1) of the way to the busiest's; of the last `days`.
 * Errors: -ENODATA fewer than `least` records.
 */
int record_hours(struct sqlite3 *db, int64_t now_s, unsigned int days,
                 double share, unsigned int least,
                 struct record_hours *hours_r);

/*
 * Replace what a snapshot measured by the means of the busy hours.  What is
 * on the host (topology, domains, affinities, links) stays as it is; a VM
 * that was never recorded in them has no load then, and a note says so.
 * Errors: -ENODATA.
 */
int record_overlay(struct sqlite3 *db, int64_t now_s, unsigned int days,
                   const struct record_hours *hours,
                   struct snapshot *snapshot);

#endif
