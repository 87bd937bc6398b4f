/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * How `guest NAME COMMAND` in dom0 talks with the agent in the guest: through
 * xenstore, so that the network under test is not involved, and so that a
 * command lives on over save, restore and migration (the agent publishes its
 * sessions again when it finds itself in a new domain).
 *
 * data/lab/ready       written by the agent: a number drawn once per boot
 * data/lab/S/c<i>      written by dom0: the command, NUL-terminated words
 * data/lab/S/go        written by dom0 last: number of c<i> nodes
 * data/lab/S/o<i>      output slot i: struct slot, written by the agent
 * data/lab/S/a         written by dom0: sequence number of the next output
 * data/lab/S/i<i>, b   the same two for standard input, roles reversed
 *
 * dom0 removes data/lab/S when it has read the exit status; when it does so
 * earlier, the agent kills the command. S is unique per call.
 */
#ifndef LAB_SESSION_H
#define LAB_SESSION_H

#include <stdint.h>

#define SESSION_BASE "data/lab"
#define SESSION_READY SESSION_BASE "/ready"

/* A guest may keep 2048 bytes per node (xenstored's default quota). */
#define SESSION_CHUNK 2000
#define SESSION_SLOTS 16
#define SESSION_NO_STDIN "-"

enum slot_kind {
    SLOT_STDIN = 0,
    SLOT_STDOUT = 1,
    SLOT_STDERR = 2,
    SLOT_EXIT = 3, /* data: the exit status, one byte */
    SLOT_EOF = 4,
};

struct slot {
    uint32_t seq;
    uint32_t kind;
    uint8_t data[SESSION_CHUNK];
};

#define SLOT_HEADER 8

#endif
