/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * `fields snapshot` and `fields plan`: what the tables of a file have, for
 * formats.sh to compare with the manual page: "OBJECT KEY" lines, "root" for
 * the whole; `fields words` the words of both.
 */
#include <stdio.h>
#include <string.h>

#include "model/plan-fields.h"
#include "model/snapshot-fields.h"

static void print_keys(const struct jsonio_table *table, const char *path)
{
    const struct jsonio_field *field;
    char within[256];

    for (field = table->fields; field < table->fields + table->nr_fields;
         field++) {
        if (!field->key)
            continue;
        printf("%s %s\n", *path ? path : "root", field->key);
        if (!field->table)
            continue;
        snprintf(within, sizeof within, "%s%s%s%s", path, *path ? "." : "",
                 field->key, field->kind == JSONIO_OBJECT ? "" : "[]");
        print_keys(field->table, within);
    }
}

static void print_words(const struct jsonio_table *table)
{
    const struct jsonio_field *field;
    size_t i;

    for (field = table->fields; field < table->fields + table->nr_fields;
         field++) {
        for (i = 0; field->kind == JSONIO_WORD && field->words[i]; i++)
            printf("%s\n", field->words[i]);
        if (field->table)
            print_words(field->table);
    }
}

int main(int argc, char **argv)
{
    const char *what = argc == 2 ? argv[1] : "";

    if (!strcmp(what, "snapshot")) {
        print_keys(&snapshot_fields, "");
    } else if (!strcmp(what, "plan")) {
        print_keys(&plan_fields, "");
    } else if (!strcmp(what, "words")) {
        print_words(&snapshot_fields);
        print_words(&plan_fields);
    } else {
        return 2;
    }
    return 0;
}
