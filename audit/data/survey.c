/*
 * survey.c: in which units do the samples seem to be?
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#include "survey.h"

#include <math.h>
#include <stdio.h>

lip_survey survey_begin(void)
{
    return (lip_survey){.low = (double)INFINITY, .high = -(double)INFINITY, .whole = true};
}

void survey_add(lip_survey *survey, int64_t count, const double *values)
{
    for (int64_t i = 0; i < count; i++) {
        double value = values[i];
        survey->low = value < survey->low ? value : survey->low;
        survey->high = value > survey->high ? value : survey->high;
        survey->sum += value;
        survey->squares += value * value;
        survey->whole = survey->whole && value == floor(value);
    }
    survey->count += count;
}

bool survey_remark(const lip_survey *s, const lip_preprocess *preprocess, char *text, size_t size)
{
    if (s->count == 0)
        return false;
    double mean = s->sum / (double)s->count, variance = s->squares / (double)s->count - mean * mean;
    double deviation = variance > 0 ? sqrt(variance) : 0;
    bool scaled = preprocess && preprocess->scale != 1, moved = preprocess && (preprocess->mean || preprocess->std);
    bool bytes = s->whole && s->low >= 0 && s->high > 16 && s->high <= 255;
    bool normalised = !s->whole && s->low < 0 && fabs(mean) < 1 && deviation > 0.3 && deviation < 3;
    char seen[128];
    snprintf(seen, sizeof seen, "values from %.3g to %.3g, mean %.3g, standard deviation %.3g", s->low, s->high, mean,
             deviation);
    if (bytes && !scaled && !moved)
        snprintf(text, size, "the samples are whole numbers up to %g and are taken as they are: give --scale 1/255 if "
                             "the model was trained on [0, 1]", s->high);
    else if (normalised && (scaled || moved))
        snprintf(text, size, "the samples look normalised already (%s), and %s changes them once more", seen,
                 moved ? "--mean or --std" : "--scale");
    else if (normalised)
        snprintf(text, size, "the samples look normalised (%s): radii are distances in these units, not in those of "
                             "the image", seen);
    else if (scaled && fabs(preprocess->scale) < 0.1 && s->low >= 0 && s->high <= 1)
        snprintf(text, size, "the samples lie in [0, 1] already (%s), and --scale makes them smaller", seen);
    else
        return false;
    return true;
}
