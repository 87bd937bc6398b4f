/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "collect/sampling.h"

#include <math.h>

void sampling_count(struct sampling_counts *counts, bool running,
                    bool blocked, bool beside_observer)
{
    if (beside_observer)
        counts->left_out++;
    else if (running)
        counts->running++;
    else if (blocked)
        counts->blocked++;
    else
        counts->waiting++;
}

static double share_error(double x, double n)
{
    double p = (x + 2) / (n + 4);

    return sqrt(p * (1 - p) / (n + 4));
}

bool sampling_fill(const struct sampling_counts *counts,
                   struct snapshot_vcpu *vcpu)
{
    double running = counts->running, waiting = counts->waiting;
    double blocked = counts->blocked, n = running + waiting + blocked;
    double not_running = waiting + blocked, left, share, error, off = 0;
    struct snapshot_value v = { .source = SNAPSHOT_SOURCE_SAMPLING };

    if (n < SAMPLING_LOOKS_LEAST)
        return false;
    if (vcpu->utilisation.source == SNAPSHOT_SOURCE_NONE) {
        v.value = running / n;
        v.error = share_error(running, n);
        vcpu->utilisation = v;
    } else if (vcpu->utilisation.source != SNAPSHOT_SOURCE_SAMPLING) {
        off = running / n - vcpu->utilisation.value;
    }
    left = 1 - vcpu->utilisation.value;
    if (left < 0)
        left = 0;
    share = not_running > 0 ? waiting / not_running : 0;
    error = left * share_error(waiting, not_running);
    if (vcpu->utilisation.source == SNAPSHOT_SOURCE_SAMPLING)
        error = share_error(waiting, n);
    v.value = left * share;
    v.error = hypot(hypot(error, off), SAMPLING_TOO_MUCH * v.value);
    vcpu->wait = v;
    v.value = left - v.value;
    vcpu->block = v;
    return true;
}
