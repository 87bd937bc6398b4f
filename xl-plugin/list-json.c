// SPDX-License-Identifier: GPL-2.0-or-later
#include "config.h"

#include <json.h>

#include "list-json.h"
#include "shmlink.h"
#include "base/uuid.h"

static void add_u64(json_object *object, const char *key, uint64_t value)
{
    json_object_object_add(object, key, json_object_new_uint64(value));
}

static json_object *counters_json(const struct shmlink_counters *counters)
{
    json_object *object = json_object_new_object();

    add_u64(object, "tx_bytes", counters->tx_bytes);
    add_u64(object, "tx_packets", counters->tx_packets);
    add_u64(object, "rx_bytes", counters->rx_bytes);
    add_u64(object, "rx_packets", counters->rx_packets);
    add_u64(object, "tx_notifications", counters->tx_notifications);
    add_u64(object, "rx_notifications", counters->rx_notifications);
    add_u64(object, "tx_stalls", counters->tx_stalls);
    add_u64(object, "tx_drops", counters->tx_drops);
    add_u64(object, "rx_drops", counters->rx_drops);
    return object;
}

static json_object *held_json(uint64_t held)
{
    json_object *array = json_object_new_array();
    const char *word;
    unsigned int n;

    for (n = 0; (word = shmlink_held_word(n)); n++)
        if (held & UINT64_C(1) << n)
            json_object_array_add(array, json_object_new_string(word));
    return array;
}

static json_object *end_json(const struct shmlink_link *link, int end)
{
    json_object *object = json_object_new_object();
    char uuid[UUID_TEXT_BYTES];

    uuid_text(link->uuid[end], uuid);
    json_object_object_add(object, "name",
                           json_object_new_string(link->name[end]));
    add_u64(object, "domid", link->domid[end]);
    json_object_object_add(object, "uuid", json_object_new_string(uuid));
    json_object_object_add(object, "role",
                           json_object_new_string(end ? "front" : "back"));
    add_u64(object, "vif", link->vif[end]);
    json_object_object_add(object, "counters", link->counters_ok[end]
                           ? counters_json(&link->counters[end]) : NULL);
    json_object_object_add(object, "held", link->counters_ok[end]
                           ? held_json(link->counters[end].held) : NULL);
    return object;
}

static json_object *link_json(const struct shmlink_link *link)
{
    json_object *object = json_object_new_object();
    json_object *ends = json_object_new_array();

    json_object_object_add(object, "nonce",
                           json_object_new_string(link->nonce));
    json_object_object_add(object, "state", json_object_new_string(
                               shmlink_state_name(link->state)));
    json_object_object_add(object, "since",
                           json_object_new_int64(link->since));
    json_object_object_add(object, "forced",
                           json_object_new_boolean(link->forced));
    json_object_object_add(object, "bypasses", link->bypasses[0]
                           ? json_object_new_string(link->bypasses) : NULL);
    add_u64(object, "ring_bytes", link->ring_bytes);
    add_u64(object, "device", link->devid);
    json_object_object_add(object, "bridge", link->bridge[0]
                           ? json_object_new_string(link->bridge) : NULL);
    json_object_array_add(ends, end_json(link, 0));
    json_object_array_add(ends, end_json(link, 1));
    json_object_object_add(object, "ends", ends);
    return object;
}

void list_json_print(FILE *file, const struct shmlink_link *links, size_t nr)
{
    json_object *root = json_object_new_array();
    size_t i;

    for (i = 0; i < nr; i++)
        json_object_array_add(root, link_json(&links[i]));
    fprintf(file, "%s\n", json_object_to_json_string_ext(
                root, JSON_C_TO_STRING_PRETTY | JSON_C_TO_STRING_SPACED |
                      JSON_C_TO_STRING_NOSLASHESCAPE));
    json_object_put(root);
}
