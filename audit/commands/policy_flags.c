/*
 * policy_flags.c: a policy file as flags.
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#include "gate_flags.h"
#include "nearest.h"

#include <stdlib.h>
#include <string.h>

#define FLAGS_OF_POLICY (FLAGS_GATES | FLAGS_MODEL | FLAGS_AUDIT | FLAGS_DATA | FLAGS_CERTIFY)

/* A policy says what is asked for, not how one run of it goes. */
static bool may_be_in_policy(const lip_flag *flag)
{
    static const char *const not[] = {"policy", "exit-zero", "update-baseline", "no-progress", "shard", "help"};
    for (size_t i = 0; i < sizeof not / sizeof *not; i++)
        if (strcmp(flag->name, not[i]) == 0)
            return false;
    return (flag->groups & FLAGS_OF_POLICY) != 0;
}

static bool unknown_key(const lip_options *options, const lip_policy_entry *entry, lip_options_error *error)
{
    const char *names[OPTIONS_MAX_FLAGS];
    size_t count = 0;
    for (size_t i = 0; i < flag_count && count < OPTIONS_MAX_FLAGS; i++)
        if (may_be_in_policy(&flags[i]))
            names[count++] = flags[i].name;
    const char *near = nearest_word(entry->key, names, count);
    return options_refuse(error, "%.200s: line %ld: there is no key '%.60s'%s%s%s", options->policy, entry->line,
                          entry->key, near ? "; did you mean '" : "", near ? near : "", near ? "'?" : "");
}

/* A file's name in a policy starts at the policy's folder. */
static bool move_path(const lip_options *options, lip_policy_entry *entry, lip_options_error *error)
{
    const char *slash = strrchr(options->policy, '/');
    size_t folder = slash ? (size_t)(slash - options->policy) + 1 : 0, length = strlen(entry->value);
    if (folder == 0 || entry->value[0] == '/' || length == 0)
        return true;
    char *moved = malloc(folder + length + 1);
    if (!moved)
        return options_refuse(error, "out of memory");
    memcpy(moved, options->policy, folder);
    memcpy(moved + folder, entry->value, length + 1);
    free(entry->value);
    entry->value = moved;
    return true;
}

static bool is_path(const lip_flag *flag)
{
    return flag->value && (strcmp(flag->value, "PATH") == 0 || strcmp(flag->value, "FILE") == 0);
}

static bool set_switch(lip_options *options, const lip_flag *flag, const lip_policy_entry *entry,
                       lip_options_error *error)
{
    if (strcmp(entry->value, "true") == 0)
        return flag->set(options, flag, NULL, error);
    return strcmp(entry->value, "false") == 0 ||
           options_refuse(error, "'%s' is true or false, not '%.60s'", entry->key, entry->value);
}

static bool apply(lip_options *options, lip_policy_entry *entry, const bool *given, lip_options_error *error)
{
    size_t i = 0;
    while (i < flag_count && (!may_be_in_policy(&flags[i]) || strcmp(flags[i].name, entry->key) != 0))
        i++;
    if (i == flag_count)
        return unknown_key(options, entry, error);
    lip_options_error why;
    const lip_flag *flag = &flags[i];
    if (given[i])
        return true;
    if (flag->value ? (!is_path(flag) || move_path(options, entry, &why)) &&
                          flag->set(options, flag, entry->value, &why)
                    : set_switch(options, flag, entry, &why))
        return true;
    return options_refuse(error, "%.150s: line %ld: %.300s", options->policy, entry->line, why.message);
}

bool policy_apply(lip_options *options, const bool *given, lip_options_error *error)
{
    lip_error why;
    if (!options->policy)
        return true;
    if (policy_load(options->policy, &options->policy_entries, &why) != LIP_OK)
        return options_refuse(error, "%.200s: %.300s", why.file, why.reason);
    for (size_t i = 0; i < options->policy_entries.count; i++)
        if (!apply(options, &options->policy_entries.entry[i], given, error))
            return false;
    return true;
}
