/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A QEMU plugin that counts the instructions each emulated pCPU executes.
 *
 * Argument counters=FILE: a file of COUNTERS_MAX lines of 64 bytes, of which
 * the first 8 bytes are pCPU n's count (native byte order), mapped and always
 * up to date. A block left early by an exception counts whole, which is the
 * same error for whatever is compared.
 *
 * Debian does not package qemu-plugin.h, so the functions needed are declared
 * here as QEMU 7.2's docs/devel/tcg-plugins.rst describes them (API version 1);
 * they are the same in versions 2 to 4, QEMU 9 and 10.  API: the version to
 * declare.
 */
#include <fcntl.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#define COUNTERS_MAX 256
#define LINE_WORDS 8

typedef uint64_t qemu_plugin_id_t;
struct qemu_plugin_tb;
struct qemu_info_t;

extern int qemu_plugin_version;
int qemu_plugin_version = API;

int qemu_plugin_install(qemu_plugin_id_t id, const struct qemu_info_t *info,
                        int argc, char **argv);
void qemu_plugin_register_vcpu_tb_trans_cb(
    qemu_plugin_id_t id,
    void (*cb)(qemu_plugin_id_t id, struct qemu_plugin_tb *tb));
size_t qemu_plugin_tb_n_insns(const struct qemu_plugin_tb *tb);
void qemu_plugin_register_vcpu_tb_exec_cb(
    struct qemu_plugin_tb *tb, void (*cb)(unsigned int vcpu, void *data),
    int flags, void *data);

static uint64_t (*counters)[LINE_WORDS];

/* Each pCPU has one thread and its own line: no other writer. */
static void executed(unsigned int vcpu, void *data)
{
    if (vcpu < COUNTERS_MAX)
        counters[vcpu][0] += (uintptr_t)data;
}

static void translated(qemu_plugin_id_t id, struct qemu_plugin_tb *tb)
{
    (void)id;
    qemu_plugin_register_vcpu_tb_exec_cb(
        tb, executed, 0, (void *)(uintptr_t)qemu_plugin_tb_n_insns(tb));
}

int qemu_plugin_install(qemu_plugin_id_t id, const struct qemu_info_t *info,
                        int argc, char **argv)
{
    size_t size = COUNTERS_MAX * sizeof(counters[0]);
    void *map;
    int fd;

    (void)info;
    if (argc != 1 || strncmp(argv[0], "counters=", 9)) {
        fprintf(stderr, "count: counters=FILE is needed\n");
        return -1;
    }
    fd = open(argv[0] + 9, O_RDWR | O_CREAT | O_CLOEXEC, 0644);
    if (fd < 0 || ftruncate(fd, size) < 0)
        goto fail;
    map = mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
    if (map == MAP_FAILED)
        goto fail;
    close(fd);
    counters = map;
    qemu_plugin_register_vcpu_tb_trans_cb(id, translated);
    return 0;

fail:
    perror(argv[0]);
    if (fd >= 0)
        close(fd);
    return -1;
}
