/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A child process that cleans up if this one dies before it says goodbye, by
 * whatever death.
 *
 * It inherits no duty but `clean`, ignores the terminal's signals, and has no
 * standard streams.  Open it before threads are started, since it is forked.
 * It does not help when both are killed at once; the next collection finds
 * what is left then.
 */
#ifndef SHMLINK_COLLECT_REAPER_H
#define SHMLINK_COLLECT_REAPER_H

struct reaper;

/* Errors: those of pipe() and fork(); ENOMEM. */
int reaper_open(struct reaper **reaper_r, void (*clean)(void));
/* All is clean: dismiss the child and wait for it.  NULL is fine. */
void reaper_close(struct reaper *reaper);

#endif
