/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "model/settings.h"

#include "base/file.h"
#include "base/jsonio.h"
#include "base/parse.h"

#include <ctype.h>
#include <errno.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define FILE_BYTES_MAX (1024 * 1024)
#define PCPUS_MAX 4096U
#define NAMES_MAX 4096U
/* An empty list, as the manual writes it. */
#define NONE "none"

enum type { REAL, UINT, BOOL, SET, NAMES, GROUP, PAIR };

static const struct option {
    const char *name;
    enum type type;
    size_t offset;
    double min, max, preset;
} options[] = {
#define OPTION(name, field, type, min, max, preset) \
    { name, type, offsetof(struct settings, field), min, max, preset }
    OPTION("min-gain", min_gain, REAL, 0, 1000, 0.1),
    OPTION("min-gain-share", min_gain_share, REAL, 0, 1, 0.05),
    OPTION("move-gain", move_gain, REAL, 0, 1000, 0.02),
    OPTION("max-moves", max_moves, UINT, 0, 65536, 16),
    OPTION("max-links", max_links, UINT, 0, 65536, 32),
    OPTION("cooldown-sec", cooldown_sec, UINT, 0, 31536000, 3600),
    OPTION("core-cap", core_cap, REAL, 0.1, 1, 0.9),
    OPTION("node-cap", node_cap, REAL, 0.1, 1, 0.8),
    OPTION("hard-affinity", hard_affinity, BOOL, 0, 1, 0),
    OPTION("smt-sharing", smt_sharing, BOOL, 0, 1, 0),
    OPTION("override-pins", override_pins, BOOL, 0, 1, 0),
    OPTION("move-dom0", move_dom0, BOOL, 0, 1, 0),
    OPTION("banned-pcpus", banned_pcpus, SET, 0, 0, 0),
    OPTION("dom0-pcpus", dom0_pcpus, SET, 0, 0, 0),
    OPTION("isolated", isolated, NAMES, 0, 0, 0),
    OPTION("unmanaged", unmanaged, NAMES, 0, 0, 0),
    OPTION("link", links, PAIR, 0, 0, 0),
    OPTION("link-group", link_groups, GROUP, 0, 0, 0),
    OPTION("bound-utilisation", bound_utilisation, REAL, 0.1, 1, 0.9),
    OPTION("bound-bytes", bound_bytes, REAL, 0, 1e12, 1e6),
    OPTION("bound-share", bound_share, REAL, 0, 1, 0.02),
    OPTION("unused-utilisation", unused_utilisation, REAL, 0, 1, 0.5),
    OPTION("link-bytes", link_bytes, REAL, 0, 1e12, 1e6),
    OPTION("link-message-bytes", link_message_bytes, REAL, 0, 1e6, 0),
    OPTION("link-bulk-bytes", link_bulk_bytes, REAL, 0, 1e6, 8192),
    OPTION("link-headroom", link_headroom, REAL, 0, 1, 0),
    OPTION("switch-ns", switch_ns, REAL, 0, 1e6, 5000),
    OPTION("cache-byte-ns", cache_byte_ns, REAL, 0, 100, 0.02),
    OPTION("node-byte-ns", node_byte_ns, REAL, 0, 100, 0.06),
    OPTION("remote-byte-ns", remote_byte_ns, REAL, 0, 100, 0.10),
    OPTION("remote-packet-ns", remote_packet_ns, REAL, 0, 1e6, 300),
    OPTION("sibling-slowdown", sibling_slowdown, REAL, 0, 1, 0.75),
    OPTION("memory-slowdown", memory_slowdown, REAL, 0, 10, 0.2),
    OPTION("vif-byte-ns", vif_byte_ns, REAL, 0, 1000, 1.0),
    OPTION("vif-packet-ns", vif_packet_ns, REAL, 0, 1e7, 11000),
    OPTION("link-byte-ns", link_byte_ns, REAL, 0, 1000, 0.4),
    OPTION("link-packet-ns", link_packet_ns, REAL, 0, 1e7, 3000),
    OPTION("dom0-share", dom0_share, REAL, 0, 1, 0.5),
};

#define NR_OPTIONS (sizeof options / sizeof *options)

static void free_names(struct settings_group *group)
{
    while (group->nr)
        free(group->names[--group->nr]);
    free(group->names);
    group->names = NULL;
}

static void free_groups(struct settings_group **groups, size_t *nr)
{
    while (*nr)
        free_names(&(*groups)[--*nr]);
    free(*groups);
    *groups = NULL;
}

int settings_init(struct settings *settings)
{
    const struct option *option;
    void *field;

    memset(settings, 0, sizeof *settings);
    settings->banned_pcpus = hwloc_bitmap_alloc();
    settings->dom0_pcpus = hwloc_bitmap_alloc();
    if (!settings->banned_pcpus || !settings->dom0_pcpus) {
        settings_dispose(settings);
        return -ENOMEM;
    }
    for (option = options; option < options + NR_OPTIONS; option++) {
        field = (char *)settings + option->offset;
        if (option->type == REAL)
            *(double *)field = option->preset;
        else if (option->type == UINT)
            *(uint32_t *)field = (uint32_t)option->preset;
        else if (option->type == BOOL)
            *(bool *)field = option->preset != 0;
    }
    return 0;
}

void settings_dispose(struct settings *settings)
{
    hwloc_bitmap_free(settings->banned_pcpus);
    hwloc_bitmap_free(settings->dom0_pcpus);
    settings->banned_pcpus = settings->dom0_pcpus = NULL;
    free_names(&settings->isolated);
    free_names(&settings->unmanaged);
    free_groups(&settings->links, &settings->nr_links);
    free_groups(&settings->link_groups, &settings->nr_link_groups);
}

static int set_number(void *field, const struct option *option,
                      const char *value)
{
    double number;
    char *end;

    /* No sign, no hexadecimal, no "nan": a digit first, and the whole. */
    if (!isdigit((unsigned char)*value) ||
        value[strspn(value, "0123456789.eE+-")])
        return -EINVAL;
    number = strtod(value, &end);
    if (*end || !isfinite(number) || number < option->min ||
        number > option->max)
        return -EINVAL;
    if (option->type == REAL)
        *(double *)field = number;
    else if (number == floor(number))
        *(uint32_t *)field = (uint32_t)number;
    else
        return -EINVAL;
    return 0;
}

static int set_bool(bool *field, const char *value)
{
    if (strcmp(value, "yes") && strcmp(value, "no"))
        return -EINVAL;
    *field = !strcmp(value, "yes");
    return 0;
}

static int set_set(hwloc_bitmap_t set, const char *value)
{
    hwloc_bitmap_t read;
    int rc;

    read = hwloc_bitmap_alloc();
    if (!read)
        return -ENOMEM;
    rc = strcmp(value, NONE) ? jsonio_set_parse(read, value, PCPUS_MAX) : 0;
    if (!rc && hwloc_bitmap_isfull(read))
        rc = -EINVAL;
    if (!rc && hwloc_bitmap_copy(set, read))
        rc = -ENOMEM;
    hwloc_bitmap_free(read);
    return rc;
}

static int set_names(struct settings_group *group_r, const char *value)
{
    struct settings_group group = { NULL, 0 };
    size_t bytes;
    char **name;

    if (!strcmp(value, NONE))
        value = "";
    for (;;) {
        value += strspn(value, ", \t");
        bytes = strcspn(value, ", \t");
        if (!bytes)
            break;
        name = jsonio_add(&group.names, &group.nr, NAMES_MAX, sizeof *name);
        if (name)
            *name = strndup(value, bytes);
        if (!name || !*name) {
            free_names(&group);
            return -ENOMEM;
        }
        value += bytes;
    }
    free_names(group_r);
    *group_r = group;
    return 0;
}

/* Two VMs by their names, and maybe vifs of theirs. */
static bool is_pair(const struct settings_group *group)
{
    char name[2][256];
    uint32_t vif;

    return group->nr == 2 &&
           !parse_guest(group->names[0], name[0], sizeof name[0], &vif) &&
           !parse_guest(group->names[1], name[1], sizeof name[1], &vif) &&
           strcmp(name[0], name[1]);
}

/* One more group or pair; "none": none at all. */
static int add_group(struct settings_group **groups, size_t *nr, bool pair,
                     const char *value)
{
    struct settings_group group = { NULL, 0 }, *added = NULL;
    int rc;

    if (!strcmp(value, NONE)) {
        free_groups(groups, nr);
        return 0;
    }
    rc = set_names(&group, value);
    if (!rc && (group.nr < 2 || (pair && !is_pair(&group))))
        rc = -EINVAL;
    if (!rc)
        added = jsonio_add(groups, nr, NAMES_MAX, sizeof *added);
    if (!added) {
        free_names(&group);
        return rc ? rc : -ENOMEM;
    }
    *added = group;
    return 0;
}

static const struct option *find(const char *name)
{
    const struct option *option;

    for (option = options; option < options + NR_OPTIONS; option++)
        if (!strcmp(option->name, name))
            return option;
    return NULL;
}

static int set(struct settings *settings, const struct option *option,
               const char *value)
{
    void *field = (char *)settings + option->offset;

    switch (option->type) {
    case REAL:
    case UINT:
        return set_number(field, option, value);
    case BOOL:
        return set_bool(field, value);
    case SET:
        return set_set(*(hwloc_bitmap_t *)field, value);
    case NAMES:
        return set_names(field, value);
    case GROUP:
        return add_group(&settings->link_groups, &settings->nr_link_groups,
                         false, value);
    case PAIR:
        return add_group(&settings->links, &settings->nr_links, true, value);
    }
    return -EINVAL;
}

int settings_set(struct settings *settings, const char *name,
                 const char *value, char **why_r)
{
    static const char *const must_be[] = {
        [BOOL] = "yes or no", [SET] = "a list such as 0-3,8, or none",
        [NAMES] = "a list", [GROUP] = "two VMs or more, or none",
        [PAIR] = "two VMs by their names, or none",
    };
    const struct option *option = find(name);
    int rc = option ? set(settings, option, value) : -EINVAL, r = 0;
    char *why = NULL;

    if (!option)
        r = asprintf(&why, "%s: no such setting", name);
    else if (rc == -EINVAL && option->type <= UINT)
        r = asprintf(&why, "%s: must be a number from %g to %g", name,
                     option->min, option->max);
    else if (rc == -EINVAL)
        r = asprintf(&why, "%s: must be %s", name, must_be[option->type]);
    else if (rc)
        r = asprintf(&why, "%s: %s", name, strerror(-rc));
    if (r < 0)
        why = NULL;
    if (why_r && rc)
        *why_r = why;
    else
        free(why);
    return rc;
}

/* Cut at "#", and blanks at both ends. */
static char *trim(char *text)
{
    size_t bytes;

    text[strcspn(text, "#")] = '\0';
    text += strspn(text, " \t\r");
    bytes = strlen(text);
    while (bytes && strchr(" \t\r", text[bytes - 1]))
        text[--bytes] = '\0';
    return text;
}

static int load_line(struct settings *settings, char *line, char **why_r)
{
    char *value;

    line = trim(line);
    if (!*line)
        return 0;
    value = strchr(line, '=');
    if (!value) {
        if (why_r)
            *why_r = strdup("expected name = value");
        return -EINVAL;
    }
    *value++ = '\0';
    return settings_set(settings, trim(line), trim(value), why_r);
}

int settings_load(struct settings *settings, const char *path, char **why_r)
{
    const char *file = path ? path : SETTINGS_PATH;
    char *text = NULL, *rest, *line, *why = NULL, *whole = NULL;
    unsigned number = 0;
    size_t bytes = 0;
    int rc = file_text(file, FILE_BYTES_MAX, &text, &bytes), r = 0;

    if (rc == -ENOENT && !path)
        return 0;
    if (!rc && strlen(text) != bytes)
        rc = -EINVAL;
    if (rc) {
        r = asprintf(&whole, "%s: %s", file, rc == -EINVAL ?
                     "not a text file" : strerror(-rc));
        goto out;
    }
    rest = text;
    while (!rc && (line = strsep(&rest, "\n"))) {
        number++;
        rc = load_line(settings, line, &why);
    }
    if (rc)
        r = asprintf(&whole, "%s:%u: %s", file, number,
                     why ? why : strerror(-rc));

 out:
    if (r < 0)
        whole = NULL;
    if (why_r && rc)
        *why_r = whole;
    else
        free(whole);
    free(why);
    free(text);
    return rc;
}
