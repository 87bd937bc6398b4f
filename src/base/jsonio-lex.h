/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Private to jsonio: the grammar of RFC 8259, read byte by byte from a text or
 * through a window of a file.  Each function takes what it is named after, with
 * blanks before it, and returns whether there was one; if not, the error is
 * recorded.
 */
#ifndef SHMLINK_BASE_JSONIO_LEX_H
#define SHMLINK_BASE_JSONIO_LEX_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/text.h"

#define JSONIO_WINDOW_BYTES 65536U

struct jsonio_in;

struct jsonio_lex {
    const char *start, *at, *end;	/* what was read of the file */
    uint64_t passed;			/* bytes before start */
    int fd;				/* -1: there is no more */
    char *window;			/* of a file, else NULL */
    unsigned depth;			/* objects and lists that are open */
    bool first;				/* the innermost has nothing yet */
    char text[TEXT_BYTES_MAX + 1];	/* the string or number */
    bool text_ok;			/* as text_ok(); else text is cut */
};

struct jsonio_number {
    bool whole, negative;
    bool over;				/* beyond UINT64_MAX */
    uint64_t value;			/* if whole: without the sign */
    double real;
};

/* What comes next: its first byte; -1: nothing. */
int jsonio_lex_peek(struct jsonio_in *in);

/* Into lex->text. */
bool jsonio_lex_string(struct jsonio_in *in);
bool jsonio_lex_number(struct jsonio_in *in, struct jsonio_number *number_r);
bool jsonio_lex_word(struct jsonio_in *in, const char *word);

/* bracket: { or [, that has been peeked at. */
bool jsonio_lex_open(struct jsonio_in *in);

/* Whether there is another one before the bracket } or ], which is taken. */
bool jsonio_lex_more(struct jsonio_in *in, char bracket);

/* A string, and the colon behind it. */
bool jsonio_lex_key(struct jsonio_in *in);

/* Any value. */
void jsonio_lex_skip(struct jsonio_in *in);

/* Nothing but blanks. */
void jsonio_lex_end(struct jsonio_in *in);

#endif
