/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The layout of the file, which is that of the structs in snapshot.h; a key
 * means what the member of the same name does.  For a new one, a line here, a
 * member there and its words in shmlink-snapshot(5) are all that is needed.
 *
 * Domains are referred to by domid, the outside is null.  vcpus_max is the
 * number of vcpus, which stand in their domain, as switches in their vCPU.
 */
#include "base/compare.h"
#include "model/snapshot-fields.h"

#include "model/snapshot.h"

#include <errno.h>

/* Run + wait + block of a vCPU may be over 1 by rounding and by error. */
#define FRACTION_MAX 1.05
#define RATE_MAX 1e15
#define DOMID_RESERVED 0x7ff0U

#define TABLE(name) JSONIO_TABLE(name ## _keys, struct snapshot_ ## name)

static const char *const sources[] = {
    "none", "counter", "trace", "sampling", NULL,
};
static const char *const granularities[] = {
    "unknown", "cpu", "core", "socket", NULL,
};
static const char *const types[] = { "unknown", "pv", "pvh", "hvm", NULL };
static const char *const states[] = { "running", "paused", "other", NULL };
static const char *const owners[] = { "none", "admin", "shmlink", NULL };
static const char *const vias[] = { "vif", "link", NULL };
static const char *const formats[] = { "shmlink-snapshot", NULL };

static uint32_t domid(const void *root, size_t position)
{
    return ((const struct snapshot *)root)->domains[position].domid;
}

/* --- values ---------------------------------------------------------------- */
#define AT(member) offsetof(struct snapshot_value, member)
#define VALUE_FIELDS(most) { \
    JSONIO_KEY("value", REAL, value, 0, most, JSONIO_REQUIRED), \
    JSONIO_KEY("error", REAL, error, 0, RATE_MAX), \
    JSONIO_KEY("source", WORD, source, .words = sources), \
}

static bool measured(const void *value)
{
    return ((const struct snapshot_value *)value)->source !=
           SNAPSHOT_SOURCE_NONE;
}

static const struct jsonio_field fraction_keys[] = VALUE_FIELDS(FRACTION_MAX);
static const struct jsonio_table fraction_fields = {
    JSONIO_TABLE(fraction_keys, struct snapshot_value), .there = measured,
};
static const struct jsonio_field rate_keys[] = VALUE_FIELDS(RATE_MAX);
static const struct jsonio_table rate_fields = {
    JSONIO_TABLE(rate_keys, struct snapshot_value), .there = measured,
};
#undef AT

/* --- the host -------------------------------------------------------------- */
#define AT(member) offsetof(struct snapshot_pcpu, member)
static const struct jsonio_field pcpu_keys[] = {
    JSONIO_KEY("pcpu", INDEX, os_index, 0, SNAPSHOT_PCPUS_MAX - 1,
               JSONIO_REQUIRED),
    JSONIO_KEY("online", BOOL, online, .missing = JSONIO_TRUE),
    JSONIO_KEY("core", INDEX, core, 0, UINT32_MAX),
    JSONIO_KEY("socket", INDEX, socket, 0, UINT32_MAX),
    JSONIO_KEY("node", INDEX, node, 0, UINT32_MAX),
    JSONIO_KEY("pool", INDEX, pool, 0, UINT32_MAX),
    JSONIO_KEY("idle", OBJECT, idle, .table = &fraction_fields),
};
const struct jsonio_table snapshot_pcpu_fields = { TABLE(pcpu) };
#undef AT

#define AT(member) offsetof(struct snapshot_cache, member)
static const struct jsonio_field cache_keys[] = {
    JSONIO_KEY("level", U32, level, 1, 4, JSONIO_REQUIRED),
    JSONIO_KEY("size_bytes", U64, size_bytes),
    JSONIO_KEY("pcpus", SET, pcpus, 0, SNAPSHOT_PCPUS_MAX, JSONIO_EMPTY),
};
#undef AT

static void check_cache(struct jsonio_in *in, const void *object)
{
    const struct snapshot_cache *c = object;

    if (hwloc_bitmap_isfull(c->pcpus) || hwloc_bitmap_iszero(c->pcpus))
        jsonio_fail(in, -EINVAL, "a cache needs a set of pCPUs");
}

const struct jsonio_table snapshot_cache_fields = {
    TABLE(cache), .check = check_cache,
};

static const struct jsonio_field distance_keys[] = {
    { .key = NULL, JSONIO_U32, 0, 1, 10000 },
};
static const struct jsonio_table distances = {
    JSONIO_TABLE(distance_keys, uint32_t),
};

#define AT(member) offsetof(struct snapshot_node, member)
static const struct jsonio_field node_keys[] = {
    JSONIO_KEY("node", INDEX, os_index, 0, SNAPSHOT_NODES_MAX - 1,
               JSONIO_REQUIRED),
    JSONIO_KEY("size_bytes", U64, size_bytes),
    JSONIO_KEY("free_bytes", U64, free_bytes),
    JSONIO_KEY("distances", LIST, distances, 0, SNAPSHOT_NODES_MAX,
               .table = &distances, .offset_nr = AT(nr_distances)),
};
const struct jsonio_table snapshot_node_fields = { TABLE(node) };
#undef AT

#define AT(member) offsetof(struct snapshot_pool, member)
static const struct jsonio_field pool_keys[] = {
    JSONIO_KEY("pool", INDEX, os_index, 0, UINT32_MAX, JSONIO_REQUIRED),
    JSONIO_KEY("name", TEXT, name),
    JSONIO_KEY("scheduler", TEXT, scheduler),
    JSONIO_KEY("granularity", WORD, granularity, .words = granularities),
    JSONIO_KEY("ratelimit_usec", U32, ratelimit_usec, 0, UINT32_MAX),
    JSONIO_KEY("pcpus", SET, pcpus, 0, SNAPSHOT_PCPUS_MAX, JSONIO_EMPTY),
};
const struct jsonio_table snapshot_pool_fields = { TABLE(pool) };
#undef AT

/* --- domains --------------------------------------------------------------- */
#define AT(member) offsetof(struct snapshot_vif, member)
static const struct jsonio_field vif_keys[] = {
    JSONIO_KEY("devid", U32, devid, 0, UINT32_MAX),
    JSONIO_KEY("name", TEXT, name),
    JSONIO_KEY("mac", MAC, mac, .missing = JSONIO_REQUIRED),
    JSONIO_KEY("bridge", TEXT, bridge),
    JSONIO_KEY("no_link", TEXT, no_link),
    JSONIO_KEY("vlans", TEXT, vlans),
};
const struct jsonio_table snapshot_vif_fields = { TABLE(vif) };
#undef AT

#define AT(member) offsetof(struct snapshot_switch, member)
static const struct jsonio_field switch_keys[] = {
    JSONIO_KEY("domid", REF, by_domain, .number = domid),
    JSONIO_KEY("per_second", REAL, per_second, 0, RATE_MAX),
};
const struct jsonio_table snapshot_switch_fields = {
    JSONIO_TABLE(switch_keys, struct snapshot_switch),
};
#undef AT

static void *add_switch(void *root, void *owner)
{
    struct snapshot_switch *by = snapshot_add_switch(root);

    (void)owner;
    if (by)
        by->vcpu = ((struct snapshot *)root)->nr_vcpus - 1;
    return by;
}

/* They are in the order of vCPUs. */
static const void *get_switch(const void *root, const void *owner,
                              size_t index)
{
    const struct snapshot *s = root;
    size_t vcpu = (size_t)((const struct snapshot_vcpu *)owner - s->vcpus);
    size_t low = FIRST_NOT(s->nr_switches, i, s->switches[i].vcpu < vcpu);

    return low + index < s->nr_switches &&
           s->switches[low + index].vcpu == vcpu ? &s->switches[low + index]
                                                 : NULL;
}

#define AT(member) offsetof(struct snapshot_vcpu, member)
#define SET(key, missing) \
    JSONIO_KEY(#key, SET, key, 0, SNAPSHOT_PCPUS_MAX, missing)
#define VALUE(key, table_) \
    JSONIO_KEY(#key, OBJECT, key, .table = &table_)
static const struct jsonio_field vcpu_keys[] = {
    JSONIO_KEY("vcpuid", U32, vcpuid, 0, SNAPSHOT_VCPUS_MAX),
    JSONIO_KEY("online", BOOL, online, .missing = JSONIO_TRUE),
    JSONIO_KEY("pcpu", INDEX, pcpu, 0, UINT32_MAX),
    SET(hard, JSONIO_FULL),
    SET(soft, JSONIO_FULL),
    SET(hard_effective, JSONIO_ZERO),
    SET(soft_effective, JSONIO_ZERO),
    JSONIO_KEY("hard_owner", WORD, hard_owner, .words = owners),
    JSONIO_KEY("soft_owner", WORD, soft_owner, .words = owners),
    VALUE(utilisation, fraction_fields),
    VALUE(wait, fraction_fields),
    VALUE(block, fraction_fields),
    VALUE(switches, rate_fields),
    VALUE(execution_usec, rate_fields),
    { .key = "switched_by", JSONIO_LIST, 0, 0, SNAPSHOT_SWITCHES_MAX,
      .table = &snapshot_switch_fields, .add = add_switch, .get = get_switch },
};
const struct jsonio_table snapshot_vcpu_fields = { TABLE(vcpu) };
#undef AT

static void *add_vcpu(void *root, void *owner)
{
    struct snapshot_vcpu *v = snapshot_add_vcpu(root);

    if (v)
        ((struct snapshot_domain *)owner)->vcpus_max++;
    return v;
}

static const void *get_vcpu(const void *root, const void *owner, size_t index)
{
    const struct snapshot_domain *d = owner;
    const struct snapshot *s = root;

    /* Before it is checked a domain may say that it has any number. */
    return index < d->vcpus_max && d->first_vcpu + index < s->nr_vcpus
               ? &s->vcpus[d->first_vcpu + index] : NULL;
}

static const struct jsonio_field bytes_keys[] = { { .key = NULL, JSONIO_U64, 0 } };
static const struct jsonio_table bytes_fields = {
    JSONIO_TABLE(bytes_keys, uint64_t),
};

#define AT(member) offsetof(struct snapshot_domain, member)
static const struct jsonio_field domain_keys[] = {
    JSONIO_KEY("domid", U32, domid, 0, DOMID_RESERVED - 1,
               JSONIO_REQUIRED),
    JSONIO_KEY("uuid", UUID, uuid, .missing = JSONIO_REQUIRED),
    JSONIO_KEY("name", TEXT, name, .missing = JSONIO_REQUIRED),
    JSONIO_KEY("type", WORD, type, .words = types),
    JSONIO_KEY("state", WORD, state, .words = states),
    JSONIO_KEY("vcpus_online", U32, vcpus_online, 0, SNAPSHOT_VCPUS_MAX),
    JSONIO_KEY("weight", U32, weight, 0, UINT32_MAX),
    JSONIO_KEY("cap", U32, cap, 0, UINT32_MAX),
    JSONIO_KEY("pool", INDEX, pool, 0, UINT32_MAX),
    JSONIO_KEY("memory_bytes", U64, memory_bytes),
    JSONIO_KEY("node_memory_bytes", LIST, node_memory_bytes, 0,
               SNAPSHOT_NODES_MAX, .table = &bytes_fields,
               .offset_nr = AT(nr_node_memory_bytes)),
    JSONIO_KEY("driver", BOOL, driver),
    JSONIO_KEY("backend", BOOL, backend),
    JSONIO_KEY("isolated", BOOL, isolated),
    JSONIO_KEY("managed", BOOL, managed, .missing = JSONIO_TRUE),
    JSONIO_KEY("vifs", LIST, vifs, 0, SNAPSHOT_VIFS_MAX,
               .table = &snapshot_vif_fields, .offset_nr = AT(nr_vifs)),
    { .key = "vcpus", JSONIO_LIST, 0, 0, SNAPSHOT_VCPUS_MAX,
      .table = &snapshot_vcpu_fields, .add = add_vcpu, .get = get_vcpu },
};
const struct jsonio_table snapshot_domain_fields = { TABLE(domain) };
#undef AT

static void *add_domain(void *root, void *owner)
{
    (void)owner;
    return snapshot_add_domain(root);
}

/* --- traffic and links ----------------------------------------------------- */
#define AT(member) offsetof(struct snapshot_traffic, member)
#define RATE(key) JSONIO_KEY(#key, REAL, key, 0, RATE_MAX)
static const struct jsonio_field traffic_keys[] = {
    JSONIO_KEY("from", REF, from, .number = domid),
    JSONIO_KEY("to", REF, to, .number = domid),
    JSONIO_KEY("from_vif", INDEX, from_vif, 0, UINT32_MAX),
    JSONIO_KEY("to_vif", INDEX, to_vif, 0, UINT32_MAX),
    JSONIO_KEY("via", WORD, via, .words = vias),
    VALUE(bytes, rate_fields),
    VALUE(packets, rate_fields),
};
const struct jsonio_table snapshot_traffic_fields = { TABLE(traffic) };
#undef AT

#define AT(member) offsetof(struct snapshot_link_end, member)
static const struct jsonio_field link_end_keys[] = {
    JSONIO_KEY("domid", REF, domain, .number = domid),
    JSONIO_KEY("vif", U32, vif, 0, UINT32_MAX),
    JSONIO_KEY("counters_ok", BOOL, counters_ok),
    RATE(tx_bytes),
    RATE(tx_packets),
    RATE(rx_bytes),
    RATE(rx_packets),
    RATE(tx_notifications),
    RATE(rx_notifications),
    RATE(tx_stalls),
    RATE(tx_drops),
    RATE(rx_drops),
};
static const struct jsonio_table link_end_fields = { TABLE(link_end) };
#undef AT

#define AT(member) offsetof(struct snapshot_link, member)
static const struct jsonio_field link_keys[] = {
    JSONIO_KEY("nonce", HEX, nonce, 0, 32),
    JSONIO_KEY("up", BOOL, up),
    JSONIO_KEY("since", TIME, since),
    JSONIO_KEY("ring_bytes", U32, ring_bytes, 0, UINT32_MAX),
    JSONIO_KEY("ends", ARRAY, end, 2, 2, .table = &link_end_fields),
};
const struct jsonio_table snapshot_link_fields = { TABLE(link) };
#undef AT

#define AT(member) offsetof(struct snapshot_note, member)
static const struct jsonio_field note_keys[] = {
    JSONIO_KEY("source", TEXT, source),
    JSONIO_KEY("text", TEXT, text),
};
const struct jsonio_table snapshot_note_fields = { TABLE(note) };
#undef AT

/* --- the file -------------------------------------------------------------- */
#define AT(member) offsetof(struct snapshot, member)
#define LIST(key, most, table_, ...) \
    JSONIO_KEY(#key, LIST, key, 0, most, .table = &table_, \
               .offset_nr = AT(nr_ ## key), ##__VA_ARGS__)
static const struct jsonio_field all_keys[] = {
    { .key = "format", JSONIO_FORMAT, .words = formats },
    JSONIO_KEY("schema", SCHEMA, schema, 1, SNAPSHOT_SCHEMA,
               JSONIO_REQUIRED),
    JSONIO_KEY("time", TIME, time),
    JSONIO_KEY("duration", REAL, duration, 0, 1e9),
    JSONIO_KEY("host", TEXT, host),
    JSONIO_KEY("xen_version", TEXT, xen_version),
    LIST(pcpus, SNAPSHOT_PCPUS_MAX, snapshot_pcpu_fields),
    LIST(caches, SNAPSHOT_CACHES_MAX, snapshot_cache_fields),
    LIST(nodes, SNAPSHOT_NODES_MAX, snapshot_node_fields),
    LIST(pools, SNAPSHOT_POOLS_MAX, snapshot_pool_fields),
    LIST(domains, SNAPSHOT_DOMAINS_MAX, snapshot_domain_fields,
         .add = add_domain),
    LIST(traffic, SNAPSHOT_TRAFFIC_MAX, snapshot_traffic_fields),
    LIST(links, SNAPSHOT_LINKS_MAX, snapshot_link_fields),
    LIST(notes, SNAPSHOT_NOTES_MAX, snapshot_note_fields),
};
const struct jsonio_table snapshot_fields = {
    JSONIO_TABLE(all_keys, struct snapshot),
};
