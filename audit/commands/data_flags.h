/*
 * data_flags.h: what the flags about data and certificates set; their rows are
 * in flags.c.
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#ifndef LIP_AUDIT_DATA_FLAGS_H
#define LIP_AUDIT_DATA_FLAGS_H

#include "options.h"

typedef bool lip_flag_set(lip_options *options, const lip_flag *flag, const char *value, lip_options_error *error);

lip_flag_set set_data, set_labels, set_layout, set_range, set_limit, set_scale, set_mean, set_std, set_radius_space,
    set_epsilon, set_deployed, set_precision, set_local, set_attack, set_per_sample, set_shard, set_force;

#endif
