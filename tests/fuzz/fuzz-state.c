/* SPDX-License-Identifier: GPL-2.0-or-later */
/* A state in the journal: refused, or written and read again as the same. */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "apply/state.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct apply_state state, again;
    char *input = strndup((const char *)data, size);
    char *text = NULL;

    if (!input)
        abort();
    if (!apply_state_parse(&state, input)) {
        if (apply_state_format(&state, &text)
            || apply_state_parse(&again, text)
            || !apply_state_equal(&state, &again))
            abort();
        apply_state_dispose(&again);
        apply_state_dispose(&state);
        free(text);
    }
    free(input);
    return 0;
}
