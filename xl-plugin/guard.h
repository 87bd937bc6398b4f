/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Commands for which the dispatcher does something before or after the real
 * xl.  The real xl then runs as a child with our standard streams; signals are
 * passed to it, and its exit status is ours.
 *
 * save, migrate, suspend, remus: the domain's links are taken down before, and
 *   both ends confirm; afterwards, done or failed, the remembered links whose
 *   two ends run here are brought back.
 * restore, resume: the same afterwards.
 * create: links that the VM's configuration asks for are noted before, and the
 *   real xl then takes this process' place.
 * XL_SHMLINK=off in the environment switches all of that off.
 */
#ifndef SHMLINK_GUARD_H
#define SHMLINK_GUARD_H

enum { GUARD_ARGS_MAX = 4096 };

struct guard;

/*
 * What argv[command] names, as the real xl would understand it; NULL where
 * that is none of these commands.
 */
const struct guard *guard_find(char **argv, int command);
/* Run it; returns the exit status. */
int guard_run(const struct guard *guard, int argc, char **argv, int command);

/*
 * Run xl-shmlink with argv; returns the exit status.  As a child, to say what
 * to do where it does not start, as after an upgrade of Xen.
 */
int guard_shmlink(char **argv);

/* xl help, with a line for shmlink at the end; returns the exit status. */
int guard_help(char **argv);

#endif /* SHMLINK_GUARD_H */
