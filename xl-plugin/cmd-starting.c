// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * starting ARGUMENTS: for the dispatcher, before xl create with these: note the
 * links that the VM's own configuration asks for.  Whatever is wrong is no
 * reason not to start the VM, and what is wrong for xl too, xl says.
 */
#include "config.h"

#include <errno.h>
#include <getopt.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "base/file.h"
#include "base/parse.h"
#include "command.h"
#include "session.h"
#include "shmlink.h"
#include "toolstack/vmconfig.h"

enum { FILE_BYTES_MAX = 1024 * 1024 };

/* What xl create reads: a file, and lines behind it. */
struct starting {
    const char *file;
    char *lines;
    size_t bytes;
};

/* As xl's own main_create(). */
static bool starting_parse(struct starting *starting, int argc, char **argv)
{
    static const struct option longopts[] = {
        { "defconfig", required_argument, NULL, 'f' },
        { "dryrun", no_argument, NULL, 'n' },
        { "ignore-global-affinity-masks", no_argument, NULL, 'i' },
        { "quiet", no_argument, NULL, 'q' },
        { "vncviewer", no_argument, NULL, 'V' },
        { "vncviewer-autopass", no_argument, NULL, 'A' },
        { "help", no_argument, NULL, 'h' },
        { NULL, 0, NULL, 0 },
    };
    FILE *lines = open_memstream(&starting->lines, &starting->bytes);
    int option, last = 0;

    opterr = 0;
    optind = 1;
    if (argc > 1 && argv[1][0] != '-' && !strchr(argv[1], '='))
        starting->file = argv[optind++];
    while ((option = getopt_long(argc, argv, "AFVcdef:inpqh", longopts,
                                 NULL)) != -1) {
        if (option == 'f')
            starting->file = optarg;
        if (strchr("hn?", option))
            last = option;
    }
    for (; optind < argc && lines; optind++)
        if (!strchr(argv[optind], '=') && !starting->file)
            starting->file = argv[optind];
        else
            fprintf(lines, "\n%s\n", argv[optind]);
    return lines && !fclose(lines) && !last && starting->file;
}

static int starting_read(const struct starting *starting,
                         struct vmconfig *config_r)
{
    char *text = NULL, *whole;
    struct stat stat_;
    size_t bytes = 0;
    int rc;

    /* What can be read only once is xl's, as "-" is, its standard input. */
    if (!strcmp(starting->file, "-"))
        return -EINVAL;
    if (stat(starting->file, &stat_))
        return -errno;
    if (!S_ISREG(stat_.st_mode) && strcmp(starting->file, "/dev/null"))
        return -EINVAL;
    if (S_ISREG(stat_.st_mode)) {
        rc = file_text(starting->file, FILE_BYTES_MAX, &text, &bytes);
        if (rc)
            return rc;
    }
    whole = realloc(text, bytes + starting->bytes + 1);
    if (!whole) {
        free(text);
        return -ENOMEM;
    }
    memcpy(whole + bytes, starting->lines, starting->bytes);
    rc = vmconfig_read(config_r, whole, bytes + starting->bytes);
    free(whole);
    return rc;
}

/* One line for what is wrong; of a list of names the others count. */
static size_t starting_pairs(const struct vmconfig *config,
                             struct shmlink_want *pairs)
{
    char name[SHMLINK_NAME_BYTES], clean[SHMLINK_NAME_BYTES];
    size_t i, nr = 0;
    uint32_t vif;

    if (config->wrong)
        command_failed("%s: shmlink is no list of names", config->name);
    for (i = 0; i < config->nr_links; i++) {
        if (parse_guest(config->links[i], name, sizeof(name), &vif) ||
            !strcmp(name, config->name)) {
            parse_sanitise(config->links[i], clean, sizeof(clean));
            command_failed("%s: shmlink: '%s' is no name of another VM",
                           config->name, clean);
            continue;
        }
        pairs[nr].dom[0] = config->name;
        pairs[nr++].dom[1] = config->links[i];
    }
    return nr;
}

static int starting_want(const struct vmconfig *config)
{
    struct shmlink_want *pairs = calloc(config->nr_links + 1, sizeof(*pairs));
    struct shmlink_domain running;
    struct session session;
    int status = COMMAND_OK;
    size_t nr;

    if (!pairs)
        return COMMAND_FAILED;
    nr = starting_pairs(config, pairs);
    if (session_open(&session, true)) {
        free(pairs);
        return SESSION_UNAVAILABLE;
    }
    /* A mistake forgets no link, and one that runs is not started again. */
    if (!config->wrong &&
        shmlink_domain_find(session.ctx, config->name, &running) &&
        shmlink_want_links(session.ctx, config->name, pairs, nr))
        status = session_failed(&session);
    session_close(&session);
    free(pairs);
    return status;
}

int cmd_starting(int argc, char **argv)
{
    struct starting starting = { 0 };
    struct vmconfig config = { 0 };
    int status = COMMAND_OK;

    if (starting_parse(&starting, argc, argv) &&
        !starting_read(&starting, &config))
        status = starting_want(&config);
    vmconfig_free(&config);
    free(starting.lines);
    return status;
}
