/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The whole: from a file to text to an object, and back. */
#include "base/jsonio.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

struct json_object *jsonio_parse(struct jsonio_in *in, const char *text,
                                 size_t bytes, size_t max)
{
    struct json_tokener *tokener = NULL;
    struct json_object *object = NULL;
    enum json_tokener_error error;
    size_t end;

    if (bytes > max)
        jsonio_fail(in, -E2BIG, "more than %zu bytes", max);
    if (in->rc)
        return NULL;

    /* Depth 12: ours is 6, and a deep file must not cost a deep stack. */
    tokener = json_tokener_new_ex(12);
    if (!tokener) {
        jsonio_no_memory(in);
        return NULL;
    }
    json_tokener_set_flags(tokener, JSON_TOKENER_STRICT |
                                    JSON_TOKENER_VALIDATE_UTF8);

    object = json_tokener_parse_ex(tokener, text, (int)bytes);
    error = json_tokener_get_error(tokener);
    end = json_tokener_get_parse_end(tokener);
    if (error == json_tokener_continue) {
        jsonio_fail(in, -EINVAL, "the file is empty or truncated");
    } else if (error != json_tokener_success) {
        jsonio_fail(in, -EINVAL, "not JSON, at byte %zu: %s", end,
                    json_tokener_error_desc(error));
    } else if (!json_object_is_type(object, json_type_object)) {
        jsonio_fail(in, -EINVAL, "not a JSON object");
    } else {
        for (; end < bytes && !in->rc; end++)
            if (!strchr(" \t\r\n", text[end]) || !text[end])
                jsonio_fail(in, -EINVAL, "more after the end, at byte %zu",
                            end);
    }

    json_tokener_free(tokener);
    if (in->rc) {
        json_object_put(object);
        return NULL;
    }
    return object;
}

int jsonio_render(struct jsonio_out *out, struct json_object *root,
                  char **text_r)
{
    const char *text;

    text = json_object_to_json_string_ext(root, JSON_C_TO_STRING_PRETTY |
                                                JSON_C_TO_STRING_SPACED |
                                         JSON_C_TO_STRING_NOSLASHESCAPE);
    if (!out->rc && (!text || asprintf(text_r, "%s\n", text) < 0))
        out->rc = -ENOMEM;
    json_object_put(root);
    return out->rc;
}

int jsonio_read_file(const char *path, size_t max, char **text_r,
                     size_t *bytes_r)
{
    size_t nr = 0, room = 64 * 1024;
    char *text = NULL, *more;
    int fd = STDIN_FILENO, rc = 0;
    ssize_t r;

    if (strcmp(path, "-")) {
        fd = open(path, O_RDONLY | O_CLOEXEC);
        if (fd < 0)
            return -errno;
    }
    for (;;) {
        more = realloc(text, room + 1);
        if (!more) {
            rc = -ENOMEM;
            break;
        }
        text = more;
        r = read(fd, text + nr, room - nr);
        if (r < 0 && errno == EINTR)
            continue;
        if (r < 0) {
            rc = -errno;
            break;
        }
        nr += (size_t)r;
        if (r == 0)
            break;
        if (nr > max) {
            rc = -E2BIG;
            break;
        }
        if (nr == room)
            room *= 2;
    }
    if (fd != STDIN_FILENO)
        close(fd);
    if (rc) {
        free(text);
        return rc;
    }
    text[nr] = '\0';
    *text_r = text;
    *bytes_r = nr;
    return 0;
}

static int write_all(int fd, const char *text)
{
    size_t left = strlen(text);
    ssize_t r;

    while (left) {
        r = write(fd, text, left);
        if (r < 0 && errno == EINTR)
            continue;
        if (r < 0)
            return -errno;
        text += r;
        left -= (size_t)r;
    }
    return 0;
}

static int write_direct(const char *path, const char *text)
{
    int fd, rc;

    fd = open(path, O_WRONLY | O_CLOEXEC | O_NOCTTY);
    if (fd < 0)
        return -errno;
    rc = write_all(fd, text);
    if (close(fd) && !rc)
        rc = -errno;
    return rc;
}

int jsonio_write_file(const char *path, const char *text, mode_t mode)
{
    char *temporary = NULL;
    struct stat st;
    mode_t mask;
    int fd = -1, rc;

    if (!strcmp(path, "-"))
        return write_all(STDOUT_FILENO, text);
    if (!stat(path, &st) && !S_ISREG(st.st_mode))
        return write_direct(path, text);

    if (asprintf(&temporary, "%s.XXXXXX", path) < 0)
        return -ENOMEM;
    fd = mkostemp(temporary, O_CLOEXEC);
    if (fd < 0) {
        rc = -errno;
        goto out;
    }
    mask = umask(0);
    umask(mask);
    rc = write_all(fd, text);
    if (!rc && (fchmod(fd, mode & ~mask) || fsync(fd)))
        rc = -errno;
    if (close(fd) && !rc)
        rc = -errno;
    if (!rc && rename(temporary, path))
        rc = -errno;
    if (rc)
        unlink(temporary);

 out:
    free(temporary);
    return rc;
}
