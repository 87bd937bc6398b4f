// SPDX-License-Identifier: (GPL-2.0-only OR BSD-2-Clause)
#include "peer.h"

#ifdef __KERNEL__
#include <linux/minmax.h>
#else
#define min(a, b) ((a) < (b) ? (a) : (b))
#define max(a, b) ((a) > (b) ? (a) : (b))
#endif

#define REST_MIN	SHMLINK_SECOND

static bool has_passed(unsigned long now, unsigned long then, unsigned long time)
{
	return now - then >= time;
}

bool shmlink_stall_moved(struct shmlink_stall *stall, __u32 cons,
			 __u32 published)
{
	__u32 by = cons - stall->taken;

	if (by == 0 || by > published - stall->taken)
		return false;
	stall->taken = cons;
	return true;
}

/* A stall begins: who had been trusted only lately is trusted later again. */
static void stall_begin(struct shmlink_stall *stall, unsigned long now)
{
	if (!stall->rest || has_passed(now, stall->trusted, SHMLINK_REST_MAX))
		stall->rest = REST_MIN;
	else if (stall->rest < SHMLINK_REST_MAX)
		stall->rest *= 2;
	stall->stalled = true;
	stall->since = now;
}

bool shmlink_stall_look(struct shmlink_stall *stall, __u32 published,
			bool moved, bool stopped, unsigned long now)
{
	bool idle = stall->taken == published;
	bool waits = stopped || (!moved && !idle);

	if (stall->stalled) {
		if (!idle || !has_passed(now, stall->since, stall->rest))
			return true;
		stall->stalled = false;
		stall->waits = false;
		stall->trusted = now;
		return false;
	}
	if (!waits || !stall->waits)
		stall->since = now;
	else if (has_passed(now, stall->looked, SHMLINK_LOOK_TIME))
		stall->since += now - stall->looked - SHMLINK_LOOK_TIME;
	stall->looked = now;
	if (waits && has_passed(now, stall->since, SHMLINK_STALL_TIME))
		stall_begin(stall, now);
	stall->waits = waits;
	return stall->stalled;
}

/* Takes off what a peer that behaves causes within the time that passed. */
static void events_leak(struct shmlink_events *events, unsigned long now)
{
	unsigned long apart = SHMLINK_SECOND / SHMLINK_IDLE_A_SECOND;
	unsigned long normal = (now - events->since) / apart;

	if (normal >= events->idle) {
		events->idle = 0;
		events->since = now;
	} else {
		events->idle -= normal;
		events->since += normal * apart;
	}
}

bool shmlink_events_count(struct shmlink_events *events, bool worked,
			  unsigned long now)
{
	events_leak(events, now);
	if (worked) {
		events->idle -= min(events->idle, SHMLINK_IDLE_FOR_WORK);
		return false;
	}
	/* Never so many that one who behaves again waits for long. */
	events->idle = min(events->idle + 1, 2 * SHMLINK_IDLE_MAX);
	return events->idle > SHMLINK_IDLE_MAX;
}

void shmlink_limit_fill(struct shmlink_limit *limit, unsigned long now)
{
	__s64 a_jiffy = limit->rate / SHMLINK_SECOND;
	unsigned long time = min(now - limit->since,
				 (unsigned long)SHMLINK_LIMIT_BURST);

	limit->since = now;
	limit->left = max(limit->left,
			  min(limit->left + a_jiffy * (__s64)time,
			      a_jiffy * SHMLINK_LIMIT_BURST));
}
