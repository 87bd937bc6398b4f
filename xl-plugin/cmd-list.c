// SPDX-License-Identifier: GPL-2.0-or-later
#include "config.h"

#include <assert.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "command.h"
#include "base/jsonio.h"
#include "base/uuid.h"
#include "session.h"
#include "shmlink.h"

/* A count, or "-" where the guest did not tell. */
static const char *count(char text_r[24], bool ok, uint64_t value)
{
    if (!ok)
        return "-";
    snprintf(text_r, 24, "%" PRIu64, value);
    return text_r;
}

/* What end sent, as it says, or else as the other end received it. */
static void list_direction(const struct shmlink_link *link, int end)
{
    bool own = link->counters_ok[end], peer = link->counters_ok[!end];
    const struct shmlink_counters *sent = &link->counters[end];
    const struct shmlink_counters *received = &link->counters[!end];
    char bytes[24], packets[24];

    printf(" %15s %11s",
           count(bytes, own || peer,
                 own ? sent->tx_bytes : received->rx_bytes),
           count(packets, own || peer,
                 own ? sent->tx_packets : received->rx_packets));
}

/* One end's own affairs, below the link's line. */
static void list_end(const struct shmlink_link *link, int end)
{
    const struct shmlink_counters *counters = &link->counters[end];
    bool ok = link->counters_ok[end];
    char text[5][24];

    printf("  %-18s notified %s, was notified %s, stalled %s, dropped %s "
           "sent %s received\n", link->name[end],
           count(text[0], ok, counters->tx_notifications),
           count(text[1], ok, counters->rx_notifications),
           count(text[2], ok, counters->tx_stalls),
           count(text[3], ok, counters->tx_drops),
           count(text[4], ok, counters->rx_drops));
}

/* Why it uses its vif, if it does so. */
static void list_held(const struct shmlink_link *link, int end)
{
    uint64_t held = link->counters_ok[end] ? link->counters[end].held : 0;
    const char *word;
    unsigned int n;

    if (!held)
        return;
    printf("  %-18s held:", link->name[end]);
    for (n = 0; (word = shmlink_held_word(n)); n++)
        if (held & UINT64_C(1) << n)
            printf(" %s", word);
    putchar('\n');
}

static_assert(SHMLINK_DOMID_NONE == SHMLINK_VIF_ANY, "told alike");

/* A domid or vif, of a link that is not up maybe none. */
static const char *list_number(char text_r[24], uint32_t number)
{
    return count(text_r, number != SHMLINK_VIF_ANY, number);
}

static void list_line(const struct shmlink_link *link)
{
    char since[32] = "-", domid[2][24], vif[2][24];
    struct tm tm;

    if (link->since && localtime_r(&link->since, &tm))
        strftime(since, sizeof(since), "%Y-%m-%dT%H:%M:%S", &tm);
    printf("%-18s %5s %3s %-18s %5s %3s %-15s %-10s %-19s %5" PRIu32 "K",
           link->name[0], list_number(domid[0], link->domid[0]),
           list_number(vif[0], link->vif[0]),
           link->name[1], list_number(domid[1], link->domid[1]),
           list_number(vif[1], link->vif[1]),
           link->bridge[0] ? link->bridge : "-",
           shmlink_state_name(link->state), since, link->ring_bytes / 1024);
    list_direction(link, 0);
    list_direction(link, 1);
    putchar('\n');
}

static void list_print(const struct shmlink_link *links, size_t nr,
                       bool detailed)
{
    bool silent = false;
    size_t i;
    int end;

    printf("%-18s %5s %3s %-18s %5s %3s %-15s %-10s %-19s %6s %15s %11s %15s "
           "%11s\n",
           "Domain 1", "ID", "Vif", "Domain 2", "ID", "Vif", "Bridge",
           "State", "Since", "Ring",
           "1->2 bytes", "packets", "2->1 bytes", "packets");
    for (i = 0; i < nr; i++) {
        list_line(&links[i]);
        if (links[i].state == SHMLINK_ABSENT)
            continue;
        for (end = 0; end < 2; end++) {
            list_held(&links[i], end);
            if (detailed)
                list_end(&links[i], end);
            silent = silent || !links[i].counters_ok[end];
        }
        if (links[i].limit)
            printf("  limit: %" PRIu32 " bytes/s each way\n", links[i].limit);
        if (links[i].bypasses[0])
            printf("  %s: %s\n", links[i].forced && !links[i].impossible
                   ? "forced, and bypasses" : "forbidden by now",
                   links[i].bypasses);
    }
    if (silent)
        fputs("xl shmlink: a guest did not tell its counters within 1 s; what "
              "is shown the other one counted\n", stderr);
}

#define AT(member) offsetof(struct shmlink_counters, member)
#define COUNTER(name) JSONIO_KEY(#name, U64, name)
static const struct jsonio_field counter_keys[] = {
    COUNTER(tx_bytes), COUNTER(tx_packets),
    COUNTER(rx_bytes), COUNTER(rx_packets),
    COUNTER(tx_notifications), COUNTER(rx_notifications),
    COUNTER(tx_stalls), COUNTER(tx_drops), COUNTER(rx_drops),
};
static const struct jsonio_table counter_fields = {
    JSONIO_TABLE(counter_keys, struct shmlink_counters),
};

static void put_counters(struct jsonio_out *out,
                         const struct shmlink_counters *counters)
{
    const char *word;
    unsigned int n;

    jsonio_put(out, "counters", &counter_fields, counters, counters);
    jsonio_open(out, "held", '[');
    for (n = 0; (word = shmlink_held_word(n)); n++)
        if (counters->held & UINT64_C(1) << n)
            jsonio_put_text(out, NULL, word);
    jsonio_close(out, ']');
}

static void put_number(struct jsonio_out *out, const char *key,
                       uint32_t number)
{
    if (number == SHMLINK_VIF_ANY)
        jsonio_put_text(out, key, NULL);
    else
        jsonio_put_int(out, key, number);
}

static void put_end(struct jsonio_out *out, const struct shmlink_link *link,
                    int end)
{
    static const uint8_t unknown[16];
    char uuid[UUID_TEXT_BYTES];

    uuid_text(link->uuid[end], uuid);
    jsonio_open(out, NULL, '{');
    jsonio_put_text(out, "name", link->name[end]);
    put_number(out, "domid", link->domid[end]);
    jsonio_put_text(out, "uuid", memcmp(link->uuid[end], unknown, 16) ? uuid
                                                                      : NULL);
    jsonio_put_text(out, "role", end ? "front" : "back");
    put_number(out, "vif", link->vif[end]);
    if (link->counters_ok[end]) {
        put_counters(out, &link->counters[end]);
    } else {
        jsonio_put_text(out, "counters", NULL);
        jsonio_put_text(out, "held", NULL);
    }
    jsonio_close(out, '}');
}

/* "" is null. */
static void put_known(struct jsonio_out *out, const char *key,
                      const char *text)
{
    jsonio_put_text(out, key, text[0] ? text : NULL);
}

static void list_json(const struct shmlink_link *links, size_t nr)
{
    struct jsonio_out out = { .f = stdout };
    const struct shmlink_link *link;

    jsonio_open(&out, NULL, '[');
    for (link = links; link < links + nr; link++) {
        jsonio_open(&out, NULL, '{');
        put_known(&out, "nonce", link->nonce);
        jsonio_put_text(&out, "state", shmlink_state_name(link->state));
        jsonio_put_int(&out, "since", link->since);
        jsonio_put_bool(&out, "forced", link->forced);
        jsonio_put_bool(&out, "persist", link->persist);
        put_known(&out, "bypasses", link->bypasses);
        jsonio_put_int(&out, "ring_bytes", link->ring_bytes);
        jsonio_put_int(&out, "limit", link->limit);
        jsonio_put_int(&out, "device", link->devid);
        put_known(&out, "bridge", link->bridge);
        jsonio_open(&out, "ends", '[');
        put_end(&out, link, 0);
        put_end(&out, link, 1);
        jsonio_close(&out, ']');
        jsonio_close(&out, '}');
    }
    jsonio_close(&out, ']');
    putchar('\n');
}

/* Those that are up, and behind them those that are to last and are not. */
static int list_all(const struct session *session, const char *dom,
                    struct shmlink_link **links_r, size_t *nr_r)
{
    struct shmlink_link *links, *absent, *more;
    size_t nr, nr_absent;
    int rc;

    rc = shmlink_list(session->ctx, dom, true, &links, &nr);
    if (rc)
        return rc;
    /* What is up is shown all the same; it was told why the rest is not. */
    if (shmlink_list_absent(session->ctx, dom, &absent, &nr_absent)) {
        absent = NULL;
        nr_absent = 0;
    }
    more = reallocarray(links, nr + nr_absent + 1, sizeof(*links));
    if (more && nr_absent)
        memcpy(more + nr, absent, nr_absent * sizeof(*absent));
    else if (!more)
        nr_absent = 0;
    free(absent);
    *links_r = more ? more : links;
    *nr_r = nr + nr_absent;
    return 0;
}

int cmd_list(int argc, char **argv)
{
    bool detailed = false, json = false;
    const struct command_option table[] = {
        COMMAND_FLAG('l', "long", "Notifications, stalls and drops too.",
                     &detailed),
        COMMAND_FLAG('j', "json", "Print JSON, complete.", &json),
        COMMAND_END,
    };
    int status = command_parse(argc, argv, table, 0, 1, "one domain at most");
    struct shmlink_link *links = NULL;
    struct session session;
    size_t nr = 0;

    if (status)
        return status;
    if (session_open(&session, false))
        return COMMAND_FAILED;
    if (list_all(&session, argv[optind], &links, &nr))
        status = session_failed(&session);
    else if (json)
        list_json(links, nr);
    else
        list_print(links, nr, detailed);
    free(links);
    session_close(&session);
    return status;
}
