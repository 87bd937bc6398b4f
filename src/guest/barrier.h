/* SPDX-License-Identifier: (GPL-2.0-only OR BSD-2-Clause) */
/*
 * The memory model of the ring: four operations on a __u32 that the peer,
 * on another processor, reads or writes at the same time.  And one for bytes:
 * after ring_compiler_barrier() the compiler uses the copy that it has made of
 * them, and does not read them again.
 *
 * The kernel half uses virt_*(): a guest with one virtual CPU may have its
 * smp_*() barriers compiled down to nothing, yet its peer is a real processor.
 */
#ifndef SHMLINK_BARRIER_H
#define SHMLINK_BARRIER_H

#include "shmlink-wire.h"

#ifdef __KERNEL__

#include <asm/barrier.h>
#include <linux/compiler.h>

#define ring_load(p)			READ_ONCE(*(p))
#define ring_store(p, v)		WRITE_ONCE(*(p), (v))
/* What each use orders, and with which it pairs, stands in ring.c. */
#define ring_load_acquire(p)		virt_load_acquire(p)
/* Likewise. */
#define ring_store_release(p, v)	virt_store_release((p), (v))
/* Likewise. */
#define ring_full_barrier()		virt_mb()
#define ring_compiler_barrier()		barrier()

#else

#include <stdatomic.h>

#define RING_ATOMIC(p)			((_Atomic __u32 *)(p))
#define ring_load(p) \
	atomic_load_explicit(RING_ATOMIC(p), memory_order_relaxed)
#define ring_store(p, v) \
	atomic_store_explicit(RING_ATOMIC(p), (v), memory_order_relaxed)
#define ring_load_acquire(p) \
	atomic_load_explicit(RING_ATOMIC(p), memory_order_acquire)
#define ring_store_release(p, v) \
	atomic_store_explicit(RING_ATOMIC(p), (v), memory_order_release)
#define ring_full_barrier() \
	atomic_thread_fence(memory_order_seq_cst)
#define ring_compiler_barrier() \
	atomic_signal_fence(memory_order_seq_cst)

#endif

#endif /* SHMLINK_BARRIER_H */
