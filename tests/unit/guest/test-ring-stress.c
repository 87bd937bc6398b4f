// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Goal: between two threads, and between two processes, every record of
 * millions arrives once, whole and in order, and no wake-up is lost: either
 * side sleeps as the driver does, and a lost wake-up hangs until the alarm.
 * Built twice, the second time with the thread sanitizer.
 */
#include "ring-pair.h"

#include <errno.h>
#include <pthread.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/wait.h>
#include <unistd.h>

#ifndef STRESS_RECORDS
#define STRESS_RECORDS 4000000U
#endif
#define DEADLINE_SECONDS 1200

/* The two ends' event channel: a bit each way. */
struct stress {
    struct ring_pair pair;
    int data_event;
    int room_event;
    __u32 records;
};

static unsigned char pattern[SHMLINK_FRAME_BYTES_MAX + 256];

/* Both sides compute record @n: what was sent and what must arrive. */
static __u32 mix(__u32 n)
{
    n = (n ^ (n >> 16)) * 0x45d9f3bU;
    n = (n ^ (n >> 16)) * 0x45d9f3bU;
    return n ^ (n >> 16);
}

static const void *make_record(__u32 n, struct shmlink_record *record_r)
{
    __u32 random = mix(n);

    memset(record_r, 0, sizeof(*record_r));
    record_r->frame_bytes = SHMLINK_FRAME_BYTES_MIN + random % 200;
    if (random % 512 == 0)
        record_r->frame_bytes = SHMLINK_FRAME_BYTES_MAX - random % 4096;
    record_r->reserved1 = n;
    return pattern + (random >> 8) % 256;
}

static void notify(int event)
{
    const uint64_t one = 1;

    if (write(event, &one, sizeof(one)) != sizeof(one))
        abort();
}

static void sleep_on(int event)
{
    uint64_t count;

    while (read(event, &count, sizeof(count)) < 0)
        if (errno != EINTR)
            abort();
}

static void wait_for_room(struct stress *stress, __u32 need)
{
    struct shmlink_ring *ring = &stress->pair.producer;
    long room;

    if (shmlink_ring_publish(ring))
        notify(stress->data_event);
    while ((room = shmlink_ring_want_room(ring, need)) >= 0 &&
           (__u32)room < need)
        sleep_on(stress->room_event);
    if (room < 0)
        abort();
}

static void *produce(void *arg)
{
    struct stress *stress = arg;
    struct shmlink_record record;
    const void *frame;
    __u32 n;
    int rc;

    for (n = 0; n < stress->records; n++) {
        frame = make_record(n, &record);
        while ((rc = ring_pair_send(&stress->pair.producer, &record, frame)))
            if (rc == -EAGAIN)
                wait_for_room(stress, SHMLINK_RECORD_BYTES(record.frame_bytes));
            else
                abort();
        if (mix(n + 1) % 4 == 0 &&
            shmlink_ring_publish(&stress->pair.producer))
            notify(stress->data_event);
    }
    shmlink_ring_close(&stress->pair.producer);
    notify(stress->data_event);
    return NULL;
}

static void release(struct stress *stress)
{
    if (shmlink_ring_release(&stress->pair.consumer))
        notify(stress->room_event);
}

/* Returns NULL, or what went wrong. */
static void *consume(void *arg)
{
    static unsigned char frame[SHMLINK_FRAME_BYTES_MAX];
    struct stress *stress = arg;
    struct shmlink_ring *ring = &stress->pair.consumer;
    struct shmlink_record record, want;
    const void *want_frame;
    __u32 n = 0;
    int rc;

    for (;;) {
        rc = ring_pair_receive(ring, &record, frame);
        if (rc < 0)
            return "a correct peer's record is refused";
        if (rc == 0) {
            release(stress);
            if (shmlink_ring_ended(ring))
                return n == stress->records ? NULL : "records are missing";
            if (shmlink_ring_want_data(ring) == 0)
                sleep_on(stress->data_event);
            continue;
        }
        want_frame = make_record(n++, &want);
        if (memcmp(&record, &want, sizeof(want)))
            return "a record is not the next one";
        if (memcmp(frame, want_frame, want.frame_bytes))
            return "a frame is damaged";
        if (mix(n) % 8 == 0)
            release(stress);
    }
}

static int run_threads(struct stress *stress)
{
    pthread_t thread;
    void *what;

    /* One mapping for both, or the thread sanitizer sees two memories. */
    stress->pair.consumer.pages = stress->pair.producer_pages;
    if (pthread_create(&thread, NULL, produce, stress))
        return 1;
    what = consume(stress);
    if (what) {
        fprintf(stderr, "threads: %s\n", (char *)what);
        return 1;
    }
    return pthread_join(thread, NULL) ? 1 : 0;
}

static int run_processes(struct stress *stress)
{
    pid_t child = fork();
    void *what;
    int status;

    if (child == 0) {
        alarm(DEADLINE_SECONDS);
        produce(stress);
        _exit(0);
    }
    what = child < 0 ? "fork" : consume(stress);
    if (what) {
        fprintf(stderr, "processes: %s\n", (char *)what);
        return 1;
    }
    return waitpid(child, &status, 0) != child || status != 0;
}

int main(void)
{
    static const __u32 starts[] = { 0, UINT32_MAX - 65535 };
    struct stress stress = { .records = STRESS_RECORDS };
    int failed = 0;
    size_t i;

    /* A lost wake-up ends here, by SIGALRM. */
    alarm(DEADLINE_SECONDS);
    srand(1);
    for (i = 0; i < sizeof(pattern); i++)
        pattern[i] = rand() >> 8;
    stress.data_event = eventfd(0, 0);
    stress.room_event = eventfd(0, 0);
    if (stress.data_event < 0 || stress.room_event < 0)
        return 1;
    for (i = 0; i < 2; i++) {
        if (ring_pair_open(&stress.pair, SHMLINK_RING_BYTES_MIN, starts[i]))
            return 1;
        failed |= i == 0 ? run_threads(&stress) : run_processes(&stress);
        ring_pair_close(&stress.pair);
    }
    printf("%u records by threads, %u by processes: %s\n", stress.records,
           stress.records, failed ? "failed" : "passed");
    return failed;
}
