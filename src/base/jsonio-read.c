/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Reading by tables. */
#include "base/jsonio.h"

#include "base/jsonio-lex.h"
#include "base/jsonio-table.h"
#include "base/parse.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

static void read_field(struct jsonio_in *in, const struct jsonio_field *field,
                       void *at);

/* What it takes is counted; beyond the limit it is not allocated. */
static bool afford(struct jsonio_in *in, size_t bytes)
{
    in->memory_bytes += bytes;
    if (in->memory_bytes <= JSONIO_MEMORY_BYTES_MAX)
        return true;
    jsonio_fail(in, -E2BIG, "more than %u MB in memory",
                JSONIO_MEMORY_BYTES_MAX >> 20);
    return false;
}

static bool must_be(struct jsonio_in *in, const struct jsonio_field *field,
                    const char *what)
{
    if (jsonio_lex_peek(in) < 0)
        jsonio_lex_skip(in);
    jsonio_field_fail(in, field, -EINVAL, "must be %s", what);
    return false;
}

/* The text itself, until the next is read. */
static const char *read_string(struct jsonio_in *in,
                               const struct jsonio_field *field)
{
    if (jsonio_lex_peek(in) != '"') {
        must_be(in, field, "a string");
        return NULL;
    }
    if (!jsonio_lex_string(in))
        return NULL;
    if (in->lex->text_ok)
        return in->lex->text;
    jsonio_field_fail(in, field, -EINVAL, "%s", JSONIO_TEXT_WRONG);
    return NULL;
}

static bool read_number(struct jsonio_in *in, const struct jsonio_field *field,
                        struct jsonio_number *number_r)
{
    bool real = field->kind == JSONIO_REAL;
    int c = jsonio_lex_peek(in);

    if (c != '-' && (c < '0' || c > '9'))
        return must_be(in, field, real ? "a number" : "a whole number");
    if (!jsonio_lex_number(in, number_r))
        return false;
    if (!real && !number_r->whole)
        return must_be(in, field, "a whole number");
    if (!real && number_r->negative && number_r->value) {
        jsonio_field_fail(in, field, -EINVAL, "must not be negative");
        return false;
    }
    return true;
}

static void read_whole(struct jsonio_in *in, const struct jsonio_field *field,
                       void *at)
{
    struct jsonio_number number;
    uint64_t most = UINT64_MAX;

    if (!read_number(in, field, &number))
        return;
    if (field->kind == JSONIO_TIME)
        most = INT64_MAX;
    else if (field->kind != JSONIO_U64)
        most = UINT32_MAX;
    if (number.over || number.value > most)
        jsonio_field_fail(in, field, -EINVAL, "out of range");
    else if (field->kind == JSONIO_REF)
        *(size_t *)at = number.value == UINT32_MAX ? SIZE_MAX : number.value;
    else if (most == UINT32_MAX)
        *(uint32_t *)at = (uint32_t)number.value;
    else
        *(uint64_t *)at = number.value;
}

static void read_real(struct jsonio_in *in, const struct jsonio_field *field,
                      void *at)
{
    struct jsonio_number number;

    if (read_number(in, field, &number))
        *(double *)at = number.real;
}

static void read_bool(struct jsonio_in *in, const struct jsonio_field *field,
                      void *at)
{
    int c = jsonio_lex_peek(in);

    if (c != 't' && c != 'f')
        must_be(in, field, "true or false");
    else if (jsonio_lex_word(in, c == 't' ? "true" : "false"))
        *(bool *)at = c == 't';
}

static void read_word(struct jsonio_in *in, const struct jsonio_field *field,
                      void *at)
{
    const char *text = read_string(in, field);
    char clean[41];
    unsigned i;

    for (i = 0; text && field->words[i]; i++) {
        if (strcmp(text, field->words[i]))
            continue;
        if (field->kind == JSONIO_WORD)
            *(unsigned *)at = i;
        return;
    }
    if (!text)
        return;
    parse_sanitise(text, clean, sizeof clean);
    if (field->kind == JSONIO_FORMAT)
        jsonio_not_format(in, field);
    else
        jsonio_field_fail(in, field, -EINVAL, "unknown word \"%s\"", clean);
}

static void read_text(struct jsonio_in *in, const struct jsonio_field *field,
                      void *at)
{
    const char *text = read_string(in, field);
    size_t bytes;

    if (!text)
        return;
    bytes = strlen(text) + 1;
    /* As malloc() counts them: 16 more, in steps of 16. */
    if (!afford(in, bytes + 24))
        return;
    *(char **)at = malloc(bytes);
    if (!*(char **)at)
        jsonio_no_memory(in);
    else
        memcpy(*(char **)at, text, bytes);
}

static void read_hex(struct jsonio_in *in, const struct jsonio_field *field,
                     void *at)
{
    const char *text = read_string(in, field);
    size_t nr = (size_t)field->most;

    if (!text || !*text)
        return;
    if (strlen(text) != nr ||
        strspn(text, "0123456789abcdefABCDEF") != nr)
        jsonio_field_fail(in, field, -EINVAL,
                          "must be %zu hexadecimal digits", nr);
    else
        memcpy(at, text, nr + 1);
}

static void read_bytes(struct jsonio_in *in, const struct jsonio_field *field,
                       uint8_t *at)
{
    bool uuid = field->kind == JSONIO_UUID;
    const char *text = read_string(in, field);

    if (text && parse_bytes(text, at, uuid ? 16 : 6, uuid ? '-' : ':',
                            uuid ? PARSE_UUID_BREAKS : 0x3e))
        jsonio_field_fail(in, field, -EINVAL, "malformed");
}

static void read_set(struct jsonio_in *in, const struct jsonio_field *field,
                     void *at)
{
    const char *text = read_string(in, field);
    hwloc_bitmap_t *set = at;
    int rc;

    if (!text || !afford(in, 160))
        return;
    if (!*set)
        *set = hwloc_bitmap_alloc();
    else
        hwloc_bitmap_zero(*set);
    rc = *set ? jsonio_set_parse(*set, text, (unsigned)field->most) : -ENOMEM;
    if (rc == -ENOMEM)
        jsonio_no_memory(in);
    else if (rc)
        jsonio_field_fail(in, field, rc, "not a list such as 0-3,8 below %u",
                          (unsigned)field->most);
    else if (hwloc_bitmap_last(*set) > 0)
        afford(in, (size_t)hwloc_bitmap_last(*set) / 4);
}

/* The field that the key names, or NULL; mostly they come in their order. */
static const struct jsonio_field *find(const struct jsonio_table *table,
                                       const struct jsonio_lex *lex,
                                       size_t *next)
{
    size_t i;

    for (i = 0; lex->text_ok && i < table->nr_fields; i++) {
        if (*next >= table->nr_fields)
            *next = 0;
        if (!strcmp(lex->text, table->fields[*next].key))
            return &table->fields[(*next)++];
        (*next)++;
    }
    return NULL;
}

static void read_keys(struct jsonio_in *in, const struct jsonio_table *table,
                      void *object)
{
    uint64_t there = 0, known = 0, bit;
    const struct jsonio_field *field;
    size_t next = 0;

    while (jsonio_lex_more(in, '}') && jsonio_lex_key(in)) {
        field = find(table, in->lex, &next);
        if (!field || field->missing == JSONIO_UNREAD) {
            jsonio_lex_skip(in);
            continue;
        }
        bit = (uint64_t)1 << (field - table->fields);
        if (there & bit)
            jsonio_field_fail(in, field, -EINVAL, "stands twice");
        there |= bit;
        if (jsonio_lex_peek(in) == 'n') {
            jsonio_lex_word(in, "null");
            continue;
        }
        known |= bit;
        read_field(in, field, (char *)object + field->offset);
    }
    for (field = table->fields; field < table->fields + table->nr_fields;
         field++)
        if (!(known >> (field - table->fields) & 1))
            jsonio_field_missing(in, field);
}

void jsonio_read_object(struct jsonio_in *in, const struct jsonio_table *table,
                        void *object)
{
    int c = jsonio_lex_peek(in);

    if (jsonio_is_plain(table)) {
        if (table->fields->kind == JSONIO_INDEX && c == 'n')
            jsonio_lex_word(in, "null");
        else
            read_field(in, table->fields, object);
    } else if (c != '{') {
        if (c < 0)
            jsonio_lex_skip(in);
        jsonio_fail(in, -EINVAL, in->lex->depth ? "must be an object"
                                                : "not a JSON object");
    } else if (jsonio_lex_open(in)) {
        read_keys(in, table, object);
        if (!in->rc && table->check)
            table->check(in, object);
    }
}

/* A new element at the end of a list. */
static void *add(struct jsonio_in *in, const struct jsonio_field *field,
                 void *at)
{
    char *owner = (char *)at - field->offset;
    void *element;

    /* Twice, as lists grow by doubling. */
    if (!afford(in, 2 * field->table->bytes))
        return NULL;
    if (field->kind == JSONIO_ARRAY)
        return (char *)at + in->place->index * field->table->bytes;
    if (field->add)
        element = field->add(in->root, owner);
    else
        element = jsonio_add_new(field->table, at,
                                 (size_t *)(owner + field->offset_nr),
                                 (size_t)field->most);
    if (!element)
        jsonio_no_memory(in);
    return element;
}

static void read_list(struct jsonio_in *in, const struct jsonio_field *field,
                      void *at)
{
    struct jsonio_place place = { field->key, 0, in->place };
    void *element;

    if (jsonio_lex_peek(in) != '[') {
        must_be(in, field, "a list");
        return;
    }
    if (!jsonio_lex_open(in))
        return;
    while (jsonio_lex_more(in, ']')) {
        if ((double)place.index >= field->most) {
            jsonio_field_fail(in, field, -E2BIG, "more than %.0f entries",
                              field->most);
            return;
        }
        in->place = &place;
        element = add(in, field, at);
        if (element)
            jsonio_read_object(in, field->table, element);
        if (in->rc)
            return;
        in->place = place.up;
        place.index++;
    }
    if ((double)place.index < field->least)
        jsonio_too_few(in, field);
}

/* The value of a key that is there and not null. */
static void read_field(struct jsonio_in *in, const struct jsonio_field *field,
                       void *at)
{
    struct jsonio_place place = { field->key, JSONIO_NO_INDEX, in->place };

    switch (field->kind) {
    case JSONIO_BOOL:
        read_bool(in, field, at);
        break;
    case JSONIO_REAL:
        read_real(in, field, at);
        break;
    case JSONIO_WORD:
    case JSONIO_FORMAT:
        read_word(in, field, at);
        break;
    case JSONIO_TEXT:
        read_text(in, field, at);
        break;
    case JSONIO_HEX:
        read_hex(in, field, at);
        break;
    case JSONIO_UUID:
    case JSONIO_MAC:
        read_bytes(in, field, at);
        break;
    case JSONIO_SET:
        read_set(in, field, at);
        break;
    case JSONIO_OBJECT:
        in->place = &place;
        jsonio_read_object(in, field->table, at);
        in->place = place.up;
        break;
    case JSONIO_ARRAY:
    case JSONIO_LIST:
        read_list(in, field, at);
        break;
    default:
        read_whole(in, field, at);
        break;
    }
    if (!in->rc)
        jsonio_check_value(in, field, at);
}
