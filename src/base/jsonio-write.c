/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "base/jsonio-table.h"

#include "base/uuid.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

int jsonio_begin(struct jsonio_out *out)
{
    out->f = open_memstream(&out->text, &out->bytes);
    return out->f ? 0 : -ENOMEM;
}

int jsonio_done(struct jsonio_out *out, char **text_r)
{
    bool failed;

    if (!out->one_line)
        fputc('\n', out->f);
    failed = ferror(out->f);
    if (fclose(out->f) || failed) {
        free(out->text);
        return -ENOMEM;
    }
    *text_r = out->text;
    return 0;
}

static void new_line(struct jsonio_out *out)
{
    if (!out->one_line)
        fprintf(out->f, "\n%*s", (int)(2 * out->depth), "");
}

static void put_string(struct jsonio_out *out, const char *text)
{
    const unsigned char *c;

    fputc('"', out->f);
    for (c = (const unsigned char *)text; *c; c++) {
        if (*c == '"' || *c == '\\')
            fprintf(out->f, "\\%c", *c);
        else if (*c < 0x20)
            fprintf(out->f, "\\u%04x", *c);
        else
            fputc(*c, out->f);
    }
    fputc('"', out->f);
}

/* What stands before a value. */
static void begin(struct jsonio_out *out, const char *key)
{
    if (out->filled)
        fputc(',', out->f);
    if (out->depth)
        new_line(out);
    out->filled = true;
    if (!key)
        return;
    put_string(out, key);
    fputs(out->one_line ? ":" : ": ", out->f);
}

void jsonio_open(struct jsonio_out *out, const char *key, char bracket)
{
    begin(out, key);
    fputc(bracket, out->f);
    out->depth++;
    out->filled = false;
}

void jsonio_close(struct jsonio_out *out, char bracket)
{
    out->depth--;
    if (out->filled)
        new_line(out);
    fputc(bracket, out->f);
    out->filled = true;
}

void jsonio_put_raw(struct jsonio_out *out, const char *key, const char *json)
{
    begin(out, key);
    fputs(json, out->f);
}

void jsonio_put_int(struct jsonio_out *out, const char *key, int64_t value)
{
    begin(out, key);
    fprintf(out->f, "%lld", (long long)value);
}

static void put_uint(struct jsonio_out *out, const char *key, uint64_t value)
{
    begin(out, key);
    fprintf(out->f, "%llu", (unsigned long long)value);
}

/*
 * The fewest digits that are read as the same number again, so that a plan
 * from a file is the plan from the host: 15 are kept by every double, and
 * show no more than there are.
 */
static void put_real(struct jsonio_out *out, const char *key, double value)
{
    char text[40];
    int digits;

    begin(out, key);
    for (digits = 15; digits <= 17; digits++) {
        snprintf(text, sizeof text, "%.*g", digits, value);
        if (strtod(text, NULL) == value)
            break;
    }
    fputs(text, out->f);
}

void jsonio_put_bool(struct jsonio_out *out, const char *key, bool value)
{
    jsonio_put_raw(out, key, value ? "true" : "false");
}

void jsonio_put_text(struct jsonio_out *out, const char *key,
                     const char *text)
{
    if (!text) {
        jsonio_put_raw(out, key, "null");
        return;
    }
    begin(out, key);
    put_string(out, text);
}

static void put_set(struct jsonio_out *out, const char *key,
                    hwloc_const_bitmap_t set)
{
    int first, last = -1;

    if (!set || hwloc_bitmap_isfull(set)) {
        jsonio_put_text(out, key, set ? "all" : NULL);
        return;
    }
    begin(out, key);
    fputc('"', out->f);
    while ((first = hwloc_bitmap_next(set, last)) >= 0) {
        fprintf(out->f, "%s%d", last >= 0 ? "," : "", first);
        last = hwloc_bitmap_next_unset(set, first) - 1;
        if (last > first)
            fprintf(out->f, "-%d", last);
        else if (last < first)
            break;
    }
    fputc('"', out->f);
}

static void put_bytes(struct jsonio_out *out, const struct jsonio_field *field,
                      const uint8_t *at)
{
    char text[UUID_TEXT_BYTES];

    if (field->kind == JSONIO_UUID)
        uuid_text(at, text);
    else
        snprintf(text, sizeof text, "%02x:%02x:%02x:%02x:%02x:%02x", at[0],
                 at[1], at[2], at[3], at[4], at[5]);
    jsonio_put_text(out, field->key, text);
}

static void put_list(struct jsonio_out *out, const struct jsonio_field *field,
                     const void *root, const void *owner)
{
    const void *element;
    size_t i;

    jsonio_open(out, field->key, '[');
    for (i = 0; (element = jsonio_element(field, root, owner, i)); i++)
        jsonio_put(out, NULL, field->table, root, element);
    jsonio_close(out, ']');
}

static void put_number(struct jsonio_out *out,
                       const struct jsonio_field *field, const void *root,
                       const void *at)
{
    uint64_t number, none = UINT64_MAX;
    size_t position;

    switch (field->kind) {
    case JSONIO_U64:
        number = *(const uint64_t *)at;
        put_uint(out, field->key, number);
        return;
    case JSONIO_REF:
        position = *(const size_t *)at;
        number = position == SIZE_MAX ? none : field->number(root, position);
        break;
    case JSONIO_INDEX:
        number = *(const uint32_t *)at;
        none = UINT32_MAX;
        break;
    default:
        number = *(const uint32_t *)at;
        break;
    }
    if (number == none)
        jsonio_put_text(out, field->key, NULL);
    else
        put_uint(out, field->key, number);
}

static void put_field(struct jsonio_out *out, const struct jsonio_field *field,
                      const void *root, const void *owner)
{
    const void *at = (const char *)owner + field->offset;

    switch (field->kind) {
    case JSONIO_BOOL:
        jsonio_put_bool(out, field->key, *(const bool *)at);
        break;
    case JSONIO_TIME:
        jsonio_put_int(out, field->key, *(const int64_t *)at);
        break;
    case JSONIO_REAL:
        put_real(out, field->key, *(const double *)at);
        break;
    case JSONIO_WORD:
        jsonio_put_text(out, field->key,
                        field->words[*(const unsigned *)at]);
        break;
    case JSONIO_FORMAT:
        jsonio_put_text(out, field->key, field->words[0]);
        break;
    case JSONIO_TEXT:
        jsonio_put_text(out, field->key, *(char *const *)at);
        break;
    case JSONIO_HEX:
        jsonio_put_text(out, field->key,
                        *(const char *)at ? (const char *)at : NULL);
        break;
    case JSONIO_UUID:
    case JSONIO_MAC:
        put_bytes(out, field, at);
        break;
    case JSONIO_SET:
        put_set(out, field->key, *(const hwloc_bitmap_t *)at);
        break;
    case JSONIO_OBJECT:
        jsonio_put(out, field->key, field->table, root, at);
        break;
    case JSONIO_ARRAY:
    case JSONIO_LIST:
        put_list(out, field, root, owner);
        break;
    default:
        put_number(out, field, root, at);
        break;
    }
}

void jsonio_put(struct jsonio_out *out, const char *key,
                const struct jsonio_table *table, const void *root,
                const void *object)
{
    size_t i;

    if (jsonio_is_plain(table)) {
        put_field(out, table->fields, root, object);
        return;
    }
    if (table->there && !table->there(object)) {
        jsonio_put_text(out, key, NULL);
        return;
    }
    jsonio_open(out, key, '{');
    for (i = 0; i < table->nr_fields; i++)
        put_field(out, &table->fields[i], root, object);
    jsonio_close(out, '}');
}

int jsonio_format(const struct jsonio_table *table, const void *root,
                  char **text_r)
{
    struct jsonio_out out = { 0 };

    if (jsonio_begin(&out))
        return -ENOMEM;
    jsonio_put(&out, NULL, table, root, root);
    return jsonio_done(&out, text_r);
}

int jsonio_save(const struct jsonio_table *table, const void *root,
                const char *path)
{
    char *text = NULL;
    int rc = jsonio_format(table, root, &text) ?:
             jsonio_write_file(path, text, 0600);

    free(text);
    return rc;
}
