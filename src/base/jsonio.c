/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "base/jsonio.h"

#include <ctype.h>
#include <errno.h>
#include <math.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define TEXT_BYTES_MAX 1023

void jsonio_fail(struct jsonio_in *in, int rc, const char *format, ...)
{
    char *text = NULL, *why = NULL;
    va_list args;
    int r;

    if (in->rc)
        return;
    in->rc = rc;

    va_start(args, format);
    r = vasprintf(&text, format, args);
    va_end(args);
    if (r < 0)
        return;

    if (in->list)
        r = asprintf(&why, "%s[%zu]: %s", in->list, in->index, text);
    else
        why = text;
    in->why = r < 0 ? NULL : why;
    if (why != text)
        free(text);
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
    return in->rc;
}

/* The field, or NULL when it is missing, null, or there was an error. */
static struct json_object *field(struct jsonio_in *in,
                                 struct json_object *object, const char *key,
                                 enum json_type type, const char *what)
{
    struct json_object *value = NULL;

    if (in->rc || !json_object_object_get_ex(object, key, &value) || !value)
        return NULL;
    if (json_object_is_type(value, type))
        return value;
    /* A whole number is a real one too. */
    if (type == json_type_double && json_object_is_type(value, json_type_int))
        return value;
    jsonio_fail(in, -EINVAL, "%s: must be %s", key, what);
    return NULL;
}

uint64_t jsonio_uint(struct jsonio_in *in, struct json_object *object,
                     const char *key, uint64_t min, uint64_t max,
                     uint64_t missing)
{
    struct json_object *value;
    uint64_t number = missing;

    value = field(in, object, key, json_type_int, "a whole number");
    if (in->rc)
        return min;
    if (value) {
        if (json_object_get_int64(value) < 0) {
            jsonio_fail(in, -EINVAL, "%s: must not be negative", key);
            return min;
        }
        number = json_object_get_uint64(value);
    }
    if (number < min || number > max) {
        jsonio_fail(in, -EINVAL, "%s: %s", key,
                    value ? "out of range" : "missing");
        return min;
    }
    return number;
}

uint32_t jsonio_index(struct jsonio_in *in, struct json_object *object,
                      const char *key)
{
    return (uint32_t)jsonio_uint(in, object, key, 0, UINT32_MAX, UINT32_MAX);
}

double jsonio_real(struct jsonio_in *in, struct json_object *object,
                   const char *key, double min, double max, double missing)
{
    struct json_object *value;
    double number = missing;

    value = field(in, object, key, json_type_double, "a number");
    if (in->rc)
        return min;
    if (value)
        number = json_object_get_double(value);
    if (!isfinite(number) || number < min || number > max) {
        jsonio_fail(in, -EINVAL, "%s: %s", key,
                    value ? "out of range" : "missing");
        return min;
    }
    return number;
}

bool jsonio_bool(struct jsonio_in *in, struct json_object *object,
                 const char *key, bool missing)
{
    struct json_object *value;

    value = field(in, object, key, json_type_boolean, "true or false");
    return value ? json_object_get_boolean(value) : missing;
}

/* The text itself, valid as long as object is. */
static const char *string(struct jsonio_in *in, struct json_object *object,
                          const char *key)
{
    struct json_object *value;
    const char *text;

    value = field(in, object, key, json_type_string, "a string");
    if (!value)
        return NULL;
    text = json_object_get_string(value);
    if (strlen(text) != (size_t)json_object_get_string_len(value) ||
        !jsonio_text_ok(text)) {
        jsonio_fail(in, -EINVAL,
                    "%s: too long, or with control characters", key);
        return NULL;
    }
    return text;
}

void jsonio_format(struct jsonio_in *in, struct json_object *root,
                   const char *format, unsigned schema)
{
    const char *name = strchr(format, '-') + 1;
    const char *found = string(in, root, "format");
    uint64_t has = jsonio_uint(in, root, "schema", 1, UINT32_MAX, 0);

    if (!in->rc && (!found || strcmp(found, format)))
        jsonio_fail(in, -EINVAL, "not a %s", name);
    else if (!in->rc && has > schema)
        jsonio_fail(in, -EPROTONOSUPPORT, "the %s has schema %llu, this "
                    "program knows up to %u: use a newer one", name,
                    (unsigned long long)has, schema);
}

unsigned jsonio_word(struct jsonio_in *in, struct json_object *object,
                     const char *key, const char *const *names,
                     unsigned nr_names)
{
    const char *text = string(in, object, key);
    unsigned i;

    if (!text)
        return 0;
    for (i = 0; i < nr_names; i++)
        if (names[i] && !strcmp(text, names[i]))
            return i;
    jsonio_fail(in, -EINVAL, "%s: unknown word \"%.40s\"", key, text);
    return 0;
}

char *jsonio_text(struct jsonio_in *in, struct json_object *object,
                  const char *key)
{
    const char *text = string(in, object, key);
    char *copy;

    if (!text)
        return NULL;
    copy = strdup(text);
    if (!copy)
        jsonio_no_memory(in);
    return copy;
}

/* A number below max at *text, which is moved on; -1: there is none. */
static long set_number(const char **text, unsigned max)
{
    unsigned long number = 0;

    if (!isdigit((unsigned char)**text))
        return -1;
    while (isdigit((unsigned char)**text)) {
        number = number * 10 + (unsigned long)(*(*text)++ - '0');
        if (number >= max)
            return -1;
    }
    return (long)number;
}

/* hwloc's own parser takes "0-" and numbers that cost gigabytes. */
int jsonio_set_parse(hwloc_bitmap_t set, const char *text, unsigned max)
{
    long first, last;

    if (!strcmp(text, "all")) {
        hwloc_bitmap_fill(set);
        return 0;
    }
    while (*text) {
        first = last = set_number(&text, max);
        if (first >= 0 && *text == '-') {
            text++;
            last = set_number(&text, max);
        }
        if (first < 0 || last < first)
            return -EINVAL;
        if (hwloc_bitmap_set_range(set, (unsigned)first, (int)last))
            return -ENOMEM;
        if (!*text)
            break;
        if (*text++ != ',' || !*text)
            return -EINVAL;
    }
    return 0;
}

hwloc_bitmap_t jsonio_set(struct jsonio_in *in, struct json_object *object,
                          const char *key, unsigned max)
{
    const char *text = string(in, object, key);
    hwloc_bitmap_t set;
    int rc;

    if (!text)
        return NULL;
    set = hwloc_bitmap_alloc();
    rc = set ? jsonio_set_parse(set, text, max) : -ENOMEM;
    if (!rc)
        return set;
    if (rc == -ENOMEM)
        jsonio_no_memory(in);
    else
        jsonio_fail(in, rc, "%s: not a list such as 0-3,8 below %u", key,
                    max);
    hwloc_bitmap_free(set);
    return NULL;
}

static int hex_digit(char c)
{
    if (c >= '0' && c <= '9')
        return c - '0';
    c = (char)(c | 0x20);
    return c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

/* Bit i of `breaks`: a separator stands before byte i. */
static void bytes_parse(struct jsonio_in *in, struct json_object *object,
                        const char *key, uint8_t *bytes, size_t nr,
                        uint32_t breaks, char separator)
{
    const char *text = string(in, object, key);
    int high, low;
    size_t i;

    memset(bytes, 0, nr);
    if (in->rc)
        return;
    for (i = 0; text && i < nr; i++) {
        if ((breaks >> i & 1) && *text++ != separator)
            break;
        high = hex_digit(text[0]);
        low = high < 0 ? -1 : hex_digit(text[1]);
        if (low < 0)
            break;
        bytes[i] = (uint8_t)(high << 4 | low);
        text += 2;
    }
    if (!text || i < nr || *text)
        jsonio_fail(in, -EINVAL, "%s: %s", key,
                    text ? "malformed" : "missing");
}

void jsonio_uuid(struct jsonio_in *in, struct json_object *object,
                 const char *key, uint8_t uuid[16])
{
    bytes_parse(in, object, key, uuid, 16, 0x0550, '-');
}

void jsonio_mac(struct jsonio_in *in, struct json_object *object,
                const char *key, uint8_t mac[6])
{
    bytes_parse(in, object, key, mac, 6, 0x3e, ':');
}

void jsonio_hex(struct jsonio_in *in, struct json_object *object,
                const char *key, char *text_r, size_t digits)
{
    const char *text = string(in, object, key);

    text_r[0] = '\0';
    if (!text || !*text)
        return;
    if (strlen(text) != digits ||
        strspn(text, "0123456789abcdefABCDEF") != digits) {
        jsonio_fail(in, -EINVAL, "%s: must be %zu hexadecimal digits", key,
                    digits);
        return;
    }
    memcpy(text_r, text, digits + 1);
}

struct json_object *jsonio_list(struct jsonio_in *in,
                                struct json_object *object, const char *key,
                                size_t max, size_t *nr_r)
{
    struct json_object *list;

    *nr_r = 0;
    list = field(in, object, key, json_type_array, "a list");
    if (!list)
        return NULL;
    if (json_object_array_length(list) > max) {
        jsonio_fail(in, -E2BIG, "%s: more than %zu entries", key, max);
        return NULL;
    }
    *nr_r = json_object_array_length(list);
    return list;
}

struct json_object *jsonio_item(struct jsonio_in *in,
                                struct json_object *list, size_t index)
{
    struct json_object *item = json_object_array_get_idx(list, index);

    if (!json_object_is_type(item, json_type_object))
        jsonio_fail(in, -EINVAL, "must be an object");
    return item;
}

struct json_object *jsonio_first(struct jsonio_in *in,
                                 struct json_object *object, const char *key,
                                 size_t max)
{
    in->items = jsonio_list(in, object, key, max, &in->nr_items);
    in->next = 0;
    in->list = key;
    return jsonio_next(in);
}

struct json_object *jsonio_next(struct jsonio_in *in)
{
    struct json_object *item;

    if (in->next < in->nr_items && !in->rc) {
        in->index = in->next++;
        item = jsonio_item(in, in->items, in->index);
        if (!in->rc)
            return item;
    }
    in->list = NULL;
    return NULL;
}

bool jsonio_text_ok(const char *text)
{
    const unsigned char *c = (const unsigned char *)text;
    size_t nr;

    for (nr = 0; c[nr]; nr++) {
        /* U+0080..U+009F are control characters to a terminal. */
        if (nr >= TEXT_BYTES_MAX || c[nr] < 0x20 || c[nr] == 0x7f ||
            (c[nr] == 0xc2 && c[nr + 1] >= 0x80 && c[nr + 1] <= 0x9f))
            return false;
    }
    return true;
}
