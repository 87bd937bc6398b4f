// SPDX-License-Identifier: GPL-2.0-or-later
#include "ring-pair.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

/* Map page @page of @fd alone at @at; every second page stays a guard. */
static void *map_page(int fd, char *at, size_t page, int prot)
{
    return mmap(at, SHMLINK_PAGE_BYTES, prot, MAP_SHARED | MAP_FIXED, fd,
                page * SHMLINK_PAGE_BYTES);
}

static int map_views(struct ring_pair *pair, int fd, size_t nr)
{
    char *at = (char *)pair->map + SHMLINK_PAGE_BYTES;
    size_t i;

    /* Backwards, so that no page is where a flat ring would have it. */
    for (i = nr; i-- > 0; at += 4 * SHMLINK_PAGE_BYTES) {
        pair->producer_pages[i] = map_page(fd, at, i, PROT_READ | PROT_WRITE);
        pair->consumer_pages[i] =
            map_page(fd, at + 2 * SHMLINK_PAGE_BYTES, i, PROT_READ);
        if (pair->producer_pages[i] == MAP_FAILED ||
            pair->consumer_pages[i] == MAP_FAILED)
            return -errno;
    }
    at = map_page(fd, at, nr, PROT_READ | PROT_WRITE);
    if (at == MAP_FAILED)
        return -errno;
    pair->shared = (void *)(at + SHMLINK_PAGE_BYTES - sizeof(*pair->shared));
    return 0;
}

int ring_pair_open(struct ring_pair *pair, __u32 data_bytes, __u32 index)
{
    size_t nr = data_bytes / SHMLINK_PAGE_BYTES;
    int fd = -1, rc;

    memset(pair, 0, sizeof(*pair));
    pair->map = pair->flat = MAP_FAILED;
    pair->data_bytes = data_bytes;
    pair->map_bytes = (4 * nr + 3) * SHMLINK_PAGE_BYTES;
    pair->producer_pages = calloc(nr, sizeof(void *));
    pair->consumer_pages = calloc(nr, sizeof(void *));
    fd = memfd_create("ring-pair", MFD_CLOEXEC);
    rc = -ENOMEM;
    if (!pair->producer_pages || !pair->consumer_pages || fd < 0 ||
        ftruncate(fd, data_bytes + SHMLINK_PAGE_BYTES) < 0)
        goto out;
    pair->map = mmap(NULL, pair->map_bytes, PROT_NONE,
                     MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    pair->flat = mmap(NULL, data_bytes, PROT_READ | PROT_WRITE, MAP_SHARED, fd,
                      0);
    if (pair->map == MAP_FAILED || pair->flat == MAP_FAILED)
        goto out;
    rc = map_views(pair, fd, nr);
    if (!rc)
        ring_pair_reset(pair, index);
 out:
    if (fd >= 0)
        close(fd);
    if (rc)
        ring_pair_close(pair);
    return rc;
}

void ring_pair_close(struct ring_pair *pair)
{
    free(pair->producer_pages);
    free(pair->consumer_pages);
    if (pair->map != MAP_FAILED)
        munmap(pair->map, pair->map_bytes);
    if (pair->flat != MAP_FAILED)
        munmap(pair->flat, pair->data_bytes);
}

void ring_pair_reset(struct ring_pair *pair, __u32 index)
{
    memset(pair->flat, 0, pair->data_bytes);
    memset(pair->shared, 0, sizeof(*pair->shared));
    pair->shared->prod = index;
    pair->shared->cons = index;
    if (shmlink_ring_init(&pair->producer, pair->shared, pair->producer_pages,
                          pair->data_bytes, index) ||
        shmlink_ring_init(&pair->consumer, pair->shared, pair->consumer_pages,
                          pair->data_bytes, index))
        abort();
}

int ring_pair_send(struct shmlink_ring *producer,
                   const struct shmlink_record *record, const void *frame)
{
    __u32 need = SHMLINK_RECORD_BYTES(record->frame_bytes);
    long room = shmlink_ring_room(producer, need);

    if (room < 0)
        return room;
    if ((__u32)room < need)
        return -EAGAIN;
    shmlink_ring_put(producer, 0, record, sizeof(*record));
    shmlink_ring_put(producer, sizeof(*record), frame, record->frame_bytes);
    shmlink_ring_produced(producer, record->frame_bytes);
    return 0;
}

int ring_pair_receive(struct shmlink_ring *consumer,
                      struct shmlink_record *record_r, void *frame)
{
    int rc = shmlink_ring_peek(consumer, record_r);

    if (rc != 1)
        return rc;
    shmlink_ring_get(consumer, 0, frame, record_r->frame_bytes);
    shmlink_ring_consumed(consumer, record_r->frame_bytes);
    return 1;
}
