/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Structs by their tables: defaults, checking, freeing. */
#include "base/jsonio-table.h"

#include "base/text.h"

#include <errno.h>
#include <math.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#define FOR_FIELDS(field, table) \
    for (field = (table)->fields; field < (table)->fields + \
         (table)->nr_fields; field++)

/* --- errors ---------------------------------------------------------------- */
static void print_place(FILE *f, const struct jsonio_place *place)
{
    if (place->up)
        print_place(f, place->up);
    fprintf(f, "%s%s", place->up ? "." : "", place->key);
    if (place->index != JSONIO_NO_INDEX)
        fprintf(f, "[%zu]", place->index);
}

static void fail(struct jsonio_in *in, const char *key, int rc,
                 const char *format, va_list args)
{
    size_t bytes = 0;
    FILE *f;

    if (in->rc)
        return;
    in->rc = rc;
    f = open_memstream(&in->why, &bytes);
    if (!f)
        return;
    if (in->place) {
        print_place(f, in->place);
        fprintf(f, ": ");
    }
    if (key)
        fprintf(f, "%s: ", key);
    vfprintf(f, format, args);
    fclose(f);
}

void jsonio_fail(struct jsonio_in *in, int rc, const char *format, ...)
{
    va_list args;

    va_start(args, format);
    fail(in, NULL, rc, format, args);
    va_end(args);
}

void jsonio_field_fail(struct jsonio_in *in, const struct jsonio_field *field,
                       int rc, const char *format, ...)
{
    va_list args;

    va_start(args, format);
    fail(in, field->key, rc, format, args);
    va_end(args);
}

void jsonio_no_memory(struct jsonio_in *in)
{
    jsonio_fail(in, -ENOMEM, "no memory");
}

int jsonio_end(struct jsonio_in *in, char **why_r)
{
    if (in->rc && why_r)
        *why_r = in->why;
    else
        free(in->why);
    in->why = NULL;
    return in->rc;
}

void jsonio_not_format(struct jsonio_in *in, const struct jsonio_field *field)
{
    jsonio_fail(in, -EINVAL, "not a %s", strchr(field->words[0], '-') + 1);
}

void jsonio_too_few(struct jsonio_in *in, const struct jsonio_field *field)
{
    if (field->least < field->most)
        jsonio_field_fail(in, field, -EINVAL, "must have %.0f to %.0f entries",
                          field->least, field->most);
    else
        jsonio_field_fail(in, field, -EINVAL, "must have %.0f entries",
                          field->most);
}

void jsonio_field_missing(struct jsonio_in *in,
                          const struct jsonio_field *field)
{
    if (field->kind == JSONIO_FORMAT)
        jsonio_not_format(in, field);
    else if (field->kind == JSONIO_ARRAY && field->least > 0)
        jsonio_too_few(in, field);
    else if (field->missing == JSONIO_REQUIRED)
        jsonio_field_fail(in, field, -EINVAL, "missing");
}

/* --- lists ----------------------------------------------------------------- */
void *jsonio_add(void *array_p, size_t *nr, size_t max, size_t element_bytes)
{
    void **array = array_p;
    size_t room;
    char *more;

    if (*nr >= max)
        return NULL;
    /* Full exactly when nr is 0 or a power of two from 16 on. */
    if (!*nr || (*nr >= 16 && !(*nr & (*nr - 1)))) {
        room = *nr ? *nr * 2 : 16;
        more = realloc(*array, room * element_bytes);
        if (!more)
            return NULL;
        memset(more + *nr * element_bytes, 0, (room - *nr) * element_bytes);
        *array = more;
    }
    return (char *)*array + (*nr)++ * element_bytes;
}

void *jsonio_add_new(const struct jsonio_table *table, void *array_p,
                     size_t *nr, size_t max)
{
    void *element = jsonio_add(array_p, nr, max, table->bytes);

    if (element && jsonio_init(table, element)) {
        (*nr)--;
        return NULL;
    }
    return element;
}

const void *jsonio_element(const struct jsonio_field *field, const void *root,
                           const void *owner, size_t index)
{
    const char *at = (const char *)owner + field->offset;
    const char *element;

    if (field->get)
        return field->get(root, owner, index);
    if (field->kind == JSONIO_LIST)
        return index < *(const size_t *)((const char *)owner +
                                         field->offset_nr)
                   ? *(char *const *)at + index * field->table->bytes : NULL;
    element = at + index * field->table->bytes;
    return (double)index < field->most &&
           (!field->table->there || field->table->there(element)) ? element
                                                                  : NULL;
}

/* --- defaults and freeing -------------------------------------------------- */
int jsonio_init(const struct jsonio_table *table, void *object)
{
    const struct jsonio_field *field;
    hwloc_bitmap_t set;
    unsigned i;
    void *at;
    int rc = 0;

    FOR_FIELDS(field, table) {
        at = (char *)object + field->offset;
        if (field->missing == JSONIO_TRUE) {
            *(bool *)at = true;
        } else if (field->kind == JSONIO_INDEX) {
            *(uint32_t *)at = UINT32_MAX;
        } else if (field->kind == JSONIO_REF) {
            *(size_t *)at = SIZE_MAX;
        } else if (field->kind == JSONIO_SCHEMA) {
            *(uint32_t *)at = (uint32_t)field->most;
        } else if (field->missing == JSONIO_FULL ||
                   field->missing == JSONIO_EMPTY) {
            set = field->missing == JSONIO_FULL ? hwloc_bitmap_alloc_full()
                                                : hwloc_bitmap_alloc();
            *(hwloc_bitmap_t *)at = set;
            rc = rc || !set ? -ENOMEM : 0;
        } else if (field->kind == JSONIO_OBJECT ||
                   field->kind == JSONIO_ARRAY) {
            for (i = 0; i < (field->kind == JSONIO_ARRAY ? field->most : 1);
                 i++)
                rc = rc ? rc : jsonio_init(field->table, (char *)at +
                                           i * field->table->bytes);
        }
    }
    if (rc)
        jsonio_dispose(table, object);
    return rc;
}

static void free_list(const struct jsonio_field *field, char *owner)
{
    void **array = (void **)(owner + field->offset);
    size_t *nr = (size_t *)(owner + field->offset_nr), i;

    for (i = 0; i < *nr; i++)
        jsonio_dispose(field->table,
                       (char *)*array + i * field->table->bytes);
    free(*array);
    *array = NULL;
    *nr = 0;
}

void jsonio_dispose(const struct jsonio_table *table, void *object)
{
    const struct jsonio_field *field;
    unsigned i;
    char *at;

    FOR_FIELDS(field, table) {
        at = (char *)object + field->offset;
        if (field->kind == JSONIO_TEXT) {
            free(*(char **)at);
            *(char **)at = NULL;
        } else if (field->kind == JSONIO_SET) {
            hwloc_bitmap_free(*(hwloc_bitmap_t *)at);
            *(hwloc_bitmap_t *)at = NULL;
        } else if (field->kind == JSONIO_OBJECT) {
            jsonio_dispose(field->table, at);
        } else if (field->kind == JSONIO_ARRAY) {
            for (i = 0; i < field->most; i++)
                jsonio_dispose(field->table, at + i * field->table->bytes);
        } else if (field->kind == JSONIO_LIST && !field->get) {
            free_list(field, object);
        }
    }
}

/* --- checking -------------------------------------------------------------- */
static bool number_ok(const struct jsonio_field *field, double value)
{
    return isfinite(value) && value >= field->least && value <= field->most;
}

static bool set_ok(const struct jsonio_field *field, hwloc_const_bitmap_t set)
{
    int last = hwloc_bitmap_last(set);

    return hwloc_bitmap_isfull(set) || hwloc_bitmap_iszero(set) ||
           (last >= 0 && last < field->most);
}

static unsigned nr_words(const struct jsonio_field *field)
{
    unsigned nr = 0;

    while (field->words[nr])
        nr++;
    return nr;
}

static const char *text_wrong(const char *text)
{
    return text_ok(text) ? NULL : JSONIO_TEXT_WRONG;
}

/* What is wrong with a value, NULL if nothing is. */
static const char *value_wrong(const struct jsonio_field *field,
                               const void *at)
{
    bool required = field->missing != JSONIO_ZERO, ok = true;

    switch (field->kind) {
    case JSONIO_U32:
        ok = number_ok(field, *(const uint32_t *)at);
        break;
    case JSONIO_INDEX:
        ok = *(const uint32_t *)at == UINT32_MAX
                 ? !required : number_ok(field, *(const uint32_t *)at);
        break;
    case JSONIO_TIME:
        ok = *(const int64_t *)at >= 0;
        break;
    case JSONIO_REAL:
        ok = number_ok(field, *(const double *)at);
        break;
    case JSONIO_WORD:
        ok = *(const unsigned *)at < nr_words(field);
        break;
    case JSONIO_TEXT:
        if (*(char *const *)at)
            return text_wrong(*(char *const *)at);
        return required ? "missing" : NULL;
    case JSONIO_SET:
        if (!*(const hwloc_bitmap_t *)at)
            return required ? "missing" : NULL;
        ok = set_ok(field, *(const hwloc_bitmap_t *)at);
        break;
    default:
        break;
    }
    return ok ? NULL : "out of range";
}

void jsonio_check_value(struct jsonio_in *in, const struct jsonio_field *field,
                        const void *at)
{
    const char *wrong = value_wrong(field, at);
    uint32_t schema;

    if (wrong)
        jsonio_field_fail(in, field, -EINVAL, "%s", wrong);
    if (field->kind != JSONIO_SCHEMA)
        return;
    schema = *(const uint32_t *)at;
    if (schema > field->most)
        jsonio_field_fail(in, field, -EPROTONOSUPPORT, "%u is beyond the "
                          "%.0f that this program knows: use a newer one",
                          schema, field->most);
    else if (!schema)
        jsonio_field_fail(in, field, -EINVAL, "out of range");
}

static void check_object(struct jsonio_in *in,
                         const struct jsonio_table *table, const void *object);

static void check_field(struct jsonio_in *in, const struct jsonio_field *field,
                        const void *owner)
{
    struct jsonio_place place = { field->key, JSONIO_NO_INDEX, in->place };
    const void *element;

    in->place = &place;
    if (field->kind == JSONIO_OBJECT) {
        check_object(in, field->table, (const char *)owner + field->offset);
        in->place = place.up;
        return;
    }
    for (place.index = 0; !in->rc; place.index++) {
        element = jsonio_element(field, in->root, owner, place.index);
        if (!element)
            break;
        check_object(in, field->table, element);
    }
    in->place = place.up;
    if ((double)place.index < field->least)
        jsonio_too_few(in, field);
}

static void check_object(struct jsonio_in *in,
                         const struct jsonio_table *table, const void *object)
{
    const struct jsonio_field *field;

    FOR_FIELDS(field, table) {
        if (field->kind == JSONIO_OBJECT || field->kind == JSONIO_ARRAY ||
            field->kind == JSONIO_LIST)
            check_field(in, field, object);
        else
            jsonio_check_value(in, field, (const char *)object +
                               field->offset);
    }
    if (table->check && !in->rc)
        table->check(in, object);
}

void jsonio_check(struct jsonio_in *in, const struct jsonio_table *table,
                  const void *object)
{
    /* Hooks get what a reader's do, and change nothing. */
    in->root = (void *)(uintptr_t)object;
    check_object(in, table, object);
    in->root = NULL;
}
