/* SPDX-License-Identifier: (GPL-2.0-only OR BSD-2-Clause) */
/*
 * The shmlink wire format: what two guests share, in memory and by name.
 *
 * One header for the guest driver, the toolstack, the unit tests and the
 * fuzzers.  man/shmlink-protocol.7 explains the protocol; this file is the
 * authority on every offset, size and number in it.
 *
 * All integers are little-endian, as on every platform that Xen's x86 ABI
 * serves.  Everything in shared memory is untrusted: it is read once, checked,
 * and only then used.
 */
#ifndef SHMLINK_WIRE_H
#define SHMLINK_WIRE_H

#include <linux/types.h>

#ifdef __KERNEL__
#include <linux/build_bug.h>
#define SHMLINK_WIRE_ASSERT(cond) static_assert(cond)
#else
#include <stddef.h>
#define SHMLINK_WIRE_ASSERT(cond) _Static_assert(cond, #cond)
#endif

/* Protocol versions that this header describes, inclusive. */
#define SHMLINK_VERSION_MIN	1
#define SHMLINK_VERSION_MAX	2
/* The first that has asked and reply in struct shmlink_ring_shared. */
#define SHMLINK_VERSION_REPLY	2

/* "shml"; zero means dead, so a cleared page is never a live queue. */
#define SHMLINK_MAGIC		0x6c6d6873U

#define SHMLINK_PAGE_BYTES	4096U

/* Links that one guest takes part in, at most. */
#define SHMLINK_LINKS_MAX	64U
/* Queues of one link; so far exactly one. */
#define SHMLINK_QUEUES_MAX	1U

/*
 * Bytes of one direction's data ring: a power of two.  The smallest holds a
 * largest record; the largest keeps the grants of one queue (2 * 1024 data
 * pages, 2 directory pages, 1 queue page) well below what a guest has.
 */
#define SHMLINK_RING_BYTES_MIN	(128U * 1024)
#define SHMLINK_RING_BYTES_MAX	(4U * 1024 * 1024)

/* Records start at multiples of this many bytes. */
#define SHMLINK_RECORD_ALIGN	8U
/* Largest Ethernet frame: a 64 KiB GSO packet, its header and two tags. */
#define SHMLINK_FRAME_BYTES_MAX	(65536U + 32U)
/* Smallest: a bare Ethernet header. */
#define SHMLINK_FRAME_BYTES_MIN	14U

/* Grant references in one directory page, and directory pages at most. */
#define SHMLINK_DIR_GREFS	(SHMLINK_PAGE_BYTES / 4)
#define SHMLINK_DIR_PAGES_MAX	2U

/*
 * One direction.  The producer writes the first half and only reads the
 * second, the consumer the other way round.  128 bytes each, since processors
 * fetch cache lines in pairs.
 *
 * prod, cons: free-running byte counts; the ring holds prod - cons bytes.
 * cons_event: the producer waits for room: notify when cons passes this.
 * prod_event: the consumer sleeps: notify when prod passes this.
 * "Passes" as in Xen's io/ring.h: moving from old to new passes event when
 * (u32)(new - event) < (u32)(new - old).
 * closed: the producer's last word, SHMLINK_PROD_CLOSED: nothing is put into
 * the ring any more; what is below prod is still to be taken.
 * asked: counts the producer's questions whether the consumer takes frames.
 * reply: the last question seen, times 2, plus 1 while it takes none: the
 * producer then sends nothing more by the ring.
 */
struct shmlink_ring_shared {
	__u32 prod;
	__u32 cons_event;
	__u32 closed;
	__u32 asked;
	__u32 reserved0[28];
	__u32 cons;
	__u32 prod_event;
	__u32 reply;
	__u32 reserved1[29];
};

#define SHMLINK_PROD_CLOSED	1U

/*
 * The queue page: the page whose grant reference is in xenstore.  The front
 * end fills it in before it writes the grant reference, and never looks at
 * the part above the rings again.
 *
 * dir_gref[]: directory pages, each an array of SHMLINK_DIR_GREFS grant
 * references of data pages: first those of the ring from front to back, then,
 * on a new directory page, those of the ring from back to front.  A ring of
 * ring_bytes has ring_bytes / SHMLINK_PAGE_BYTES data pages.
 */
struct shmlink_queue_page {
	__u32 magic;
	__u32 version;
	__u8  nonce[16];
	__u32 ring_bytes;
	__u32 dir_gref[SHMLINK_DIR_PAGES_MAX];
	__u32 reserved[23];
	struct shmlink_ring_shared front_to_back;
	struct shmlink_ring_shared back_to_front;
};

/*
 * Before each frame.  The next record starts at the next multiple of
 * SHMLINK_RECORD_ALIGN after the frame's last byte.
 *
 * frame_bytes: bytes of the frame, from the destination MAC on.
 * flags: SHMLINK_RECORD_*; unknown bits are an error.
 * gso_type, gso_size: SHMLINK_GSO_*; bytes of payload per segment.  A GSO
 *   record has SHMLINK_RECORD_CSUM_PARTIAL set, always.
 * header_bytes: length of all headers, a hint; 0 when not known.
 * csum_start, csum_offset: with CSUM_PARTIAL: where in the frame summing
 *   starts, and where after that the sum goes.
 * vlan_proto, vlan_tci: with VLAN: a tag that the frame carries out of band;
 *   vlan_proto is the EtherType, 0x8100 or 0x88a8, as a number.
 */
struct shmlink_record {
	__u32 frame_bytes;
	__u16 flags;
	__u8  gso_type;
	__u8  reserved0;
	__u16 gso_size;
	__u16 header_bytes;
	__u16 csum_start;
	__u16 csum_offset;
	__u16 vlan_proto;
	__u16 vlan_tci;
	__u32 reserved1;
};

#define SHMLINK_RECORD_CSUM_PARTIAL	0x0001U	/* sum to be filled in */
#define SHMLINK_RECORD_CSUM_VALID	0x0002U	/* sum has been verified */
#define SHMLINK_RECORD_VLAN		0x0004U
#define SHMLINK_RECORD_FLAGS		0x0007U

#define SHMLINK_GSO_NONE		0U
#define SHMLINK_GSO_TCPV4		1U
#define SHMLINK_GSO_TCPV6		2U
#define SHMLINK_GSO_TYPE_MASK		0x7fU
#define SHMLINK_GSO_ECN			0x80U	/* first segment has CWR set */

/* Bytes that a record takes in the ring. */
#define SHMLINK_RECORD_BYTES(frame_bytes) \
	((sizeof(struct shmlink_record) + (frame_bytes) + \
	  SHMLINK_RECORD_ALIGN - 1) & ~(SHMLINK_RECORD_ALIGN - 1))

SHMLINK_WIRE_ASSERT(sizeof(struct shmlink_ring_shared) == 256);
SHMLINK_WIRE_ASSERT(offsetof(struct shmlink_ring_shared, cons_event) == 4);
SHMLINK_WIRE_ASSERT(offsetof(struct shmlink_ring_shared, closed) == 8);
SHMLINK_WIRE_ASSERT(offsetof(struct shmlink_ring_shared, asked) == 12);
SHMLINK_WIRE_ASSERT(offsetof(struct shmlink_ring_shared, cons) == 128);
SHMLINK_WIRE_ASSERT(offsetof(struct shmlink_ring_shared, prod_event) == 132);
SHMLINK_WIRE_ASSERT(offsetof(struct shmlink_ring_shared, reply) == 136);
SHMLINK_WIRE_ASSERT(offsetof(struct shmlink_queue_page, nonce) == 8);
SHMLINK_WIRE_ASSERT(offsetof(struct shmlink_queue_page, ring_bytes) == 24);
SHMLINK_WIRE_ASSERT(offsetof(struct shmlink_queue_page, dir_gref) == 28);
SHMLINK_WIRE_ASSERT(offsetof(struct shmlink_queue_page, front_to_back) == 128);
SHMLINK_WIRE_ASSERT(offsetof(struct shmlink_queue_page, back_to_front) == 384);
SHMLINK_WIRE_ASSERT(sizeof(struct shmlink_queue_page) == 640);
SHMLINK_WIRE_ASSERT(sizeof(struct shmlink_record) == 24);
SHMLINK_WIRE_ASSERT(offsetof(struct shmlink_record, gso_size) == 8);
SHMLINK_WIRE_ASSERT(offsetof(struct shmlink_record, csum_start) == 12);
SHMLINK_WIRE_ASSERT(offsetof(struct shmlink_record, vlan_proto) == 16);
SHMLINK_WIRE_ASSERT(offsetof(struct shmlink_record, reserved1) == 20);
SHMLINK_WIRE_ASSERT(SHMLINK_RING_BYTES_MIN >=
		    SHMLINK_RECORD_BYTES(SHMLINK_FRAME_BYTES_MAX));
SHMLINK_WIRE_ASSERT(2 * SHMLINK_RING_BYTES_MAX / SHMLINK_PAGE_BYTES ==
		    SHMLINK_DIR_PAGES_MAX * SHMLINK_DIR_GREFS);

/*
 * Names in xenstore.  Device type, under device/ and backend/:
 */
#define SHMLINK_XS_TYPE		"shmlink"

/* Written by the toolstack into each end's own directory; owned by dom0, */
/* so that the peer cannot change what this guest believes. */
#define SHMLINK_XS_VIF		"vif"		/* own vif's number */
#define SHMLINK_XS_MAC		"mac"		/* own vif's MAC */
#define SHMLINK_XS_PEER_MAC	"peer-mac"
#define SHMLINK_XS_NONCE	"nonce"		/* 32 hexadecimal digits */
#define SHMLINK_XS_RING_BYTES	"ring-bytes"	/* each direction */
/* There or not; the least so much that a ring is emptied in a second. */
#define SHMLINK_XS_LIMIT	"limit"		/* bytes a second received */

/* Written by the back end before InitWait. */
#define SHMLINK_XS_MIN_VERSION	"min-version"
#define SHMLINK_XS_MAX_VERSION	"max-version"
/* Written by the front end before Initialised. */
#define SHMLINK_XS_VERSION	"version"
#define SHMLINK_XS_NUM_QUEUES	"num-queues"
#define SHMLINK_XS_RING_REF	"queue-0/ring-ref"
#define SHMLINK_XS_EVTCHN	"queue-0/event-channel"
/* Written by either end when it gives up: one line for the administrator. */
#define SHMLINK_XS_ERROR	"error-text"
/* Written by either end when asked to, see SHMLINK_XS_STATS_SEQ. */
#define SHMLINK_XS_STATS	"stats"

/* "held" in SHMLINK_XS_STATS: why this end uses its vif, a set of these. */
#define SHMLINK_HELD_PEER	0x001U	/* the peer takes no frames now */
#define SHMLINK_HELD_SILENT	0x002U	/* or does not answer that */
#define SHMLINK_HELD_DOWN	0x004U	/* our vif is down */
#define SHMLINK_HELD_MAC	0x008U	/* it has another MAC address */
#define SHMLINK_HELD_BACKUP	0x010U	/* it is a bond's resting leg */
#define SHMLINK_HELD_MOVED	0x020U	/* somebody else uses its address */
#define SHMLINK_HELD_XDP	0x040U	/* it has an XDP program */
#define SHMLINK_HELD_FILTER	0x080U	/* it has filters at tc egress */
#define SHMLINK_HELD_QDISC	0x100U	/* it has a qdisc with a policy */
#define SHMLINK_HELD_STALLED	0x200U	/* the peer leaves all in the ring */

/*
 * Under /local/domain/<domid>/: what a loaded driver says of itself.
 * versions: "<min> <max>", there while the driver is loaded.
 * stats-seq: the toolstack writes a new number here to ask for counters; the
 * driver writes SHMLINK_XS_STATS of each of its links, then the same number
 * to stats-ack.
 */
#define SHMLINK_XS_DRIVER	"data/shmlink"
#define SHMLINK_XS_VERSIONS	"data/shmlink/versions"
#define SHMLINK_XS_STATS_SEQ	"data/shmlink/stats-seq"
#define SHMLINK_XS_STATS_ACK	"data/shmlink/stats-ack"

#endif /* SHMLINK_WIRE_H */
