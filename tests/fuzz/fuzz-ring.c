// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * A hostile peer at both ends of a ring: the input is its programme. Between
 * our calls it writes indices, thresholds, the closed word and data; what our
 * side accepts has to be consistent, and our side writes what it owns only.
 * ring-pair.c puts guard pages around every page of data.
 */
#include "../unit/guest/ring-pair.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

struct input {
    const unsigned char *data;
    size_t left;
};

int LLVMFuzzerTestOneInput(const unsigned char *data, size_t size);

enum { PROD = 1, CONS_EVENT = 2, CLOSED = 4, CONS = 8, PROD_EVENT = 16 };

static struct ring_pair pair;

static void check(bool ok)
{
    if (!ok)
        abort();
}

static __u32 take(struct input *in, void *to, size_t bytes)
{
    __u32 number = 0;

    if (bytes > in->left)
        bytes = in->left;
    memcpy(to ? to : &number, in->data, bytes);
    in->data += bytes;
    in->left -= bytes;
    return number;
}

/* What include/shmlink-wire.h promises of an accepted record. */
static void check_record(const struct shmlink_record *r)
{
    __u32 gso = r->gso_type & SHMLINK_GSO_TYPE_MASK;

    check(r->frame_bytes >= SHMLINK_FRAME_BYTES_MIN);
    check(r->frame_bytes <= SHMLINK_FRAME_BYTES_MAX);
    check(!(r->flags & ~SHMLINK_RECORD_FLAGS));
    if (r->flags & SHMLINK_RECORD_CSUM_PARTIAL)
        check(r->csum_start >= SHMLINK_FRAME_BYTES_MIN &&
              r->csum_start + r->csum_offset + 2UL <= r->frame_bytes);
    if (r->flags & SHMLINK_RECORD_VLAN)
        check(r->vlan_proto == 0x8100 || r->vlan_proto == 0x88a8);
    if (r->gso_type)
        check((gso == SHMLINK_GSO_TCPV4 || gso == SHMLINK_GSO_TCPV6) &&
              r->gso_size && (r->flags & SHMLINK_RECORD_CSUM_PARTIAL));
    else
        check(!r->gso_size);
}

static void check_consume(void)
{
    __u32 before = pair.consumer.mine;
    struct shmlink_record record;
    unsigned char *frame;
    int rc = shmlink_ring_peek(&pair.consumer, &record);

    check(rc == 0 || rc == 1 || rc == -EPROTO);
    check(pair.consumer.mine == before);
    if (rc != 1)
        return;
    check_record(&record);
    check(SHMLINK_RECORD_BYTES(record.frame_bytes) <=
          pair.consumer.theirs - before);
    /* Exactly as large, for the address sanitizer. */
    frame = malloc(record.frame_bytes);
    check(frame);
    shmlink_ring_get(&pair.consumer, 0, frame, record.frame_bytes);
    free(frame);
    shmlink_ring_consumed(&pair.consumer, record.frame_bytes);
}

static void check_produce(__u32 bytes)
{
    static const unsigned char frame[SHMLINK_FRAME_BYTES_MAX];
    struct shmlink_record record = { .frame_bytes = bytes };
    __u32 before = pair.producer.mine;
    int rc = ring_pair_send(&pair.producer, &record, frame);

    check(rc == 0 || rc == -EAGAIN || rc == -EPROTO);
    check(pair.producer.mine - before ==
          (rc ? 0 : SHMLINK_RECORD_BYTES(bytes)));
    check(pair.producer.mine - pair.producer.theirs <= pair.data_bytes);
}

static void check_room(long room, __u32 need)
{
    check(room == -EPROTO || (room >= 0 && room <= (long)pair.data_bytes));
    if (room >= (long)need)
        check(pair.producer.mine + need - pair.producer.theirs <=
              pair.data_bytes);
}

/* The peer's turn: it writes whatever it likes. */
static void scribble(struct input *in, unsigned char what)
{
    __u32 *words = (__u32 *)pair.shared, at;

    switch (what) {
    case 0: /* any word of the indices */
        at = take(in, NULL, 1) % (sizeof(*pair.shared) / 4);
        words[at] = take(in, NULL, 4);
        break;
    case 1: /* prod near our own index */
        pair.shared->prod = pair.consumer.mine + take(in, NULL, 3);
        break;
    case 2: /* cons near what was published */
        pair.shared->cons = pair.producer.published - take(in, NULL, 3);
        break;
    case 3: /* the next record's header */
        at = pair.consumer.mine;
        while (at - pair.consumer.mine < sizeof(struct shmlink_record))
            pair.flat[at++ % pair.data_bytes] = take(in, NULL, 1);
        break;
    case 4:
        pair.shared->closed = take(in, NULL, 1) % 3;
        break;
    default: /* data anywhere */
        at = take(in, NULL, 3) % pair.data_bytes;
        take(in, pair.flat + at, pair.data_bytes - at < 16 ?
                                 pair.data_bytes - at : 16);
    }
}

/* Our turn. Returns the words that this call may have written. */
static unsigned int call(struct input *in, unsigned char what)
{
    __u32 need;

    switch (what) {
    case 0:
        check_consume();
        return 0;
    case 1:
        shmlink_ring_release(&pair.consumer);
        check(!shmlink_ring_unreleased(&pair.consumer));
        return CONS;
    case 2:
        check(shmlink_ring_want_data(&pair.consumer) <= 1);
        return PROD_EVENT;
    case 3:
        shmlink_ring_ended(&pair.consumer);
        return 0;
    case 4:
        check_produce(SHMLINK_FRAME_BYTES_MIN + take(in, NULL, 2));
        return 0;
    case 5:
        shmlink_ring_publish(&pair.producer);
        check(pair.producer.mine == pair.producer.published);
        return PROD;
    case 6:
        need = take(in, NULL, 3) % (pair.data_bytes + 1);
        check_room(shmlink_ring_want_room(&pair.producer, need), need);
        return CONS_EVENT;
    default:
        shmlink_ring_close(&pair.producer);
        return PROD | CLOSED;
    }
}

int LLVMFuzzerTestOneInput(const unsigned char *data, size_t size)
{
    struct input in = { data, size };
    struct shmlink_ring_shared before, after;
    unsigned char what;
    unsigned int ours;

    if (!pair.map && ring_pair_open(&pair, SHMLINK_RING_BYTES_MIN, 0))
        abort();
    ring_pair_reset(&pair, take(&in, NULL, 4) & ~7U);
    while (in.left > 0) {
        what = take(&in, NULL, 1);
        if (what < 128) {
            scribble(&in, what % 6);
            continue;
        }
        before = *pair.shared;
        ours = call(&in, what % 8);
        after = *pair.shared;
        if (ours & PROD)
            before.prod = after.prod;
        if (ours & CONS_EVENT)
            before.cons_event = after.cons_event;
        if (ours & CLOSED)
            before.closed = after.closed;
        if (ours & CONS)
            before.cons = after.cons;
        if (ours & PROD_EVENT)
            before.prod_event = after.prod_event;
        check(!memcmp(&before, &after, sizeof(after)));
    }
    return 0;
}
