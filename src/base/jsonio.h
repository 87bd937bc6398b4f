/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Files of JSON from tables: one table a struct, one line a key, from which
 * the struct is read, checked, written, given its defaults and freed.
 *
 * Reading goes over the text once and puts what it finds straight into the
 * structs, with no tree of the file between: what a key means nothing to is
 * looked over and left, and costs no memory.  Everything read is untrusted:
 * wrong types, numbers out of range, text with control characters or that is
 * no UTF-8, and keys that stand twice are errors that name the place; and what
 * a file makes of itself in memory is limited.
 *
 * Both directions keep the first error and ignore what follows.  Nothing is
 * printed, except that jsonio_write_file writes to standard output when told
 * so.
 */
#ifndef SHMLINK_BASE_JSONIO_H
#define SHMLINK_BASE_JSONIO_H

#include <hwloc.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <sys/types.h>

struct jsonio_in;
struct jsonio_out;
struct jsonio_table;

enum jsonio_kind {
    JSONIO_BOOL,		/* bool */
    JSONIO_U32,			/* uint32_t, least..most */
    JSONIO_U64,			/* uint64_t */
    JSONIO_TIME,		/* int64_t, from 0 */
    JSONIO_INDEX,		/* uint32_t, least..most; UINT32_MAX is null */
    JSONIO_REF,			/* size_t, a position; SIZE_MAX is null.  In
				   the file a number, which reading
				   leaves for the caller to resolve */
    JSONIO_REAL,		/* double, finite, least..most */
    JSONIO_WORD,		/* an enum that counts the words from 0 */
    JSONIO_TEXT,		/* char *, text_ok(); NULL is null */
    JSONIO_HEX,			/* char[most + 1]: that many digits or "" */
    JSONIO_UUID,		/* uint8_t[16] */
    JSONIO_MAC,			/* uint8_t[6] */
    JSONIO_SET,			/* hwloc_bitmap_t below most; NULL is null */
    JSONIO_FORMAT,		/* nothing: the only word, as in the file */
    JSONIO_SCHEMA,		/* uint32_t from 1; greater than most: newer */
    JSONIO_OBJECT,		/* a struct with a table */
    JSONIO_ARRAY,		/* least..most of them, one behind the other */
    JSONIO_LIST,		/* a pointer to at most most of them */
};

/* What a missing or null key gives, beside 0, the first word, or NULL. */
enum jsonio_missing {
    JSONIO_ZERO,		/* or a none, where the kind has one */
    JSONIO_REQUIRED,		/* an error */
    JSONIO_TRUE,		/* a bool */
    JSONIO_FULL, JSONIO_EMPTY,	/* a set */
    JSONIO_UNREAD,		/* it is only written */
};

struct jsonio_field {
    const char *key;		/* NULL: see jsonio_table */
    enum jsonio_kind kind;
    size_t offset;		/* in the struct */
    double least, most;
    enum jsonio_missing missing;
    const char *const *words;	/* NULL at their end */
    const struct jsonio_table *table;	/* of an object, or the elements */
    size_t offset_nr;		/* of a list's length, a size_t */
    /* Append an element to a list, if not as usual; NULL: no memory. */
    void *(*add)(void *root, void *owner);
    /* Of a list that is elsewhere: an element, NULL behind the last.  It is
     * not freed with its owner. */
    const void *(*get)(const void *root, const void *owner, size_t index);
    /* Of a reference: the number in the file of what stands there. */
    uint32_t (*number)(const void *root, size_t position);
};

/*
 * At most 64 fields, in the order in which they are written.  One of a single
 * field that has no key is for elements that are not objects.
 */
struct jsonio_table {
    const struct jsonio_field *fields;
    size_t nr_fields;
    size_t bytes;		/* of the struct */
    /* Whether there is one: else it is null, or its array at an end. */
    bool (*there)(const void *object);
    /* What no single field can tell, when all are read. */
    void (*check)(struct jsonio_in *in, const void *object);
};

/*
 * Lines of a table; AT(member) has to be the member's offset, and further
 * arguments are the fields' that follow it.
 */
#define JSONIO_KEY(key_, kind_, member, ...) \
    { .key = (key_), JSONIO_ ## kind_, AT(member), ##__VA_ARGS__ }
#define JSONIO_TABLE(fields_, type) \
    .fields = (fields_), sizeof (fields_) / sizeof *(fields_), sizeof (type)

/* --- structs --------------------------------------------------------------- */

/* Give a zeroed struct its defaults.  Errors: -ENOMEM, and it is freed. */
int jsonio_init(const struct jsonio_table *table, void *object);

/* Free what it points to and is its own, and clear it. */
void jsonio_dispose(const struct jsonio_table *table, void *object);

/*
 * Append a zeroed element to owner->list, which grows by doubling and has its
 * length in owner->nr_list.  Returns it, good until the next is added; NULL:
 * no memory, or there are max already.
 */
#define JSONIO_ADD(owner, list, max) \
    jsonio_add(&(owner)->list, &(owner)->nr_ ## list, (max), \
               sizeof *(owner)->list)
void *jsonio_add(void *array_p, size_t *nr, size_t max, size_t element_bytes);

/* The same with its defaults. */
void *jsonio_add_new(const struct jsonio_table *table, void *array_p,
                     size_t *nr, size_t max);

/* --- reading --------------------------------------------------------------- */

/* More than any host needs. */
#define JSONIO_FILE_BYTES_MAX	(256U * 1024 * 1024)

/* What the structs, texts and sets of one file may take together. */
#define JSONIO_MEMORY_BYTES_MAX	(96U * 1024 * 1024)

/* Where a reader or checker is, for messages: "domains[3].vcpus[0]: ...". */
struct jsonio_place {
    const char *key;
    size_t index;		/* JSONIO_NO_INDEX: no list */
    const struct jsonio_place *up;
};

#define JSONIO_NO_INDEX SIZE_MAX

struct jsonio_in {
    int rc;			/* 0 or the first error */
    char *why;			/* its text; the caller frees it */
    const struct jsonio_place *place;
    void *root;			/* what is being read */
    struct jsonio_lex *lex;	/* NULL: a checker */
    size_t memory_bytes;	/* taken so far */
};

/*
 * Record an error; only the first one counts.  why stays NULL if there is no
 * memory for it.
 */
void jsonio_fail(struct jsonio_in *in, int rc, const char *format, ...)
    __attribute__((format(printf, 3, 4)));

void jsonio_no_memory(struct jsonio_in *in);

/*
 * The end of reading or checking: the text of an error is the caller's in
 * *why_r, or freed where that is NULL.  Returns in->rc.
 */
int jsonio_end(struct jsonio_in *in, char **why_r);

/*
 * Read one object that fills the text, which need not end in NUL, or the file
 * ("-": standard input).  root: has its defaults, and is half filled after an
 * error.
 * Errors: -EINVAL, -EPROTONOSUPPORT a newer schema, -E2BIG beyond a limit,
 * -ENOMEM, or what opening and reading gave.
 */
void jsonio_parse(struct jsonio_in *in, const struct jsonio_table *table,
                  void *root, const char *text, size_t bytes);
void jsonio_load(struct jsonio_in *in, const struct jsonio_table *table,
                 void *root, const char *path);

/* Fails where reading would have refused what is in it. */
void jsonio_check(struct jsonio_in *in, const struct jsonio_table *table,
                  const void *object);

/* Add a list "0-3,8" of numbers below max, or "all", to an empty set.
 * Errors: -EINVAL, -ENOMEM. */
int jsonio_set_parse(hwloc_bitmap_t set, const char *text, unsigned max);

/* --- writing --------------------------------------------------------------- */

struct jsonio_out {
    FILE *f;			/* the caller's, who alone heeds its errors;
				   or of text, by jsonio_begin */
    char *text;
    size_t bytes;
    unsigned depth;
    bool one_line;		/* no line breaks and no blanks */
    bool filled;		/* the innermost object or list is not empty */
};

/* Errors: -ENOMEM.  jsonio_done: *text_r ends in NUL, and but for one_line in
 * a newline.  Owns: caller. */
int jsonio_begin(struct jsonio_out *out);
int jsonio_done(struct jsonio_out *out, char **text_r);

/* bracket: { or [, and } or ]. */
void jsonio_open(struct jsonio_out *out, const char *key, char bracket);
void jsonio_close(struct jsonio_out *out, char bracket);

/* A field of the object that is open, or (key NULL) an element of the list. */
void jsonio_put_int(struct jsonio_out *out, const char *key, int64_t value);
void jsonio_put_bool(struct jsonio_out *out, const char *key, bool value);
/* NULL is null. */
void jsonio_put_text(struct jsonio_out *out, const char *key,
                     const char *text);
/* What is JSON already. */
void jsonio_put_raw(struct jsonio_out *out, const char *key,
                    const char *json);

/* An object by its table.  root: for references, and lists elsewhere. */
void jsonio_put(struct jsonio_out *out, const char *key,
                const struct jsonio_table *table, const void *root,
                const void *object);

/* A whole file: as text, or in its place, for its owner alone. */
int jsonio_format(const struct jsonio_table *table, const void *root,
                  char **text_r);
int jsonio_save(const struct jsonio_table *table, const void *root,
                const char *path);

/* --- files ----------------------------------------------------------------- */

/*
 * Write a file: a temporary one beside it, synced and renamed, so that an
 * error leaves the old file as it was.  mode: its permissions, less the umask.
 * "-" is standard output; what exists and is not a regular file is written to
 * directly.
 */
int jsonio_write_file(const char *path, const char *text, mode_t mode);

#endif
