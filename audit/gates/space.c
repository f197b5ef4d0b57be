/*
 * space.c: what a radius is a distance of.
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#include "space.h"
#include "fields.h"

bool space_known(const json_t *report, bool stated)
{
    const json_t *threat = field(report, "threat_model");
    const json_t *range = field(report, "certification.data.range");
    bool preprocessed = json_is_number(field(threat, "scale")) || json_is_array(field(threat, "mean")) ||
                        json_is_array(field(threat, "std"));
    if (stated || preprocessed || field_text(threat, "normalises")[0] != '\0')
        return true;
    return value_number(json_array_get(range, 0)) >= 0.0; /* false, too, where no range was recorded */
}
