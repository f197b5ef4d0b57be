/*
 * survey.h: in which units do the samples seem to be?
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#ifndef LIP_AUDIT_SURVEY_H
#define LIP_AUDIT_SURVEY_H

#include "audit.h"

typedef struct lip_survey {
    double low, high, sum, squares;
    int64_t count;
    bool whole; /* all of them whole numbers */
} lip_survey;

lip_survey survey_begin(void);
void survey_add(lip_survey *survey, int64_t count, const double *values);

/* A remark where the values and what is done to them do not seem to go together; false: none. */
bool survey_remark(const lip_survey *survey, const lip_preprocess *preprocess, char *text, size_t size);

#endif
