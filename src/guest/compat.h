/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * All that depends on the kernel's version, Linux 6.1 to 7.3; the rest of the
 * driver is written for the newest.
 */
#ifndef SHMLINK_COMPAT_H
#define SHMLINK_COMPAT_H

#include <linux/hrtimer.h>
#include <linux/kernel.h>
#include <linux/version.h>

#if LINUX_VERSION_CODE < KERNEL_VERSION(6, 1, 0) || \
	!IS_ENABLED(CONFIG_NETFILTER_EGRESS) || \
	!IS_ENABLED(CONFIG_NETFILTER_INGRESS)
#error "shmlink needs Linux >= 6.1, CONFIG_NETFILTER_EGRESS and _INGRESS"
#endif

/* hex2bin() and mac_pton(); not by linux/kernel.h any more since 7.0. */
#if LINUX_VERSION_CODE >= KERNEL_VERSION(6, 4, 0)
#include <linux/hex.h>
#endif

#if LINUX_VERSION_CODE >= KERNEL_VERSION(6, 6, 0)
#include <net/page_pool/helpers.h>
#else
#include <net/page_pool.h>
#endif

/* Each page of a pool can be shared since 6.7. */
#ifndef PP_FLAG_PAGE_FRAG
#define PP_FLAG_PAGE_FRAG 0
#endif

/* In place of hrtimer_init(), which is gone since 6.15. */
#if LINUX_VERSION_CODE < KERNEL_VERSION(6, 13, 0)
static inline void
hrtimer_setup(struct hrtimer *timer,
	      enum hrtimer_restart (*function)(struct hrtimer *),
	      clockid_t clock_id, enum hrtimer_mode mode)
{
	hrtimer_init(timer, clock_id, mode);
	timer->function = function;
}
#endif

#endif /* SHMLINK_COMPAT_H */
