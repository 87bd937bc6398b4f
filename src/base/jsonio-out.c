/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "base/jsonio.h"

#include "base/uuid.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

void jsonio_put(struct jsonio_out *out, struct json_object *object,
                const char *key, struct json_object *value)
{
    int r = -1;

    if (value && object && !out->rc)
        r = key ? json_object_object_add(object, key, value)
                : json_object_array_add(object, value);
    if (r) {
        out->rc = -ENOMEM;
        json_object_put(value);
    }
}

void jsonio_put_null(struct jsonio_out *out, struct json_object *object,
                     const char *key)
{
    int r;

    if (out->rc)
        return;
    r = key ? json_object_object_add(object, key, NULL)
            : json_object_array_add(object, NULL);
    if (r)
        out->rc = -ENOMEM;
}

void jsonio_put_uint(struct jsonio_out *out, struct json_object *object,
                     const char *key, uint64_t value)
{
    jsonio_put(out, object, key, json_object_new_uint64(value));
}

void jsonio_put_index(struct jsonio_out *out, struct json_object *object,
                      const char *key, uint32_t index)
{
    if (index == UINT32_MAX)
        jsonio_put_null(out, object, key);
    else
        jsonio_put_uint(out, object, key, index);
}

/* The fewest digits that are read as the same number again, so that a plan
 * from a file is the plan from the host. */
void jsonio_put_real(struct jsonio_out *out, struct json_object *object,
                     const char *key, double value)
{
    char text[40];
    int digits;

    for (digits = 6; digits <= 17; digits++) {
        snprintf(text, sizeof text, "%.*g", digits, value);
        if (strtod(text, NULL) == value)
            break;
    }
    jsonio_put(out, object, key, json_object_new_double_s(value, text));
}

void jsonio_put_bool(struct jsonio_out *out, struct json_object *object,
                     const char *key, bool value)
{
    jsonio_put(out, object, key, json_object_new_boolean(value));
}

void jsonio_put_text(struct jsonio_out *out, struct json_object *object,
                     const char *key, const char *text)
{
    if (text)
        jsonio_put(out, object, key, json_object_new_string(text));
    else
        jsonio_put_null(out, object, key);
}

void jsonio_put_set(struct jsonio_out *out, struct json_object *object,
                    const char *key, hwloc_const_bitmap_t set)
{
    char *text = NULL;

    if (!set) {
        jsonio_put_null(out, object, key);
    } else if (hwloc_bitmap_isfull(set)) {
        jsonio_put_text(out, object, key, "all");
    } else if (hwloc_bitmap_list_asprintf(&text, set) < 0) {
        out->rc = -ENOMEM;
    } else {
        jsonio_put_text(out, object, key, text);
        free(text);
    }
}

void jsonio_put_uuid(struct jsonio_out *out, struct json_object *object,
                     const char *key, const uint8_t uuid[16])
{
    char text[UUID_TEXT_BYTES];

    uuid_text(uuid, text);
    jsonio_put_text(out, object, key, text);
}

void jsonio_put_mac(struct jsonio_out *out, struct json_object *object,
                    const char *key, const uint8_t mac[6])
{
    char text[18];

    snprintf(text, sizeof text, "%02x:%02x:%02x:%02x:%02x:%02x", mac[0],
             mac[1], mac[2], mac[3], mac[4], mac[5]);
    jsonio_put_text(out, object, key, text);
}

struct json_object *jsonio_put_object(struct jsonio_out *out,
                                      struct json_object *object,
                                      const char *key)
{
    struct json_object *value = json_object_new_object();

    jsonio_put(out, object, key, value);
    return out->rc ? NULL : value;
}

struct json_object *jsonio_put_list(struct jsonio_out *out,
                                    struct json_object *object,
                                    const char *key)
{
    struct json_object *value = json_object_new_array();

    jsonio_put(out, object, key, value);
    return out->rc ? NULL : value;
}

struct json_object *jsonio_begin(struct jsonio_out *out, const char *format,
                                 unsigned schema)
{
    struct json_object *root = json_object_new_object();

    jsonio_put_text(out, root, "format", format);
    jsonio_put_uint(out, root, "schema", schema);
    return root;
}

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
