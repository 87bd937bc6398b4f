/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "base/jsonio-lex.h"

#include "base/jsonio.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/* Deeper than ours, which is 7: a deep file must not cost a deep stack. */
#define DEPTH_MAX 11U

/* The next part of the file; -1: there is none. */
static int refill(struct jsonio_in *in)
{
    struct jsonio_lex *lex = in->lex;
    ssize_t r;

    if (in->rc || lex->fd < 0)
        return -1;
    do
        r = read(lex->fd, lex->window, JSONIO_WINDOW_BYTES);
    while (r < 0 && errno == EINTR);
    if (r < 0)
        jsonio_fail(in, -errno, "%s", strerror(errno));
    if (r <= 0)
        return -1;
    lex->passed += (uint64_t)(lex->end - lex->start);
    lex->start = lex->at = lex->window;
    lex->end = lex->window + r;
    if (lex->passed + (uint64_t)r > JSONIO_FILE_BYTES_MAX) {
        jsonio_fail(in, -E2BIG, "more than %u bytes", JSONIO_FILE_BYTES_MAX);
        return -1;
    }
    return (unsigned char)*lex->at;
}

static inline int look(struct jsonio_in *in)
{
    struct jsonio_lex *lex = in->lex;

    return lex->at < lex->end ? (unsigned char)*lex->at : refill(in);
}

/* As look(), and takes it. */
static inline int take(struct jsonio_in *in)
{
    int c = look(in);

    if (c >= 0)
        in->lex->at++;
    return c;
}

static bool not_json(struct jsonio_in *in, const char *why)
{
    struct jsonio_lex *lex = in->lex;

    if (look(in) < 0)
        jsonio_fail(in, -EINVAL, "the file is empty or truncated");
    else
        jsonio_fail(in, -EINVAL, "not JSON, at byte %llu: %s",
                    (unsigned long long)lex->passed +
                    (unsigned long long)(lex->at - lex->start), why);
    return false;
}

int jsonio_lex_peek(struct jsonio_in *in)
{
    int c = look(in);

    while (c == ' ' || c == '\n' || c == '\t' || c == '\r') {
        in->lex->at++;
        c = look(in);
    }
    return c;
}

bool jsonio_lex_word(struct jsonio_in *in, const char *word)
{
    for (; *word; word++, in->lex->at++)
        if (look(in) != *word)
            return not_json(in, "neither null, true nor false");
    return true;
}

static int hex_digits(struct jsonio_in *in)
{
    int i, c, code = 0;

    for (i = 0; i < 4; i++) {
        c = look(in);
        if (c >= '0' && c <= '9')
            c -= '0';
        else if ((c | 0x20) >= 'a' && (c | 0x20) <= 'f')
            c = (c | 0x20) - 'a' + 10;
        else
            return -1;
        code = code << 4 | c;
        in->lex->at++;
    }
    return code;
}

/* What follows a \u, as UTF-8; half a pair gives what text_char() refuses. */
static size_t unicode(struct jsonio_in *in, char *bytes)
{
    long code = hex_digits(in), low;
    size_t nr, i;

    if (code >= 0xd800 && code < 0xdc00 && look(in) == '\\') {
        in->lex->at++;
        low = take(in) == 'u' ? hex_digits(in) : -1;
        if (low < 0xdc00 || low > 0xdfff)
            return 0;
        code = 0x10000 + ((code - 0xd800) << 10) + (low - 0xdc00);
    }
    if (code < 0)
        return 0;
    nr = code < 0x80 ? 1 : code < 0x800 ? 2 : code < 0x10000 ? 3 : 4;
    for (i = nr - 1; i > 0; i--, code >>= 6)
        bytes[i] = (char)(0x80 | (code & 0x3f));
    bytes[0] = (char)(nr == 1 ? code : 0xff << (8 - nr) | code);
    return nr;
}

/* What follows a backslash; 0: an error. */
static size_t escape(struct jsonio_in *in, char *bytes)
{
    static const char letters[] = "\"\\/bfnrt", values[] = "\"\\/\b\f\n\r\t";
    int c = look(in);
    const char *letter;

    if (c == 'u') {
        in->lex->at++;
        return unicode(in, bytes);
    }
    letter = c > 0 ? strchr(letters, c) : NULL;
    if (!letter)
        return 0;
    in->lex->at++;
    bytes[0] = values[letter - letters];
    return 1;
}

/* One character of a string that is not plain ASCII; 0: an error. */
static size_t character(struct jsonio_in *in, char bytes[5])
{
    size_t nr = 1, i;
    int c = take(in);

    if (c == '\\')
        return escape(in, bytes);
    if (c < 0x20)
        return 0;
    bytes[0] = (char)c;
    if (c < 0x80)
        return 1;
    nr = c >= 0xf0 ? 4 : c >= 0xe0 ? 3 : 2;
    for (i = 1; i < nr && (look(in) & 0xc0) == 0x80; i++)
        bytes[i] = (char)take(in);
    /* C1 control characters are UTF-8, and text that we refuse. */
    bytes[i] = '\0';
    return text_char(bytes) || (i == 2 && c == 0xc2) ? i : 0;
}

bool jsonio_lex_string(struct jsonio_in *in)
{
    struct jsonio_lex *lex = in->lex;
    size_t nr, length = 0;
    char bytes[5] = "";
    int c;

    if (jsonio_lex_peek(in) != '"')
        return not_json(in, "a string is missing");
    lex->at++;
    lex->text_ok = true;
    for (;;) {
        c = look(in);
        if (c == '"') {
            lex->at++;
            break;
        }
        nr = 1;
        if (c >= 0x20 && c < 0x7f && c != '\\') {
            bytes[0] = (char)c;
            lex->at++;
        } else {
            memset(bytes, 0, sizeof bytes);
            nr = c < 0 ? 0 : character(in, bytes);
            if (!nr)
                return not_json(in, "not a character of UTF-8");
            lex->text_ok &= text_char(bytes) == nr;
        }
        lex->text_ok &= length + nr <= TEXT_BYTES_MAX;
        if (lex->text_ok) {
            memcpy(lex->text + length, bytes, nr);
            length += nr;
        }
    }
    lex->text[length] = '\0';
    return !in->rc;
}

/* Digits to lex->text, and to the number as long as they fit. */
static unsigned digits(struct jsonio_in *in, size_t *length,
                       struct jsonio_number *number)
{
    struct jsonio_lex *lex = in->lex;
    unsigned nr = 0, digit;
    int c;

    for (c = look(in); c >= '0' && c <= '9'; c = look(in), nr++) {
        digit = (unsigned)(c - '0');
        if (number->value > (UINT64_MAX - digit) / 10)
            number->over = true;
        else if (!number->over)
            number->value = number->value * 10 + digit;
        if (*length < TEXT_BYTES_MAX)
            lex->text[(*length)++] = (char)c;
        lex->at++;
    }
    return nr;
}

/* Into lex->text if it is one of them. */
static bool sign(struct jsonio_in *in, size_t *length, const char *of)
{
    int c = look(in);

    if (c <= 0 || !strchr(of, c))
        return false;
    if (*length < TEXT_BYTES_MAX)
        in->lex->text[(*length)++] = (char)c;
    in->lex->at++;
    return true;
}

bool jsonio_lex_number(struct jsonio_in *in, struct jsonio_number *number_r)
{
    struct jsonio_number number = { .whole = true }, unread = { .value = 0 };
    struct jsonio_lex *lex = in->lex;
    size_t length = 0, first;

    jsonio_lex_peek(in);
    number.negative = sign(in, &length, "-");
    first = length;
    if (!digits(in, &length, &number) ||
        (lex->text[first] == '0' && length > first + 1))
        return not_json(in, "not a number");
    if (sign(in, &length, ".")) {
        number.whole = false;
        if (!digits(in, &length, &unread))
            return not_json(in, "not a number");
    }
    if (sign(in, &length, "eE")) {
        number.whole = false;
        sign(in, &length, "+-");
        if (!digits(in, &length, &unread))
            return not_json(in, "not a number");
    }
    if (length >= TEXT_BYTES_MAX)
        return not_json(in, "a number that is too long");
    lex->text[length] = '\0';
    number.real = strtod(lex->text, NULL);
    *number_r = number;
    return !in->rc;
}

bool jsonio_lex_open(struct jsonio_in *in)
{
    struct jsonio_lex *lex = in->lex;

    if (++lex->depth > DEPTH_MAX)
        return not_json(in, "too deep");
    lex->at++;
    lex->first = true;
    return true;
}

bool jsonio_lex_more(struct jsonio_in *in, char bracket)
{
    struct jsonio_lex *lex = in->lex;
    bool first = lex->first;
    int c;

    if (in->rc)
        return false;
    c = jsonio_lex_peek(in);
    lex->first = false;
    if (c == bracket) {
        lex->at++;
        lex->depth--;
        return false;
    }
    if (first)
        return true;
    if (c != ',')
        return not_json(in, "a comma or bracket is missing");
    lex->at++;
    /* No comma before a bracket: the value that is missing is told. */
    return true;
}

bool jsonio_lex_key(struct jsonio_in *in)
{
    if (!jsonio_lex_string(in))
        return false;
    if (jsonio_lex_peek(in) != ':')
        return not_json(in, "a colon is missing");
    in->lex->at++;
    return true;
}

void jsonio_lex_skip(struct jsonio_in *in)
{
    struct jsonio_number number;
    int c = jsonio_lex_peek(in);
    bool object = c == '{';

    if (c == '"')
        jsonio_lex_string(in);
    else if (c == 'n' || c == 't' || c == 'f')
        jsonio_lex_word(in, c == 'n' ? "null" : c == 't' ? "true" : "false");
    else if (c != '{' && c != '[')
        jsonio_lex_number(in, &number);
    else if (jsonio_lex_open(in))
        while (jsonio_lex_more(in, object ? '}' : ']'))
            if (!object || jsonio_lex_key(in))
                jsonio_lex_skip(in);
}

void jsonio_lex_end(struct jsonio_in *in)
{
    if (!in->rc && jsonio_lex_peek(in) >= 0)
        not_json(in, "more after the end");
}
