/*
 * gate_flags.h: what the flags about gates set; their rows are in flags.c.
 * Then, a policy file as flags.
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#ifndef LIP_AUDIT_GATE_FLAGS_H
#define LIP_AUDIT_GATE_FLAGS_H

#include "options.h"

bool set_min_radius(lip_options *options, const lip_flag *flag, const char *value, lip_options_error *error);
bool set_quantile(lip_options *options, const lip_flag *flag, const char *value, lip_options_error *error);
bool set_min_certified_accuracy(lip_options *options, const lip_flag *flag, const char *value,
                                lip_options_error *error);
bool set_max_lipschitz(lip_options *options, const lip_flag *flag, const char *value, lip_options_error *error);
bool set_max_layer_upper(lip_options *options, const lip_flag *flag, const char *value, lip_options_error *error);
bool set_baseline(lip_options *options, const lip_flag *flag, const char *value, lip_options_error *error);
bool set_max_regression(lip_options *options, const lip_flag *flag, const char *value, lip_options_error *error);
bool set_max_layer_regression(lip_options *options, const lip_flag *flag, const char *value,
                              lip_options_error *error);
bool set_update_baseline(lip_options *options, const lip_flag *flag, const char *value, lip_options_error *error);
bool set_exit_zero(lip_options *options, const lip_flag *flag, const char *value, lip_options_error *error);
bool set_policy(lip_options *options, const lip_flag *flag, const char *value, lip_options_error *error);

/* Reads the policy file, if one is named, and sets what it says as flags would. A flag of the command line (`given`)
 * replaces what the policy has under its name. */
bool policy_apply(lip_options *options, const bool *given, lip_options_error *error);

/* After all flags: the gates that several flags make together. */
bool gates_finish(lip_options *options, lip_options_error *error);

#endif
