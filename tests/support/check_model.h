/*
 * check_model.h: opening a built model inside a cmocka test.
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#ifndef LIP_TESTS_CHECK_MODEL_H
#define LIP_TESTS_CHECK_MODEL_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "model_builder.h"

#include <string.h>

/* Fails the test, showing both, unless `text` holds `fragment`. */
static inline void check_holds(const char *text, const char *fragment)
{
    if (!text || !strstr(text, fragment))
        fail_msg("'%s' does not hold '%s'", text ? text : "(null)", fragment);
}

/* The built model, opened; frees nothing. */
static inline lip_model *check_open(build *b, const lip_load_options *options)
{
    lip_model *model = NULL;
    lip_error error;
    if (build_open(b, options, &model, &error))
        fail_msg("refused: %s: %s", error.node, error.reason);
    return model;
}

/* The built model is refused with this status, and a reason that holds `fragment`. Frees the build. */
static inline void check_refused_with(build *b, const lip_load_options *options, lip_status status,
                                      const char *fragment)
{
    lip_model *model = NULL;
    lip_error error;
    lip_status found = build_open(b, options, &model, &error);
    assert_null(model);
    check_holds(error.reason, fragment);
    assert_int_equal(found, status);
    assert_int_equal(error.status, status);
    assert_string_equal(error.file, "test.onnx");
    build_free(b);
}

static inline void check_refused(build *b, lip_status status, const char *fragment)
{
    check_refused_with(b, NULL, status, fragment);
}

#endif
