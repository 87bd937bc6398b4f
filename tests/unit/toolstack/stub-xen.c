// SPDX-License-Identifier: GPL-2.0-or-later
#include "config.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>
#include <unistd.h>

#include <libxl.h>
#include <libxl_utils.h>
#include <xenctrl.h>
#include <xenstore.h>

#include "base/jsonio.h"
#include "toolstack/dom0-net.h"
#include "stub-xen.h"

enum { NODES_MAX = 512, PATH_BYTES = 160, VALUE_BYTES = 512,
       TOUCHED_MAX = 256 };

struct node {
    char path[PATH_BYTES];
    char value[VALUE_BYTES];
    char permissions[32];
};

struct tree {
    struct node node[NODES_MAX];
    unsigned int nr;
};

struct stub_domain stub_domains[STUB_DOMAINS_MAX];
unsigned int stub_calls, stub_fail_at, stub_lists, stub_requests;
void (*stub_guests)(void);
bool (*stub_between)(void);
struct stub_fact stub_facts[STUB_FACTS_MAX];
uint32_t stub_grant_frames, stub_event_channels_used;
const char *stub_vlans[2];
bool stub_unread;
uint16_t stub_random;

static struct tree tree, before_transaction, to_commit;
static char touched[TOUCHED_MAX][PATH_BYTES];
static unsigned int nr_touched;
static int transactions, watches, handles, null_fd = -1;
static int xs_place, xc_place, xl_place;

/* Count a call; true: it is the one to fail. */
static bool stub_fails(void)
{
    if (++stub_calls != stub_fail_at)
        return false;
    errno = EIO;
    return true;
}

void stub_reset(void)
{
    memset(stub_domains, 0, sizeof(stub_domains));
    tree.nr = 0;
    stub_calls = stub_fail_at = stub_lists = stub_requests = 0;
    transactions = watches = handles = 0;
    stub_guests = NULL;
    stub_between = NULL;
    memset(stub_facts, 0, sizeof(stub_facts));
    stub_grant_frames = 64;
    stub_event_channels_used = 20;
    stub_vlans[0] = stub_vlans[1] = NULL;
    stub_unread = false;
    stub_random = 0;
}

int stub_leaks(void)
{
    return transactions + watches + handles;
}

ssize_t getrandom(void *bytes, size_t nr, unsigned int flags)
{
    static uint8_t asked;

    (void)flags;
    memset(bytes, asked++, nr);
    memcpy(bytes, &stub_random, nr < sizeof(stub_random) ? nr
                                : sizeof(stub_random));
    return (ssize_t)nr;
}

static struct node *find(const char *path)
{
    unsigned int i;

    for (i = 0; i < tree.nr; i++)
        if (!strcmp(tree.node[i].path, path))
            return &tree.node[i];
    return NULL;
}

void stub_set(const char *path, const char *value)
{
    struct node *node = find(path);
    char parent[PATH_BYTES];

    if (!node) {
        if (tree.nr == NODES_MAX || strlen(path) >= PATH_BYTES)
            abort();
        strcpy(parent, path);
        *strrchr(parent, '/') = '\0';
        if (parent[0] && !find(parent))
            stub_set(parent, "");
        node = &tree.node[tree.nr++];
        memset(node, 0, sizeof(*node));
        strcpy(node->path, path);
        /* As xenstored does it. */
        if (find(parent))
            strcpy(node->permissions, find(parent)->permissions);
    }
    snprintf(node->value, sizeof(node->value), "%s", value);
}

const char *stub_get(const char *path)
{
    struct node *node = find(path);

    return node ? node->value : NULL;
}

static bool below(const char *path, const char *top)
{
    size_t len = strlen(top);

    return !strncmp(path, top, len) && (!path[len] || path[len] == '/');
}

static void touch(xs_transaction_t transaction, const char *path)
{
    if (transaction == XBT_NULL)
        return;
    if (nr_touched == TOUCHED_MAX)
        abort();
    strcpy(touched[nr_touched++], path);
}

bool stub_touched(const char *path)
{
    unsigned int i;

    for (i = 0; i < nr_touched; i++)
        if (below(touched[i], path))
            return true;
    return false;
}

void stub_remove(const char *path)
{
    unsigned int i, kept = 0;

    for (i = 0; i < tree.nr; i++)
        if (!below(tree.node[i].path, path))
            tree.node[kept++] = tree.node[i];
    tree.nr = kept;
}

const char *stub_permissions(const char *path)
{
    struct node *node = find(path);

    return node ? node->permissions : "";
}

const char *stub_below(const char *top)
{
    unsigned int i;

    for (i = 0; i < tree.nr; i++)
        if (below(tree.node[i].path, top) && strcmp(tree.node[i].path, top))
            return tree.node[i].path;
    return NULL;
}

static int compare(const void *a, const void *b)
{
    return strcmp(((const struct node *)a)->path,
                  ((const struct node *)b)->path);
}

char *stub_dump(void)
{
    struct tree *sorted = malloc(sizeof(*sorted));
    char *text = NULL;
    size_t size;
    unsigned int i;
    FILE *file = open_memstream(&text, &size);

    *sorted = tree;
    qsort(sorted->node, sorted->nr, sizeof(sorted->node[0]), compare);
    for (i = 0; i < sorted->nr; i++)
        fprintf(file, "%s = %s (%s)\n", sorted->node[i].path,
                sorted->node[i].value, sorted->node[i].permissions);
    fclose(file);
    free(sorted);
    return text;
}

static bool xs_fails(void)
{
    stub_requests++;
    return stub_fails();
}

/* --- libxenstore ----------------------------------------------------------- */

struct xs_handle *xs_open(unsigned long flags)
{
    (void)flags;
    if (xs_fails())
        return NULL;
    handles++;
    return (struct xs_handle *)&xs_place;
}

void xs_close(struct xs_handle *handle)
{
    if (handle)
        handles--;
}

void *xs_read(struct xs_handle *handle, xs_transaction_t transaction,
              const char *path, unsigned int *len)
{
    struct node *node = find(path);

    (void)handle;
    touch(transaction, path);
    if (xs_fails())
        return NULL;
    if (!node) {
        errno = ENOENT;
        return NULL;
    }
    *len = (unsigned int)strlen(node->value);
    return strdup(node->value);
}

char **xs_directory(struct xs_handle *handle, xs_transaction_t transaction,
                    const char *path, unsigned int *num)
{
    unsigned int i, nr = 0;
    size_t len = strlen(path);
    char **names, *text;

    (void)handle;
    touch(transaction, path);
    if (xs_fails())
        return NULL;
    if (!find(path)) {
        errno = ENOENT;
        return NULL;
    }
    /* One block, as in the library. */
    names = calloc(1, NODES_MAX * (sizeof(*names) + PATH_BYTES));
    text = (char *)(names + NODES_MAX);
    for (i = 0; i < tree.nr; i++) {
        const char *child = tree.node[i].path;

        if (!below(child, path) || !child[len] ||
            strchr(child + len + 1, '/'))
            continue;
        names[nr++] = strcpy(text, child + len + 1);
        text += strlen(text) + 1;
    }
    *num = nr;
    return names;
}

bool xs_write(struct xs_handle *handle, xs_transaction_t transaction,
              const char *path, const void *data, unsigned int len)
{
    char value[VALUE_BYTES];

    (void)handle;
    touch(transaction, path);
    if (xs_fails())
        return false;
    snprintf(value, sizeof(value), "%.*s", (int)len, (const char *)data);
    stub_set(path, value);
    return true;
}

bool xs_rm(struct xs_handle *handle, xs_transaction_t transaction,
           const char *path)
{
    (void)handle;
    touch(transaction, path);
    if (xs_fails())
        return false;
    stub_remove(path);
    return true;
}

bool xs_set_permissions(struct xs_handle *handle, xs_transaction_t transaction,
                        const char *path, struct xs_permissions *permissions,
                        unsigned int nr)
{
    struct node *node = find(path);

    (void)handle, (void)transaction;
    if (xs_fails() || !node)
        return false;
    snprintf(node->permissions, sizeof(node->permissions), nr == 1 ? "n%u"
             : "n%u,r%u", permissions[0].id, permissions[nr - 1].id);
    return true;
}

xs_transaction_t xs_transaction_start(struct xs_handle *handle)
{
    (void)handle;
    if (xs_fails())
        return XBT_NULL;
    transactions++;
    nr_touched = 0;
    before_transaction = tree;
    return 1;
}

bool xs_transaction_end(struct xs_handle *handle, xs_transaction_t transaction,
                        bool abort_it)
{
    bool fails = xs_fails();

    (void)handle, (void)transaction;
    transactions--;
    if (abort_it || fails) {
        tree = before_transaction;
        return !fails;
    }
    if (stub_between) {
        to_commit = tree;
        tree = before_transaction;
        if (stub_between()) {
            errno = EAGAIN;
            return false;
        }
        tree = to_commit;
    }
    return true;
}

bool xs_watch(struct xs_handle *handle, const char *path, const char *token)
{
    (void)handle, (void)path, (void)token;
    if (xs_fails())
        return false;
    watches++;
    return true;
}

bool xs_unwatch(struct xs_handle *handle, const char *path, const char *token)
{
    (void)handle, (void)path, (void)token;
    watches--;
    return true;
}

int xs_fileno(struct xs_handle *handle)
{
    (void)handle;
    if (stub_guests)
        stub_guests();
    if (null_fd < 0)
        null_fd = open("/dev/null", O_RDONLY);  /* always readable */
    return null_fd;
}

char **xs_check_watch(struct xs_handle *handle)
{
    (void)handle;
    errno = EAGAIN;
    return NULL;
}

/* --- libxc ----------------------------------------------------------------- */

xc_interface *xc_interface_open(xentoollog_logger *logger,
                                xentoollog_logger *dombuild_logger,
                                unsigned int flags)
{
    (void)logger, (void)dombuild_logger, (void)flags;
    if (stub_fails())
        return NULL;
    handles++;
    return (xc_interface *)&xc_place;
}

int xc_interface_close(xc_interface *xc)
{
    if (xc)
        handles--;
    return 0;
}

int xc_gnttab_query_size(xc_interface *xc, struct gnttab_query_size *query)
{
    (void)xc;
    if (stub_fails())
        return -1;
    query->status = GNTST_okay;
    query->nr_frames = 4;
    query->max_nr_frames = stub_grant_frames;
    return 0;
}

int xc_evtchn_status(xc_interface *xc, xc_evtchn_status_t *status)
{
    (void)xc;
    if (stub_fails() || status->port > stub_event_channels_used)
        return -1;
    status->status = EVTCHNSTAT_interdomain;
    return 0;
}

/* --- libxl ----------------------------------------------------------------- */

int libxl_ctx_alloc(libxl_ctx **ctx_r, int version, unsigned int flags,
                    xentoollog_logger *logger)
{
    (void)version, (void)flags, (void)logger;
    if (stub_fails())
        return ERROR_FAIL;
    handles++;
    *ctx_r = (libxl_ctx *)&xl_place;
    return 0;
}

int libxl_ctx_free(libxl_ctx *ctx)
{
    if (ctx)
        handles--;
    return 0;
}

static struct stub_domain *find_domain(uint32_t domid)
{
    int i;

    for (i = 0; i < STUB_DOMAINS_MAX; i++)
        if (stub_domains[i].name && !stub_domains[i].gone &&
            stub_domains[i].domid == domid)
            return &stub_domains[i];
    return NULL;
}

static void fill(libxl_dominfo *info, const struct stub_domain *domain)
{
    memset(info, 0, sizeof(*info));
    info->domid = domain->domid;
    memcpy(libxl_uuid_bytearray(&info->uuid), domain->uuid, 16);
    info->paused = domain->paused;
    info->dying = domain->dying;
    info->shutdown = domain->shutdown;
}

int (libxl_domain_info)(libxl_ctx *ctx, libxl_dominfo *info_r, uint32_t domid)
{
    struct stub_domain *domain = find_domain(domid);

    (void)ctx;
    if (stub_fails() || !domain)
        return ERROR_DOMAIN_NOTFOUND;
    fill(info_r, domain);
    return 0;
}

libxl_dominfo *libxl_list_domain(libxl_ctx *ctx, int *nr_r)
{
    libxl_dominfo *infos;
    int i, nr = 0;

    (void)ctx;
    stub_lists++;
    if (stub_fails())
        return NULL;
    infos = calloc(STUB_DOMAINS_MAX, sizeof(*infos));
    for (i = 0; i < STUB_DOMAINS_MAX; i++)
        if (stub_domains[i].name && !stub_domains[i].gone)
            fill(&infos[nr++], &stub_domains[i]);
    *nr_r = nr;
    return infos;
}

void libxl_dominfo_list_free(libxl_dominfo *list, int nr)
{
    (void)nr;
    free(list);
}

void libxl_dominfo_init(libxl_dominfo *info)
{
    memset(info, 0, sizeof(*info));
}

void libxl_dominfo_dispose(libxl_dominfo *info)
{
    (void)info;
}

int libxl_name_to_domid(libxl_ctx *ctx, const char *name, uint32_t *domid_r)
{
    int i;

    (void)ctx;
    if (stub_fails())
        return ERROR_FAIL;
    for (i = 0; i < STUB_DOMAINS_MAX; i++) {
        if (!stub_domains[i].name || stub_domains[i].gone ||
            strcmp(stub_domains[i].name, name))
            continue;
        *domid_r = stub_domains[i].domid;
        return 0;
    }
    return ERROR_INVAL;
}

char *libxl_domid_to_name(libxl_ctx *ctx, uint32_t domid)
{
    struct stub_domain *domain = find_domain(domid);

    (void)ctx;
    stub_requests++;
    return stub_fails() || !domain ? NULL : strdup(domain->name);
}

const uint8_t *libxl_uuid_bytearray_const(const libxl_uuid *uuid)
{
    return (const uint8_t *)uuid;
}

uint8_t *libxl_uuid_bytearray(libxl_uuid *uuid)
{
    return (uint8_t *)uuid;
}

int libxl_uuid_from_string(libxl_uuid *uuid, const char *text)
{
    unsigned int byte;
    int i;

    for (i = 0; i < 16; i++, text += 2) {
        if (*text == '-')
            text++;
        if (sscanf(text, "%2x", &byte) != 1)
            return -1;
        libxl_uuid_bytearray(uuid)[i] = (uint8_t)byte;
    }
    return 0;
}

void libxl_domain_config_init(libxl_domain_config *config)
{
    memset(config, 0, sizeof(*config));
}

void libxl_domain_config_dispose(libxl_domain_config *config)
{
    (void)config;
}

int (libxl_retrieve_domain_configuration)(libxl_ctx *ctx, uint32_t domid,
                                          libxl_domain_config *config,
                                          const libxl_asyncop_how *how)
{
    (void)ctx, (void)domid, (void)how;
    config->b_info.event_channels = 64;
    return stub_fails() ? ERROR_FAIL : 0;
}

/* --- dom0's kernel and the process ----------------------------------------- */

uid_t geteuid(void)
{
    return 0;
}

int dom0_ports_read(struct dom0_net *net)
{
    static const char *const names[] = { "vif1.0", "vif2.0" };
    struct dom0_port *port;
    size_t i;
    int rc = 0;

    if (stub_fails() || stub_unread)
        return -EIO;
    for (i = 0; i < 2; i++) {
        port = JSONIO_ADD(net, ports, SIZE_MAX);
        strcpy(port->name, names[i]);
        port->vlans = stub_vlans[i] ? strdup(stub_vlans[i]) : NULL;
    }
    for (i = 0; i < STUB_FACTS_MAX && stub_facts[i].on && !rc; i++)
        rc = dom0_net_add(net, stub_facts[i].on, stub_facts[i].prefix, "%s",
                          stub_facts[i].text);
    return rc;
}

int dom0_vlans_read(struct dom0_net *net)
{
    (void)net;
    return stub_fails() ? -EIO : 0;
}

int dom0_tc_read(struct dom0_net *net)
{
    (void)net;
    return stub_fails() ? -EIO : 0;
}

int dom0_tcx_read(struct dom0_net *net)
{
    (void)net;
    return stub_fails() ? -EPERM : 0;
}

int dom0_chains_read(struct dom0_net *net)
{
    (void)net;
    return stub_fails() ? -EAGAIN : 0;
}
