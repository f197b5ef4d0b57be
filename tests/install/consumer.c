/*
 * consumer.c: a program of somebody else's, built against what is installed.
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#include <lipaudit.h>

#include <stdio.h>
#include <string.h>

int main(void)
{
    lip_model *model = NULL;
    lip_error error = {0};
    lip_status status = lip_model_open("/missing/model.onnx", NULL, &model, &error);
    if (status != LIP_EIO || error.status != LIP_EIO || model != NULL || error.reason[0] == '\0')
        return 1;
    if (lip_op_count() == 0 || strcmp(lip_status_text(LIP_OK), "success") != 0)
        return 2;
    lip_model_free(&model);
    printf("%s\n", lip_version());
    return 0;
}
