/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Private to plan*.c: the fields of the file. */
#ifndef SHMLINK_MODEL_PLAN_FIELDS_H
#define SHMLINK_MODEL_PLAN_FIELDS_H

#include "base/jsonio.h"

/* Of struct plan, and of what is added to it. */
extern const struct jsonio_table plan_fields;
extern const struct jsonio_table plan_step_fields;
extern const struct jsonio_table plan_finding_fields;
extern const struct jsonio_table plan_note_fields;
extern const struct jsonio_table plan_place_fields;

#endif
