/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The other end of a link of the driver's, and what a case has to hand.
 *
 *   main.c   the module: a case is run by writing its name to debugfs
 *   link.c   the peer: handshake, its side of the rings
 *   vif.c    the driver's own vif
 *   cases-*  the cases
 *
 * Functions that return an int return 0 or a negative errno, and have then
 * said what is wrong.
 */
#ifndef PEER_H
#define PEER_H

#define FAKE_XEN
#include "fake-xen.h"
#include "driver.h"

#define CHECK(cond, fmt, ...)						\
	do {								\
		if (!(cond)) {						\
			pr_err("%s:%d: " fmt " (%s)\n", __func__,	\
			       __LINE__, ##__VA_ARGS__, #cond);		\
			return -EIO;					\
		}							\
	} while (0)

#define TRY(call)							\
	do {								\
		int try_rc = (call);					\
									\
		if (try_rc)						\
			return try_rc;					\
	} while (0)

/* Whether @cond comes true within @ms; looks often, since it mostly is soon. */
#define WAIT(cond, ms)							\
	({								\
		unsigned long wait_end = jiffies +			\
					 msecs_to_jiffies(ms);		\
		bool wait_ok;						\
									\
		while (!(wait_ok = (cond)) &&				\
		       time_before(jiffies, wait_end))			\
			usleep_range(20, 60);				\
		wait_ok || (cond);					\
	})

/* Nothing here may depend on how fast the machine is. */
#define SOON	10000

/* The peer's view of a ring: it keeps to nothing. */
struct side {
	struct shmlink_ring_shared *shared;
	void **pages;
	u32 bytes;
	u32 index;
};

struct peer {
	bool driver_front;
	bool keeps;		/* the driver's pages, when it removes them */
	u32 ring_bytes;
	/* A node of the driver's own directory that is not as usual, and its value. */
	const char *const *wrong;
	struct xenbus_device *xbdev;
	struct shmlink_link *link;
	char dir[64];
	char other[64];
	evtchn_port_t port;
	unsigned int nr_grefs;
	grant_ref_t *grefs;	/* queue page, directories, data */
	void **pages;
	struct shmlink_queue_page *queue;
	struct side to_driver;
	struct side from_driver;
};

extern const u8 driver_mac[ETH_ALEN];
extern const u8 peer_mac[ETH_ALEN];

/* The link appears; nothing is said to the driver yet. */
int peer_open(struct peer *p, bool driver_front);
/* Where the driver is the back end: grants all, and writes where it is. */
int peer_make_offer(struct peer *p);
/* The exchange of references, up to where the rings can be reached. */
int peer_offer(struct peer *p);
/* And up to Connected. */
int peer_connect(struct peer *p);
/* All three. */
int peer_start(struct peer *p, bool driver_front);
/* Ends the link as a good peer does, wherever it stands. */
int peer_close(struct peer *p);
/* Gives back the peer's part and lets the device go, wherever it stands. */
int peer_remove(struct peer *p);
/* Its parts: the device goes, the peer's pages, what is kept of them here. */
void peer_forget(struct peer *p);
void peer_give_back(struct peer *p);
void peer_free(struct peer *p);
/* Whether the driver comes to say @state. */
bool peer_sees(struct peer *p, enum xenbus_state state);
void peer_say(struct peer *p, enum xenbus_state state);
void peer_write(struct peer *p, const char *node, const char *value);
void peer_event(struct peer *p);

/* Keeps the driver from polling; lets it, and waits until it has. */
void peer_quiet(struct peer *p);
int peer_poll(struct peer *p);

/* Put a record as it stands and @bytes of a frame; nothing is published. */
void peer_put(struct peer *p, const struct shmlink_record *record,
	      const void *frame, u32 bytes);
void peer_publish(struct peer *p, u32 prod);
/* Take a record: 1, 0 for none, or a negative errno for an invalid one. */
int peer_take(struct peer *p, struct shmlink_record *record_r, void *frame,
	      u32 room);
/* Give back all that was taken. */
void peer_release(struct peer *p);
void side_copy(struct side *side, u32 index, void *to, const void *from,
	       u32 bytes);

/* The driver's vif. */
extern struct net_device *vif;
/* What the vif has received; in softirq context. */
extern void (*vif_received)(struct sk_buff *skb);
/* And what has gone out by it and not by a link. */
extern void (*vif_sent)(struct sk_buff *skb);
extern atomic_t vif_nr_received, vif_nr_sent;
int vif_add(void);
void vif_del(void);
/* A frame to the peer of @bytes, filled from @seed, leaves by the vif. */
struct sk_buff *vif_frame(u32 bytes, u32 seed);
void frame_fill(void *frame, u32 bytes, u32 seed);

struct test {
	const char *name;
	int (*run)(u32 count, u32 seed);
};

extern const struct test link_tests[];
extern const struct test receive_tests[];
extern const struct test send_tests[];
extern const struct test hostile_tests[];
extern const struct test handshake_tests[];
extern const struct test limits_tests[];
extern const struct test cost_tests[];

#endif /* PEER_H */
