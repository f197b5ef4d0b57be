/*
 * measure.c: the audit of an opened model, with a progress line.
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#include "measure.h"
#include "diagnostics.h"
#include "progress.h"

bool measure(const lip_options *options, const lip_opened *opened, lip_report **report)
{
    lip_audit_options audit = options->audit;
    lip_error error = {0};
    lip_progress_line progress;
    progress_start(&progress, options, &audit);
    lip_status status = lip_audit(opened->model, &audit, report, &error);
    progress_stop(&progress);
    if (status != LIP_OK)
        diagnose_error(stderr, &error);
    return status == LIP_OK;
}
