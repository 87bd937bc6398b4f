/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Strict reading and plain writing of JSON, on json-c.
 *
 * Both directions keep the first error and ignore what follows, so that a
 * loader is a list of fields with one check at its end.  Everything read is
 * untrusted: wrong types, numbers out of range and text with control
 * characters are errors that name the place.  Nothing is printed, except that
 * jsonio_write_file writes to standard output when told so.
 */
#ifndef SHMLINK_BASE_JSONIO_H
#define SHMLINK_BASE_JSONIO_H

#include <hwloc.h>
#include <json-c/json.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

/* Where a reader is, for messages: "domains[3].vcpus: ...". */
struct jsonio_in {
    int rc;			/* 0 or the first error */
    char *why;			/* its text; the caller frees it */
    const char *list;		/* name of the array being read, or NULL */
    size_t index;
    struct json_object *items;	/* of jsonio_first() */
    size_t next, nr_items;
};

struct jsonio_out {
    int rc;			/* 0 or -ENOMEM */
};

/*
 * Record an error; only the first one counts.  why stays NULL if there is no
 * memory for it.
 */
void jsonio_fail(struct jsonio_in *in, int rc, const char *format, ...)
    __attribute__((format(printf, 3, 4)));

void jsonio_no_memory(struct jsonio_in *in);

/*
 * The end of reading: the text of an error is the caller's in *why_r, or freed
 * where that is NULL.  Returns in->rc.
 */
int jsonio_end(struct jsonio_in *in, char **why_r);

/*
 * Parse one object that fills the text.  max: of bytes, at most INT_MAX.
 * Errors: -EINVAL, -E2BIG, -ENOMEM.  Owns: caller, json_object_put().
 */
struct json_object *jsonio_parse(struct jsonio_in *in, const char *text,
                                 size_t bytes, size_t max);

/*
 * What a file of ours begins with: "format", and "schema", which is counted up
 * when fields change their meaning.  format: "shmlink-NAME"; messages call the
 * file a NAME.  schema: the newest known, from 1.
 * Errors: -EINVAL another format, -EPROTONOSUPPORT a newer schema.
 */
void jsonio_format(struct jsonio_in *in, struct json_object *root,
                   const char *format, unsigned schema);

/*
 * A field of object.  A missing or null one gives `missing`, which is an
 * error if it is not within min..max.
 */
uint64_t jsonio_uint(struct jsonio_in *in, struct json_object *object,
                     const char *key, uint64_t min, uint64_t max,
                     uint64_t missing);
double jsonio_real(struct jsonio_in *in, struct json_object *object,
                   const char *key, double min, double max, double missing);
bool jsonio_bool(struct jsonio_in *in, struct json_object *object,
                 const char *key, bool missing);

/* An index, UINT32_MAX when missing or null: there is none. */
uint32_t jsonio_index(struct jsonio_in *in, struct json_object *object,
                      const char *key);

/* Index of the word in names[]; -> 0 on error or when missing. */
unsigned jsonio_word(struct jsonio_in *in, struct json_object *object,
                     const char *key, const char *const *names,
                     unsigned nr_names);

/*
 * A copy of the text, NULL if missing.  Length at most 1023 bytes.
 * Owns: caller.
 */
char *jsonio_text(struct jsonio_in *in, struct json_object *object,
                  const char *key);

/* Add a list "0-3,8" of numbers below max, or "all", to an empty set.
 * Errors: -EINVAL, -ENOMEM. */
int jsonio_set_parse(hwloc_bitmap_t set, const char *text, unsigned max);

/* A set "0-3,8" of numbers below max, or "all"; NULL if missing. */
hwloc_bitmap_t jsonio_set(struct jsonio_in *in, struct json_object *object,
                          const char *key, unsigned max);

/* Required; bytes in their usual spelling with - or :. */
void jsonio_uuid(struct jsonio_in *in, struct json_object *object,
                 const char *key, uint8_t uuid[16]);
void jsonio_mac(struct jsonio_in *in, struct json_object *object,
                const char *key, uint8_t mac[6]);

/* Hexadecimal digits, exactly `digits`, or "" if missing. */
void jsonio_hex(struct jsonio_in *in, struct json_object *object,
                const char *key, char *text, size_t digits);

/*
 * The array and its length, 0 if missing or not an array; more than max is
 * -E2BIG.
 */
struct json_object *jsonio_list(struct jsonio_in *in,
                                struct json_object *object, const char *key,
                                size_t max, size_t *nr_r);

/* Element of an array, must be an object. */
struct json_object *jsonio_item(struct jsonio_in *in,
                                struct json_object *list, size_t index);

/*
 * The elements of a list one after the other, which must be objects; NULL after
 * the last one, or the first error.  Until then in->list and in->index have
 * the place; lists within are read with jsonio_list() and jsonio_item().
 */
struct json_object *jsonio_first(struct jsonio_in *in,
                                 struct json_object *object, const char *key,
                                 size_t max);
struct json_object *jsonio_next(struct jsonio_in *in);

/* Is this text free of control characters, and at most 1023 bytes? */
bool jsonio_text_ok(const char *text);

/* Writers: add a field to object, or (key NULL) an element to an array. */
void jsonio_put(struct jsonio_out *out, struct json_object *object,
                const char *key, struct json_object *value);
void jsonio_put_null(struct jsonio_out *out, struct json_object *object,
                     const char *key);
void jsonio_put_uint(struct jsonio_out *out, struct json_object *object,
                     const char *key, uint64_t value);
/* null for UINT32_MAX. */
void jsonio_put_index(struct jsonio_out *out, struct json_object *object,
                      const char *key, uint32_t index);
void jsonio_put_real(struct jsonio_out *out, struct json_object *object,
                     const char *key, double value);
void jsonio_put_bool(struct jsonio_out *out, struct json_object *object,
                     const char *key, bool value);
void jsonio_put_text(struct jsonio_out *out, struct json_object *object,
                     const char *key, const char *text);
void jsonio_put_set(struct jsonio_out *out, struct json_object *object,
                    const char *key, hwloc_const_bitmap_t set);
void jsonio_put_uuid(struct jsonio_out *out, struct json_object *object,
                     const char *key, const uint8_t uuid[16]);
void jsonio_put_mac(struct jsonio_out *out, struct json_object *object,
                    const char *key, const uint8_t mac[6]);

/* A new object or array that has been added; NULL on error, which the other
 * writers take. */
struct json_object *jsonio_put_object(struct jsonio_out *out,
                                      struct json_object *object,
                                      const char *key);
struct json_object *jsonio_put_list(struct jsonio_out *out,
                                    struct json_object *object,
                                    const char *key);

/* Begin a file of ours, with what jsonio_format() reads.  Returns the root.
 * Owns: caller, until jsonio_render(). */
struct json_object *jsonio_begin(struct jsonio_out *out, const char *format,
                                 unsigned schema);

/* Text of the whole, newline at its end; frees root.  Returns the first
 * error of all that was put.  Owns: caller. */
int jsonio_render(struct jsonio_out *out, struct json_object *root,
                  char **text_r);

/*
 * Read a file of at most max bytes; *text_r ends in NUL; "-" is standard
 * input.  Errors: -E2BIG, -ENOMEM, or what open and read gave.
 */
int jsonio_read_file(const char *path, size_t max, char **text_r,
                     size_t *bytes_r);

/*
 * Write a file: a temporary one beside it, synced and renamed, so that an
 * error leaves the old file as it was.  mode: its permissions, less the umask.
 * "-" is standard output; what exists and is not a regular file is written to
 * directly.
 */
int jsonio_write_file(const char *path, const char *text, mode_t mode);

/*
 * Append a zeroed element to owner->list, which grows by doubling and has its
 * length in owner->nr_list.  Returns it, good until the next is added; NULL:
 * no memory, or there are max already.
 */
#define JSONIO_ADD(owner, list, max) \
    jsonio_add(&(owner)->list, &(owner)->nr_ ## list, (max), \
               sizeof *(owner)->list)
void *jsonio_add(void *array_p, size_t *nr, size_t max, size_t element_bytes);

#endif
