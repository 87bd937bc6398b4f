/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What loading and saving a snapshot share: the words of the format. */
#ifndef SHMLINK_MODEL_SNAPSHOT_PRIV_H
#define SHMLINK_MODEL_SNAPSHOT_PRIV_H

#define SNAPSHOT_FORMAT "shmlink-snapshot"

/* Not every file uses all of them. */
#define SNAPSHOT_WORDS __attribute__((unused))
#define SNAPSHOT_NR_WORDS(words) (sizeof (words) / sizeof *(words))

SNAPSHOT_WORDS static const char *const snapshot_source_words[] = {
    "none", "counter", "trace", "sampling",
};
SNAPSHOT_WORDS static const char *const snapshot_granularity_words[] = {
    "unknown", "cpu", "core", "socket",
};
SNAPSHOT_WORDS static const char *const snapshot_type_words[] = {
    "unknown", "pv", "pvh", "hvm",
};
SNAPSHOT_WORDS static const char *const snapshot_state_words[] = {
    "running", "paused", "other",
};
SNAPSHOT_WORDS static const char *const snapshot_owner_words[] = {
    "none", "admin", "shmlink",
};
SNAPSHOT_WORDS static const char *const snapshot_via_words[] = {
    "vif", "link",
};

#endif
