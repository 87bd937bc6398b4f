/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The guest driver's own structures.
 *
 *   main.c    module, xenbus drivers, what the driver says of itself
 *   link.c    one link from probe to closed (a state machine)
 *   handshake.c  its configuration, and the first of its states
 *   memory.c  the shared pages: granted by the front end, mapped by the back
 *   kept.c    those that peers of closed links do not unmap
 *   queue.c   event channel, NAPI; frames from the ring into the stack
 *   frame.c   a frame as a packet
 *   netdev.c  shm<n>: frames from the stack into the ring
 *   batch.c   when the peer is notified of them
 *   hold.c    whether they go by the vif for now
 *   divert.c  which links divert frames from which vif
 *   hook.c    the hooks at a vif, table.c their look-up table
 *   vif.c     what else there is at the vif
 *   ring.c    the ring itself, shared with the tests
 *   peer.c    how much a peer may cost, shared with the tests
 *   compat.h  what depends on the kernel's version
 *
 * Locks, outermost first: link->lock, rtnl, divert_lock.  The data path takes
 * none of them: transmission is serialised by shm<n>'s transmit lock,
 * reception by NAPI.
 */
#ifndef SHMLINK_DRIVER_H
#define SHMLINK_DRIVER_H

#include <linux/hrtimer.h>
#include <linux/mutex.h>
#include <linux/netdevice.h>
#include <linux/skbuff.h>
#include <linux/workqueue.h>
#include <xen/grant_table.h>
#include <xen/xenbus.h>

#include "compat.h"
#include "shmlink-wire.h"
#include "peer.h"
#include "ring.h"

struct shmlink_port;
struct page_pool;
struct shmlink_link;

/**
 * struct shmlink_config - what the toolstack says of this end; trusted
 * @vif: number of our own vif
 * @mac: the vif's MAC address
 * @peer_mac: the peer's
 * @nonce: names this link, this time
 * @ring_bytes: data bytes of each direction
 * @limit: bytes a second that are received, 0 for no limit
 */
struct shmlink_config {
	unsigned int vif;
	u8 mac[ETH_ALEN];
	u8 peer_mac[ETH_ALEN];
	u8 nonce[16];
	u32 ring_bytes;
	u32 limit;
};

/**
 * struct shmlink_memory - the pages that the two guests share
 * @granted: we are the granter (front end), else the mapper
 * @domid: granter: to whom
 * @nr_pages: queue page, directory pages, data pages, in this order
 * @pages: all of them
 * @data: kernel addresses of the data pages, front to back first
 * @grefs: granter: the grant references, 0 when given back
 * @handles: mapper: the handles
 * @queue_page: address of pages[0]
 */
struct shmlink_memory {
	bool granted;
	domid_t domid;
	unsigned int nr_pages;
	struct page **pages;
	void **data;
	grant_ref_t *grefs;
	grant_handle_t *handles;
	struct shmlink_queue_page *queue_page;
};

/**
 * struct shmlink_counters - what a link has done, as told to the toolstack
 *
 * tx_* is written under the transmit lock, rx_* by NAPI.
 */
struct shmlink_counters {
	u64 tx_bytes;
	u64 tx_packets;
	u64 tx_notifications;
	u64 tx_stalls;
	u64 tx_drops;
	u64 rx_bytes;
	u64 rx_packets;
	u64 rx_notifications;
	u64 rx_drops;
};

/**
 * struct shmlink_batch - frames that are in the ring, but held up
 * @held: the frames, still charged to their sockets
 * @timer: ends a batch that is not filled
 * @armed: it will look at what is held up now
 * @deadline_ns: when it is to
 * @bytes: of large frames since the last batch ended
 * @notify: the peer is to be notified at its end, or of an acknowledgment
 * @last_ns: when the last large frame came
 * @fill_ns: time in which large frames fill a batch, in the mean
 * @mean_bytes: mean size of large frames
 * @misses: batches in a row that were not filled
 * @pass: large frames that are not to be held up
 */
struct shmlink_batch {
	struct sk_buff_head held;
	struct hrtimer timer;
	bool armed;
	u64 deadline_ns;
	u32 bytes;
	bool notify;
	u64 last_ns;
	s64 fill_ns;
	s32 mean_bytes;
	unsigned int misses;
	unsigned int pass;
};

/* Blocks of pages by their order, and halves of pages. */
#define SHMLINK_POOL_HEADS	(SHMLINK_BLOCK_ORDER_MAX + 1)
#define SHMLINK_POOLS		(SHMLINK_POOL_HEADS + 1)

enum shmlink_phase {
	SHMLINK_NEW,		/* probed, nothing done */
	SHMLINK_HANDSHAKE,	/* exchanging references with the peer */
	SHMLINK_CONNECTED,	/* traffic */
	SHMLINK_CLOSING,	/* nothing sent any more, draining */
	SHMLINK_CLOSED,		/* everything given back; for good */
};

/**
 * struct shmlink_link - one link of this guest
 * @xbdev: the xenbus device
 * @front: we are the front end
 * @list: in the driver's list of links
 * @lock: protects @phase and set-up and tear-down
 * @work: runs the state machine
 * @phase: where it stands
 * @peer_state: the peer's xenbus state, as last seen
 * @deadline: CLOSING: do not wait any longer, in jiffies
 * @looks_left: CLOSING: so many more looks after that
 * @ordered: this guest wants it closed
 * @close_by: and at most until then it waits for the peer, in jiffies
 * @looked: when @work last began, in jiffies
 * @config: from the toolstack
 * @port: where our vif is hooked
 * @netdev: shm<n>, while there is shared memory
 * @memory: the shared pages
 * @tx: ring to the peer, @rx: ring from it
 * @napi: reception
 * @rx_last_bytes: size of the last frame that came
 * @rx_mean_bytes: their size in the mean
 * @pools: memory for received frames: blocks of each order, and heads
 * @batch: of sent frames
 * @irq: bound to @evtchn, 0 when not bound
 * @evtchn: our end of the event channel
 * @eoi_pending: an event is masked until the poll is complete
 * @worked: frames have come, or the peer has taken some, since the last event
 * @events: how many were of no use
 * @ended: the peer has ended, and all that it sent is received
 * @broken: the peer has broken the protocol; nothing is read any more
 * @reroute: frames that are still queued go by the vif
 * @version: of the protocol
 * @hold: frames go by the vif for now: SHMLINK_HELD_*; written by the poll
 * @doubted: the peer's address was seen at our vif
 * @reply_by: when the peer's answer to that is due, in jiffies
 * @stall: whether the peer takes what we send
 * @limit: how much we take, until the link closes
 * @counters: of both directions
 */
struct shmlink_link {
	struct xenbus_device *xbdev;
	bool front;
	struct list_head list;
	struct mutex lock;	/* of phase, set-up and tear-down */
	struct delayed_work work;
	enum shmlink_phase phase;
	enum xenbus_state peer_state;
	unsigned long deadline;
	unsigned int looks_left;
	bool ordered;
	unsigned long close_by;
	unsigned long looked;
	struct shmlink_config config;

	struct shmlink_port *port;
	struct net_device *netdev;
	struct shmlink_memory memory;
	struct shmlink_ring tx;
	struct shmlink_ring rx;
	struct napi_struct napi;
	u32 rx_last_bytes;
	u32 rx_mean_bytes;
	struct page_pool *pools[SHMLINK_POOLS];
	struct shmlink_batch batch;
	unsigned int irq;
	evtchn_port_t evtchn;
	atomic_t eoi_pending;
	bool worked;
	struct shmlink_events events;
	bool ended;
	bool broken;
	bool reroute;
	u32 version;
	unsigned int hold;
	bool doubted;
	unsigned long reply_by;
	struct shmlink_stall stall;
	struct shmlink_limit limit;
	struct shmlink_counters counters;
};

/* main.c */
extern struct workqueue_struct *shmlink_wq;
void shmlink_list_add(struct shmlink_link *link);
void shmlink_list_del(struct shmlink_link *link);

/* link.c */
int shmlink_link_probe(struct xenbus_device *xbdev, bool front);
void shmlink_link_remove(struct xenbus_device *xbdev);
void shmlink_link_peer_changed(struct xenbus_device *xbdev,
			       enum xenbus_state state);
void shmlink_link_order(struct shmlink_link *link, unsigned long close_by);
void shmlink_link_wait_closed(struct shmlink_link *link);
void shmlink_link_kick(struct shmlink_link *link);
void shmlink_link_fail(struct shmlink_link *link, const char *why, int err);

/* handshake.c */
void shmlink_handshake_begin(struct shmlink_link *link);
void shmlink_handshake_step(struct shmlink_link *link);
void shmlink_handshake_closed(const struct shmlink_link *link);

/* memory.c */
int shmlink_memory_grant(struct shmlink_memory *memory, domid_t domid,
			 const struct shmlink_config *config, u32 version);
int shmlink_memory_map(struct shmlink_memory *memory, domid_t domid,
		       const struct shmlink_config *config, u32 version,
		       grant_ref_t queue_gref);
unsigned int shmlink_memory_give_back(struct shmlink_memory *memory);
void shmlink_memory_abandon(struct shmlink_memory *memory);
void shmlink_memory_release(struct shmlink_memory *memory);

/* kept.c */
void shmlink_kept_add(struct shmlink_memory *memory, unsigned int left);
unsigned int shmlink_kept_by(domid_t domid);
void shmlink_kept_exit(void);

/* queue.c */
int shmlink_queue_start(struct shmlink_link *link, evtchn_port_t remote_port);
void shmlink_queue_stop(struct shmlink_link *link);
bool shmlink_queue_peer_is_there(const struct shmlink_link *link);
int shmlink_queue_poll(struct napi_struct *napi, int budget);
void shmlink_queue_notify(struct shmlink_link *link);
void shmlink_queue_look(struct shmlink_link *link);

/* frame.c */
int shmlink_frame_init(struct shmlink_link *link);
void shmlink_frame_exit(struct shmlink_link *link);
struct sk_buff *shmlink_frame_take(struct shmlink_link *link,
				   const struct shmlink_record *record,
				   struct net_device *vif);

/* netdev.c */
int shmlink_netdev_create(struct shmlink_link *link);
void shmlink_netdev_destroy(struct shmlink_link *link);
void shmlink_netdev_close_tx(struct shmlink_link *link, bool drain);
bool shmlink_netdev_may_wake(struct shmlink_link *link);
void shmlink_netdev_hold(struct shmlink_link *link, unsigned int hold);

/* batch.c */
void shmlink_batch_init(struct shmlink_batch *batch);
void shmlink_batch_add(struct shmlink_link *link, struct sk_buff *skb,
		       bool notify, bool alone);
void shmlink_batch_end(struct shmlink_link *link, bool notify);
void shmlink_batch_stop(struct shmlink_link *link);

/* hold.c */
void shmlink_hold_look(struct shmlink_link *link, unsigned int held);

/* divert.c */
int shmlink_divert_init(void);
void shmlink_divert_exit(void);
int shmlink_divert_attach(struct shmlink_link *link);
void shmlink_divert_detach(struct shmlink_link *link);
int shmlink_divert_start(struct shmlink_link *link);
void shmlink_divert_stop(struct shmlink_link *link);
struct net_device *shmlink_divert_vif(const struct shmlink_link *link);
unsigned int shmlink_divert_held(const struct shmlink_link *link,
				 unsigned int *policy_r);

/* vif.c */
struct net_device *shmlink_vif_find(unsigned int handle);
unsigned int shmlink_vif_policy(const struct net_device *vif);
unsigned int shmlink_vif_state(const struct net_device *vif, const u8 *mac);

#endif /* SHMLINK_DRIVER_H */
