#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# Scotch: SCOTCH_graphMap() of the same graph, architecture and strategy, twice
# in one process, gives two different maps (of the same cost here): the state of
# the library's own random numbers lives on from call to call. A tool whose
# answer must not depend on what it answered before calls SCOTCH_randomReset()
# before each.
#
# Seen with Scotch 7.0.3 and a ring of 60 vertices with chords.
# shellcheck source=findings/lib.bash
. "$(dirname "$0")/lib.bash"

packages libscotch-7.0=7.0.3-2 libscotch-dev=7.0.3-2
cat >"$work/map.c" <<'C'
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <scotch.h>

enum { VERTICES = 60, DEGREE = 4, PARTS = 7 };

static void map(SCOTCH_Num *part)
{
    static const int chord[DEGREE] = { 1, VERTICES - 1, 7, VERTICES - 7 };
    SCOTCH_Num first[VERTICES + 1], edge[VERTICES * DEGREE];
    SCOTCH_Graph graph;
    SCOTCH_Strat strategy;
    SCOTCH_Arch arch;
    int i;

    for (i = 0; i <= VERTICES; i++)
        first[i] = i * DEGREE;
    for (i = 0; i < VERTICES * DEGREE; i++)
        edge[i] = (i / DEGREE + chord[i % DEGREE]) % VERTICES;
    SCOTCH_graphInit(&graph);
    SCOTCH_graphBuild(&graph, 0, VERTICES, first, NULL, NULL, NULL,
                      VERTICES * DEGREE, edge, NULL);
    SCOTCH_archInit(&arch);
    SCOTCH_archCmplt(&arch, PARTS);
    SCOTCH_stratInit(&strategy);
    SCOTCH_graphMap(&graph, &arch, &strategy, part);
    SCOTCH_stratExit(&strategy);
    SCOTCH_archExit(&arch);
    SCOTCH_graphExit(&graph);
}

int main(void)
{
    SCOTCH_Num one[VERTICES], other[VERTICES];

    map(one);
    map(other);
    puts(memcmp(one, other, sizeof(one)) ? "different" : "the same");
    SCOTCH_randomReset();
    map(one);
    SCOTCH_randomReset();
    map(other);
    puts(memcmp(one, other, sizeof(one)) ? "different" : "the same");
    return 0;
}
C
compile map -I"$root/usr/include/scotch" -lscotch -lscotcherr -lpthread -lm
run "$work/map" >"$work/seen"
expect "two maps of one graph in one process" "$(sed -n 1p "$work/seen")" \
    different
expect "with SCOTCH_randomReset() before each" "$(sed -n 2p "$work/seen")" \
    "the same"
finish
